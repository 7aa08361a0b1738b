"""Goalpost moves: changes of a definition after the activation, whether they ease or tighten it, and what stood around
them (SPEC 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from goal_ledger_contracts.measures import (
    Decrease,
    Increase,
    Ranged,
    Reach,
    StayAbove,
    StayBelow,
    StayBetween,
)
from goal_ledger_scoring.numbers import subtract
from goal_ledger_scoring.status import AT_RISK

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_history.statuses import Standing

EASED, TIGHTENED, NEUTRAL = "eased", "tightened", "neutral"
LATE, AFTER_RED, DROPPED_WHILE_RED = "late", "after_red", "dropped_while_red"
SELF_APPROVED, DEADLINE_EXTENDED = "self_approved", "deadline_extended"
DIRECTIONS = (EASED, TIGHTENED, NEUTRAL)
FLAGS = (LATE, AFTER_RED, SELF_APPROVED, DROPPED_WHILE_RED, DEADLINE_EXTENDED)
MOVES = (
    *("MeasureChanged", "KeyResultAdded", "KeyResultDropped", "KeyResultTakenUp", "KeyResultWeightChanged"),
    *("PutInCycle", "MovedToCycle", "PartBound", "PartUnbound"),
)
"""The types of the facts that move a goalpost, once the objective was activated."""
WORDS_AND_PLACES = (
    *("ObjectiveReworded", "ObjectiveAssigned", "KindGiven", "ObjectiveAligned", "ObjectiveUnaligned"),
    *("KeyResultReworded", "KeyResultOwnerChanged"),
)
"""The types of the facts that change a definition besides, but nothing that its own score is computed from."""
AMENDING = (*MOVES, *WORDS_AND_PLACES)
"""The types of the facts of a goal's own stream that change its definition."""
LATE_FROM = Decimal("0.75")
"""So much of the objective's time was over: the move was late."""


@dataclass(frozen=True, slots=True)
class GoalpostMove:
    """``flags``: without self-approval, which endorsements tell. ``effect``: on the objective's score as amended, None
    where that was not measured before or after; ``effect_committed``: on the other."""

    direction: str
    flags: tuple[str, ...]
    effect: Decimal | None
    effect_committed: Decimal | None


class AmendedGoal(Protocol):
    """A goal that a fact changed, by a fact of this type, and which key result of it."""

    @property
    def objective(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def key_result(self) -> str | None: ...


async def goalpost_moves(
    history: ScoresAt, seq: int, at: datetime, changed: Sequence[AmendedGoal]
) -> list[GoalpostMove]:
    """The moves that the fact ``seq`` made, of each goal that it changed from ``at`` on."""
    ids = list({one.objective for one in changed})
    before, after = [await history.at(AsOf(at, known), ids) for known in (seq - 1, seq)]
    return [_move(before[one.objective], after[one.objective], one.type, one.key_result) for one in changed]


def _move(before: Standing, after: Standing, type: str, key_result: str | None) -> GoalpostMove:
    effect = _difference(before.amended.score, after.amended.score)
    committed = _difference(before.as_committed.score, after.as_committed.score)
    flags = _flags(before, after, type, key_result)
    return GoalpostMove(_direction(before, after, key_result, effect), flags, effect, committed)


def _difference(before: Decimal | None, after: Decimal | None) -> Decimal | None:
    return None if before is None or after is None else subtract(after, before)


def _flags(before: Standing, after: Standing, type: str, key_result: str | None) -> tuple[str, ...]:
    was_red = AT_RISK in (before.status.shown, before.shown.get(key_result or ""))
    found = {
        LATE: before.expected is not None and before.expected >= LATE_FROM,
        AFTER_RED: was_red,
        DROPPED_WHILE_RED: type == "KeyResultDropped" and was_red,
        DEADLINE_EXTENDED: _later_by(before, after, key_result) > 0,
    }
    return tuple(name for name, holds in found.items() if holds)


def _direction(before: Standing, after: Standing, key_result: str | None, effect: Decimal | None) -> str:
    """By the target, where that moved; else by the time there is for it; else by the effect on the score."""
    sides = [_key_result(one, key_result) for one in (before, after)]
    eased = 0
    if sides[0] is not None and sides[1] is not None:
        eased = target_eased(sides[0].measure, sides[1].measure)
    eased = eased or _later_by(before, after, key_result) or _sign(effect)
    return EASED if eased > 0 else TIGHTENED if eased < 0 else NEUTRAL


def _key_result(standing: Standing, id: str | None) -> KeyResult | None:
    return None if id is None else standing.defined.key_result(id)


def _sign(amount: Decimal | None) -> int:
    return 0 if not amount else 1 if amount > 0 else -1


def target_eased(before: Any, after: Any) -> int:
    """1: the target is nearer than it was, -1: it is farther."""
    if type(before) is not type(after):
        return 0
    match before:
        case Increase():
            return _sign(subtract(before.target, after.target))
        case Decrease():
            return _sign(subtract(after.target, before.target))
        case StayBelow():
            return _sign(subtract(after.limit, before.limit))
        case StayAbove():
            return _sign(subtract(before.limit, after.limit))
        case StayBetween():
            return _sign(subtract(subtract(after.high, after.low), subtract(before.high, before.low)))
        case Reach() | Ranged():
            return _nearer(before, after)
    return 0


def _nearer(before: Any, after: Any) -> int:
    """Of what goes either way: by how far the target lies from the baseline, where that stayed."""
    if before.baseline is None or after.baseline != before.baseline:
        return 0
    far = [abs(subtract(one.target, one.baseline)) for one in (before, after)]
    return _sign(subtract(far[0], far[1]))


def _later_by(before: Standing, after: Standing, key_result: str | None) -> int:
    """1: there is more time than before, -1: less."""
    ends = [_end(one, key_result) for one in (before, after)]
    if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
        return 0
    return 1 if ends[1] > ends[0] else -1


def _end(standing: Standing, key_result: str | None) -> Any:
    """Of the key result's windows, if it has some that are fixed; else of the cycle."""
    one = _key_result(standing, key_result)
    windows = [] if one is None else [part.window for part in one.parts.values() if part.window is not None]
    ends = [window.end for window in windows if window.end is not None]
    if ends:
        return max(ends)
    return None if standing.cycle is None else standing.cycle.end
