"""What a goal owes by its rhythm, and what became of it (SPEC 6): pure rules over when persons spoke.

A due date of an active goal is met by a person's check-in on the objective, or on each of its unfed key results, since
the due date before: *on time* until its local day ends, *late* until its grace days are over, *missed* then; *pending*
while it can still be met. When a check-in was is its `effective_at`. Where nothing is unfed, each key result is waited
for; where the policy lets feeds count as word, their accepted readings are then word enough.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from goal_ledger_scoring import cadence
from goal_ledger_scoring.cadence import DueDate
from goal_ledger_scoring.policy import Rules

from goal_ledger_history.goals import Goal, KeyResult, PausedTimes

ON_TIME, LATE, MISSED, PENDING, PAUSED = "on_time", "late", "missed", "pending", "paused"
STATES = (ON_TIME, LATE, MISSED, PENDING)
"""Of a due date that is owed; one that is not is PAUSED."""

WordsOfGoal = Mapping[str | None, Sequence[datetime]]
"""When persons checked in on a goal's key results and on itself (None), the earliest first; of each stretch between two
due dates the first is enough."""
LastWords = Mapping[str | None, datetime]
"""When persons checked in last."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A due date of a goal. ``heard_at``: when it was met, if it was."""

    due: DueDate
    state: str
    heard_at: datetime | None


def is_fed(one: KeyResult) -> bool:
    """Every part takes its value from a feed."""
    return bool(one.parts) and all(part in one.bindings for part in one.parts)


def waited_for(goal: Goal) -> tuple[str, ...]:
    """The key results that word is owed of: the unfed ones; where all are fed, all of them. Dropped ones never."""
    there = [one for one in goal.key_results if not one.dropped]
    return tuple([one.id for one in there if not is_fed(one)] or [one.id for one in there])


def is_spoken_for_by_feeds(goal: Goal, rules: Rules) -> bool:
    """Its feeds' readings are word enough."""
    there = [one for one in goal.key_results if not one.dropped]
    return rules.feeds_count_as_word and bool(there) and all(is_fed(one) for one in there)


def heard_since(words: WordsOfGoal, waited: Sequence[str], since: datetime) -> datetime | None:
    """When the word given since then was whole; None: it is not yet."""
    if len(waited) == 1 and None not in words:
        return _first(words, waited[0], since)
    own, each = _first(words, None, since), [_first(words, one, since) for one in waited]
    known = [one for one in each if one is not None]
    whole = max(known) if known and len(known) == len(each) else None
    return min((one for one in (own, whole) if one is not None), default=None)


def _first(words: WordsOfGoal, name: str | None, since: datetime) -> datetime | None:
    times = words.get(name, ())
    n = bisect_left(times, since)
    return times[n] if n < len(times) else None


def last_heard(last: LastWords, waited: Sequence[str]) -> datetime | None:
    """The latest instant since which the word given is whole."""
    each = [last.get(one) for one in waited]
    known = [one for one in each if one is not None]
    whole = min(known) if known and len(known) == len(each) else None
    return max((one for one in (last.get(None), whole) if one is not None), default=None)


def duty(since: datetime, due: DueDate, words: WordsOfGoal, waited: Sequence[str], at: datetime) -> Duty:
    """What became of a due date, as seen at ``at``. ``since``: the end of the due date before; ``words``: none of them
    after ``at``."""
    heard = heard_since(words, waited, since)
    return Duty(due, state_of(due, heard, at), heard)


def state_of(due: DueDate, heard: datetime | None, at: datetime) -> str:
    """Of a due date by when its word was whole."""
    if heard is not None and heard < due.ends:
        return ON_TIME
    if heard is not None and heard < due.grace_ends:
        return LATE
    return MISSED if due.grace_ends <= at else PENDING


def is_due(goal: Goal, due: DueDate) -> bool:
    """It was active before the due date ended, and not closed by then."""
    if goal.activated_at is None or goal.activated_at >= due.ends:
        return False
    return goal.closing is None or goal.closing.at >= due.ends


def is_paused(pauses: PausedTimes, due: DueDate) -> bool:
    """Nothing is owed for a due date at whose end the goal is paused, or its owner on leave."""
    return any(one.holds_before(due.ends) for one in pauses)


def goes_on(pauses: PausedTimes, at: datetime) -> bool:
    """Whether one holds at that instant."""
    return any(one.start <= at and (one.end is None or one.end > at) for one in pauses)


@dataclass(frozen=True, slots=True)
class Silence:
    """``since``: the last word, else the activation. ``missed``: how many due dates in a row have passed without one,
    their grace too; silent with the first."""

    since: datetime
    heard_at: datetime | None
    missed: int

    @property
    def is_silent(self) -> bool:
        return self.missed > 0


def silence(
    rules: Rules, active_since: datetime, heard_at: datetime | None, at: datetime, pauses: PausedTimes = ()
) -> Silence:
    """How long nobody has spoken for an active goal. While it is paused it is not silent."""
    if goes_on(pauses, at):
        return Silence(heard_at or active_since, heard_at, 0)
    owed = cadence.last_passed(rules, at, with_grace=True)
    first = cadence.following(rules, active_since)
    if heard_at is not None:
        first = max(first, cadence.after(rules, cadence.following(rules, heard_at)), key=lambda one: one.day)
    weeks = (owed.day - first.day).days // 7
    missed = max(0, weeks // rules.cadence_weeks + 1)
    if pauses and missed:
        there = cadence.between(rules, cadence.before(rules, first).ends, owed.ends)
        missed = sum(not is_paused(pauses, due) for due in there)
    return Silence(heard_at or active_since, heard_at, missed)
