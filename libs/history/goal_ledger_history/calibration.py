"""How well confidence foretold what came of goals: the calibration curve, and the Brier score (Brier 1950)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from goal_ledger_scoring.numbers import ONE, ZERO, add, multiply, quotient, subtract

from goal_ledger_history.followed import FollowedGoal


@dataclass(frozen=True, slots=True)
class JudgedForecast:
    """A confidence that stood at a due date, and whether what it spoke of came true. ``seq``: the check-in that said it."""

    confidence: Decimal
    came_true: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """``brier``: the mean of (confidence - outcome)², 0 is best, 0.25 what 0.5 always gets; ``base_rate``: how often it came
    true. ``curve``: by confidence how many forecasts, and how many of them came true."""

    many: int
    brier: Decimal | None
    base_rate: Decimal | None
    curve: dict[Decimal, tuple[int, int]]


def judged(of: FollowedGoal) -> Iterator[JudgedForecast]:
    """The forecasts that stood at the due dates of a goal that was achieved, partly or not at all: of the objective whether it
    was achieved, of a key result whether it was reached at the closing."""
    if not of.is_judged:
        return
    for seen in of.dues:
        for one in seen.forecasts:
            came_true: bool | None = of.goal.outcome == "achieved"
            if one.key_result is not None:
                came_true = of.reached.get(one.key_result)
            if came_true is not None:
                yield JudgedForecast(one.confidence, came_true, one.seq)


def calibrated(many: Iterable[JudgedForecast]) -> Calibration:
    """All of them together."""
    forecasts = list(many)
    by_confidence: defaultdict[Decimal, list[bool]] = defaultdict(list)
    squares = ZERO
    for one in forecasts:
        by_confidence[one.confidence].append(one.came_true)
        missed_by = subtract(one.confidence, ONE if one.came_true else ZERO)
        squares = add(squares, multiply(missed_by, missed_by))
    curve = {at: (len(came), sum(came)) for at, came in sorted(by_confidence.items())}
    whole = Decimal(len(forecasts))
    true = Decimal(sum(one.came_true for one in forecasts))
    if not forecasts:
        return Calibration(0, None, None, {})
    return Calibration(len(forecasts), quotient(squares, whole), quotient(true, whole), curve)
