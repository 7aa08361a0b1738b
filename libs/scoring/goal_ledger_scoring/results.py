"""What the scoring functions answer. Scores are decimals of at most 12 places; None means not measured, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from goal_ledger_scoring.inputs import PartInput

MEASURED, NOT_MEASURED, WAITING, NO_BASELINE = "measured", "not_measured", "waiting", "baseline_to_be_found"


@dataclass(slots=True)
class PartScore:
    """One part. ``raw`` unclamped; ``within_risk``: past the limit but not past the risk value (SPEC 5)."""

    raw: Decimal | None
    score: Decimal | None
    state: str
    input: PartInput
    zone: str | None = None
    within_risk: bool = False


@dataclass(slots=True)
class Counted:
    """A child in a roll-up: ``ref`` is ``key-result/<id>`` or ``objective/<id>``."""

    ref: str
    weight: Decimal
    score: Decimal


@dataclass(slots=True)
class LeftOut:
    """A child that is shown but not counted, and why.

    ``why``: not_measured, waiting, baseline_to_be_found, weight_zero, draft, dropped, postponed, supports, by_policy,
    not_committed, loop or unknown.
    """

    ref: str
    why: str


@dataclass(slots=True)
class KeyResultScore:
    """``mean``, ``bottleneck`` of a compound; ``counted``, ``left_out`` of an aligned one; ``reached``: raw is at least 1."""

    id: str
    raw: Decimal | None
    score: Decimal | None
    beyond: Decimal | None
    state: str
    parts: dict[str, PartScore]
    reached: bool | None = None
    mean: Decimal | None = None
    bottleneck: str | None = None
    counted: tuple[Counted, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def waiting_for(self) -> str | None:
        return next((p.input.waiting_for for p in self.parts.values() if p.input.waiting_for), None)

    @property
    def within_risk(self) -> bool:
        """No part is worse than between its limit and its risk value, and one is there."""
        missing = [part for part in self.parts.values() if part.score is None or part.score < 1]
        return bool(missing) and all(part.within_risk for part in missing)


@dataclass(slots=True)
class GoalScore:
    """``kept``: the score of the closing, not recomputed. ``feeds``: how often each feed is counted beneath it, if any is;
    ``feeds_twice``: those counted more than once."""

    id: str
    score: Decimal | None
    key_results: dict[str, KeyResultScore] = field(default_factory=dict)
    counted: tuple[Counted, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    feeds: Mapping[str, int] | None = None
    feeds_twice: tuple[str, ...] = ()
    kept: bool = False
