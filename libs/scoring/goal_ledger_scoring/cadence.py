"""The due dates of a rhythm: one weekday every so many weeks, on the local calendar (SPEC 6).

Which weeks, when a rhythm is longer than one: those whose number, counted from the week of Monday 0001-01-01, divides
by the length, so that all goals of a workspace share their due dates. A due date ends with its local day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from goal_ledger_contracts.zones import zone

from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.windows import day_end


@dataclass(frozen=True, slots=True)
class DueDate:
    """``ends``: the instant its local day is over. ``grace_ends``: the same, the grace days later."""

    day: date
    ends: datetime
    grace_ends: datetime


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the due dates say at one moment. `owed_*`: of the last due date whose grace is over too.

    ``owed_since``: the end of the due date before that one; a check-in since then meets it.
    """

    rules: Rules
    at: datetime
    last_due_ends: datetime
    owed_ends: datetime
    owed_since: datetime


def rhythm(rules: Rules, at: datetime) -> Rhythm:
    """The due dates that matter at ``at``."""
    owed = last_passed(rules, at, with_grace=True)
    return Rhythm(rules, at, last_passed(rules, at).ends, owed.ends, before(rules, owed).ends)


def last_passed(rules: Rules, at: datetime, *, with_grace: bool = False) -> DueDate:
    """The last due date that is over at ``at``; with its grace over too, if asked."""
    grace = timedelta(rules.grace_days) if with_grace else timedelta(0)
    today = at.astimezone(zone(rules.time_zone)).date()
    due = _on_or_before(rules, today - grace)
    if day_end(due + grace, rules.time_zone) > at:
        due -= timedelta(weeks=rules.cadence_weeks)
    return _due(rules, due)


def before(rules: Rules, due: DueDate) -> DueDate:
    """The due date before this one."""
    return _due(rules, due.day - timedelta(weeks=rules.cadence_weeks))


def following(rules: Rules, at: datetime) -> DueDate:
    """The first due date that is not over at ``at``."""
    return after(rules, last_passed(rules, at))


def after(rules: Rules, due: DueDate) -> DueDate:
    """The due date after this one."""
    return _due(rules, due.day + timedelta(weeks=rules.cadence_weeks))


def between(rules: Rules, since: datetime, until: datetime) -> list[DueDate]:
    """The due dates that end after ``since`` and by ``until``, the earliest first."""
    found, due = [], following(rules, since)
    while due.ends <= until:
        found.append(due)
        due = after(rules, due)
    return found


def _on_or_before(rules: Rules, day: date) -> date:
    back = (day.isoweekday() - rules.anchor_weekday) % 7
    due = day - timedelta(back)
    week = (due.toordinal() - 1) // 7
    return due - timedelta(weeks=week % rules.cadence_weeks)


def _due(rules: Rules, day: date) -> DueDate:
    return DueDate(
        day, day_end(day, rules.time_zone), day_end(day + timedelta(rules.grace_days), rules.time_zone)
    )
