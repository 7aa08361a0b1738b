"""SPEC 6 read naively: of each active goal its last due date and the next, what became of them, and how silent it is."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from reading.definitions import day_start, goals, is_paused, parts, pauses, rules
from reading.log import Json, Log
from reading.values import check_ins, readings

TICK = timedelta(microseconds=1)


def duties(log: Log, at: datetime, known: int) -> dict[str, Json]:
    """By active objective."""
    found = {}
    for id, one in goals(log, at, known).items():
        if one["state"] == "active":
            found[id] = _of_goal(log, one, at, known)
    return found


class _Goal:
    """A goal with its due dates, as they are seen at the moment."""

    def __init__(self, log: Log, goal: Json, at: datetime, known: int) -> None:
        self.log, self.goal, self.at, self.known = log, goal, at, known
        self.policy = rules(log, goal, at, known)
        self.active = goal["activated"]["effective_at"]
        self.pauses = pauses(log, goal, at, known)
        self.dues = _dues(self.policy, self.active, at)

    def word(self, since: datetime, until: datetime) -> bool:
        return _was_word(self.log, self.goal, self.policy, since, min(until, self.at + TICK), self.known)

    def state(self, n: int) -> str:
        if is_paused(self.pauses, self.dues[n][0]):
            return "paused"
        since, (ends, grace, _) = self.dues[n - 1][0], self.dues[n]
        if self.word(since, ends):
            return "on_time"
        if self.word(since, grace):
            return "late"
        return "missed" if grace <= self.at else "pending"

    def owes(self, n: int) -> bool:
        closing = self.goal["closing"]
        ends = self.dues[n][0]
        return n > 0 and self.active < ends and (closing is None or closing["effective_at"] >= ends)

    def missed_in_a_row(self) -> int:
        missed, n = 0, max(i for i, due in enumerate(self.dues) if due[1] <= self.at)
        if is_paused(self.pauses, self.at + TICK):
            return 0
        while self.owes(n) and not self.word(self.dues[n - 1][0], self.at + TICK):
            missed, n = missed + (not is_paused(self.pauses, self.dues[n][0])), n - 1
        return missed


def _of_goal(log: Log, goal: Json, at: datetime, known: int) -> Json:
    one = _Goal(log, goal, at, known)
    last = max(i for i, due in enumerate(one.dues) if due[0] <= at)
    return {
        "last": one.state(last) if one.owes(last) else None,
        "next": one.state(last + 1),
        "missed": one.missed_in_a_row(),
        "paused": is_paused(one.pauses, at + TICK),
    }


def counted(log: Log, first: date, last: date, at: datetime, known: int) -> Counter[str]:
    """What became of the due dates of these days, of all goals that were ever active."""
    found: Counter[str] = Counter()
    for goal in goals(log, at, known).values():
        if goal["activated"] is not None and (goal["state"] == "active" or goal["closing"] is not None):
            one = _Goal(log, goal, at, known)
            days = [n for n, due in enumerate(one.dues) if first <= due[2] <= last and one.owes(n)]
            found.update(state for n in days if (state := one.state(n)) != "paused")
    return found


def _dues(policy: Json, active: datetime, at: datetime) -> list[tuple[datetime, datetime, date]]:
    """The ends of due dates and of their grace, and their days, from well before it was active to well after the moment."""
    zone, margin = (
        policy["time_zone"],
        timedelta(weeks=policy["cadence_weeks"] * 3, days=policy["grace_days"]),
    )
    day, end = (min(active, at) - margin).date(), (at + margin).date()
    found = []
    while day <= end:
        week = (day.toordinal() - 1) // 7
        if day.isoweekday() == policy["anchor_weekday"] and week % policy["cadence_weeks"] == 0:
            ends = day_start(day + timedelta(1), zone)
            found.append((ends, day_start(day + timedelta(1 + policy["grace_days"]), zone), day))
        day += timedelta(1)
    return found


def _was_word(log: Log, goal: Json, policy: Json, since: datetime, until: datetime, known: int) -> bool:
    """On the objective, or on each key result that is waited for, from ``since`` on and before ``until``."""
    there = [one for one in goal["key_results"].values() if not one["dropped"]]
    unfed = [one for one in there if not _is_fed(one)]
    spoken = {
        one["data"].get("key_result")
        for one in check_ins(log, until - TICK, known)
        if one["stream"] == f"objective/{goal['id']}" and one["effective_at"] >= since and _person(one)
    }
    if policy.get("feeds_count_as_word") and there and not unfed:
        spoken |= {one["id"] for one in there if _was_read(log, one, since, until, known)}
    waited = {one["id"] for one in unfed or there}
    return None in spoken or (bool(waited) and waited <= spoken)


def _was_read(log: Log, one: Json, since: datetime, until: datetime, known: int) -> bool:
    return all(
        any(each["time"] >= since for each in readings(log, bound["feed"], until - TICK, known))
        for bound in one["bindings"].values()
    )


def _is_fed(one: Json) -> bool:
    measures = parts(one["measure"])
    return bool(measures) and all(part in one["bindings"] for part in measures)


def _person(fact: Json) -> bool:
    author: Any = fact["data"].get("author")
    return author is not None or fact["actor"].startswith("person/")
