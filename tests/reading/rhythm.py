"""SPEC 6 read naively: of each active goal its last due date and the next, what became of them, and how silent it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from reading.definitions import day_start, goals, parts, rules
from reading.log import Json, Log
from reading.values import check_ins, readings

TICK = timedelta(microseconds=1)


def duties(log: Log, at: datetime, known: int) -> dict[str, Json]:
    """By active objective."""
    found = {}
    for id, one in goals(log, at, known).items():
        if one["state"] == "active":
            found[id] = _of_goal(log, one, rules(log, one, at, known), at, known)
    return found


def _of_goal(log: Log, goal: Json, policy: Json, at: datetime, known: int) -> Json:
    active = goal["activated"]["effective_at"]
    dues = _dues(policy, active, at)
    last = next(i for i in range(len(dues) - 1, -1, -1) if dues[i][0] <= at)

    def word(since: datetime, until: datetime) -> bool:
        return _was_word(log, goal, policy, since, min(until, at + TICK), known)

    def state(n: int) -> str:
        since, (ends, grace) = dues[n - 1][0], dues[n]
        if word(since, ends):
            return "on_time"
        if word(since, grace):
            return "late"
        return "missed" if grace <= at else "pending"

    missed, n = 0, max(i for i in range(len(dues)) if dues[i][1] <= at)
    while n > 0 and dues[n][0] > active and not word(dues[n - 1][0], at + TICK):
        missed, n = missed + 1, n - 1
    return {
        "last": state(last) if dues[last][0] > active else None,
        "next": state(last + 1),
        "missed": missed,
        "active": active,
    }


def _dues(policy: Json, active: datetime, at: datetime) -> list[tuple[datetime, datetime]]:
    """The ends of due dates and of their grace, from well before it was active to well after the moment."""
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
            found.append((ends, day_start(day + timedelta(1 + policy["grace_days"]), zone)))
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
