"""The status of a goal: computed when it is asked for, never stored (SPEC 5 "Status").

What is shown is the first that holds: the closed outcome; outdated; the status stated since the last due date; the
computed one, if the goal is fed and fresh; pending. Stated and computed stand side by side in every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.cadence import Rhythm
from goal_ledger_scoring.numbers import multiply, subtract
from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.windows import plus

ON_TRACK, BEHIND, AT_RISK = "on_track", "behind", "at_risk"
OUTDATED, PENDING, NOT_MEASURED = "outdated", "pending", "not_measured"
_WORST_FIRST = {OUTDATED: 0, AT_RISK: 1, BEHIND: 2, PENDING: 3, NOT_MEASURED: 4, ON_TRACK: 5}
_POINTS = Decimal(100)


@dataclass(slots=True)
class Word:
    """The latest check-in in force, and the latest one that stated a status."""

    at: datetime | None = None
    stated: str | None = None
    stated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FedPart:
    """A part fed by a feed: the time of its last accepted reading, and the interval expected of the feed."""

    last_at: datetime | None
    interval: str | None


@dataclass(slots=True)
class Status:
    """``stated``: since the last due date. ``gap``: points of 100 behind the expected score. ``fresh``: by its feeds'
    readings or by a check-in, never while one of its feeds was never read; None: not asked of an objective."""

    shown: str
    stated: str | None
    computed: str | None
    gap: Decimal | None
    fresh: bool | None = None


def gap_points(expected: Decimal | None, score: Decimal | None) -> Decimal | None:
    """expected - score, in points of 100."""
    if expected is None or score is None:
        return None
    return multiply(subtract(expected, score), _POINTS)


def computed_status(
    expected: Decimal | None, score: Decimal | None, rules: Rules, *, within_risk: bool = False
) -> str | None:
    """By the gap; not measured without a score; None without an expected score (no cycle)."""
    if score is None:
        return NOT_MEASURED
    gap = gap_points(expected, score)
    if gap is None:
        return None
    if gap <= rules.on_track_points:
        return ON_TRACK
    return BEHIND if within_risk or gap <= rules.behind_points else AT_RISK


def is_fresh(fed: Iterable[FedPart], rhythm: Rhythm) -> bool:
    """There are fed parts, and all of them are fresh."""
    parts = tuple(fed)
    return bool(parts) and all(is_fed_freshly(part, rhythm.rules, rhythm.at) for part in parts)


def is_fed_freshly(part: FedPart, rules: Rules, at: datetime) -> bool:
    """The feed has an accepted reading within its interval (none set: within the cadence)."""
    if part.last_at is None:
        return False
    return plus(part.last_at, part.interval or f"P{rules.cadence_weeks}W", rules.time_zone) >= at


def is_outdated(word: Word, rhythm: Rhythm, active_since: datetime | None) -> bool:
    """A due date plus grace has passed, since the goal is active, without a check-in since the due date before."""
    if active_since is None or active_since >= rhythm.owed_ends:
        return False
    return word.at is None or word.at < rhythm.owed_since


def stated_now(word: Word, rhythm: Rhythm) -> str | None:
    """The status stated since the last due date."""
    if word.stated is None or word.stated_at is None:
        return None
    return word.stated if word.stated_at >= rhythm.last_due_ends else None


def shown_for_key_result(
    word: Word, fresh: bool, computed: Callable[[], str | None], rhythm: Rhythm, active_since: datetime | None
) -> str:
    """What is shown of a key result. ``fresh``: it is fed, and every feed of it is fresh.

    ``computed`` is asked only where it matters.
    """
    if not fresh and is_outdated(word, rhythm, active_since):
        return OUTDATED
    stated = stated_now(word, rhythm)
    if stated is not None:
        return stated
    return (computed() if fresh else None) or PENDING


def key_result_status(
    word: Word,
    fed: tuple[FedPart, ...],
    computed: str | None,
    gap: Decimal | None,
    rhythm: Rhythm,
    active_since: datetime | None,
) -> Status:
    """``active_since``: when its objective was activated. Under a closed one, asked of the closing, for an outcome is the
    objective's alone."""
    stated = stated_now(word, rhythm)
    fed_and_fresh = is_fresh(fed, rhythm)
    shown = shown_for_key_result(word, fed_and_fresh, lambda: computed, rhythm, active_since)
    spoken = word.at is not None and not is_outdated(word, rhythm, active_since)
    ever_read = all(part.last_at is not None for part in fed)
    return Status(shown, stated, computed, gap, fed_and_fresh or (spoken and ever_read))


def objective_status(
    word: Word,
    key_results: Iterable[str],
    computed: str | None,
    gap: Decimal | None,
    rhythm: Rhythm,
    active_since: datetime | None,
    closed: str | None = None,
) -> Status:
    """``closed``: its outcome, once it is closed; else its own stated status under the same rule, else the worst of its
    key results' shown ones."""
    stated = stated_now(word, rhythm)
    if closed is not None:
        shown = closed
    elif stated is not None:
        shown = stated
    elif of_key_results := tuple(key_results):
        shown = worst(of_key_results)
    else:
        shown = OUTDATED if is_outdated(word, rhythm, active_since) else PENDING
    return Status(shown, stated, computed, gap)


def worst(statuses: Iterable[str]) -> str:
    """Outdated, at risk, behind, pending, not measured, on track: the first of these that is there."""
    return min(statuses, key=_WORST_FIRST.__getitem__)
