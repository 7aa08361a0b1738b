"""A goal followed through its cycle: how it stood at each due date, by what was known then.

What a habit or a warning is judged by. The due dates are those of the workspace's rhythm; half time, 85 % of the time and
the end are looked at besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.status import gap_points
from goal_ledger_scoring.windows import Span

from goal_ledger_history.goals import Goal, KeyResult
from goal_ledger_history.statuses import Standing

JUDGED_OUTCOMES = ("achieved", "partial", "missed")
HALF_PERCENT, TAIL_PERCENT = 50, 85
"""Half time, and where the last 15 % of a cycle begin."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A confidence that stood; ``key_result`` None: of the objective. ``seq``: the check-in that said it."""

    key_result: str | None
    confidence: Decimal
    seq: int


@dataclass(frozen=True, slots=True)
class GoalSeen:
    """How a goal stood. ``is_due``: at a due date. ``facts``: the seqs of those behind its values and words."""

    at: datetime
    is_due: bool
    score: Decimal | None
    expected: Decimal | None
    stated: str | None
    shown: str
    forecasts: tuple[Forecast, ...] = ()
    facts: tuple[int, ...] = ()

    @property
    def gap(self) -> Decimal | None:
        """Points of 100 behind the expected score."""
        return gap_points(self.expected, self.score)


@dataclass(frozen=True, slots=True)
class FollowedGoal:
    """``seen``: while it was active, the earliest first; of another time there is nothing. ``rules``: in force now, of a
    closed one at its closing. ``reached``: by key result whether it was, at the closing."""

    goal: Goal
    rules: Rules
    span: Span
    seen: Sequence[GoalSeen]
    reached: dict[str, bool | None]

    @property
    def is_judged(self) -> bool:
        """It was achieved, partly or not at all; what was dropped or postponed says nothing of forecasts and warnings."""
        return self.goal.outcome in JUDGED_OUTCOMES

    @property
    def dues(self) -> list[GoalSeen]:
        return [one for one in self.seen if one.is_due]


def seen(standing: Standing, at: datetime, is_due: bool) -> GoalSeen | None:
    """What is kept of a standing; None: it was not active then."""
    if standing.goal.stage != "active":
        return None
    said = [(None, standing.said), *((one.id, standing.key_result(one).said) for one in _there(standing))]
    forecasts = [
        Forecast(name, last.confidence, last.seq)
        for name, last in said
        if last.confidence is not None and last.seq is not None
    ]
    words = {seq for _, last in said for seq in (last.seq, last.stated_seq) if seq is not None}
    values = {
        int(seq)
        for score in standing.amended.key_results.values()
        for part in score.parts.values()
        for seq in part.input.evidence
    }
    status = standing.status
    return GoalSeen(
        at,
        is_due,
        standing.amended.score,
        standing.expected,
        status.stated,
        status.shown,
        tuple(forecasts),
        tuple(sorted(words | values)),
    )


def _there(standing: Standing) -> list[KeyResult]:
    return [one for one in standing.defined.key_results if not one.dropped]


def percent_of(span: Span, percent: int) -> datetime:
    """The instant at which so much of a cycle is over."""
    assert span.start is not None and span.end is not None
    return span.start + (span.end - span.start) * percent / 100
