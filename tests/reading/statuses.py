"""SPEC 5 "Status" and SPEC 6: expected scores, due dates, and what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from reading.definitions import Span, day_start, feed_definitions, parts
from reading.log import Json, Log, rounded
from reading.values import check_ins, later, readings, window

WORST_FIRST = ("outdated", "at_risk", "behind", "pending", "not_measured", "on_track")


def expected(span: Span | None, at: datetime) -> Fraction | None:
    """(d - start) / (end - start), clamped."""
    if span is None or span[0] is None or span[1] is None or span[0] >= span[1]:
        return None
    microsecond = timedelta(microseconds=1)
    exact = Fraction((at - span[0]) // microsecond, (span[1] - span[0]) // microsecond)
    return rounded(min(max(exact, Fraction(0)), Fraction(1)))


def expected_span(
    log: Log, one: Json, cycle: Span | None, zone: str, at: datetime, known: int
) -> Span | None:
    """From the first start to the last end of its windows if every part has one, else the cycle."""
    measures = parts(one["measure"]).values()
    if not measures or any("window" not in measure for measure in measures):
        return cycle
    spans = [window(log, measure, zone, at, known) for measure in measures]
    starts = [span[0] for span in spans if not isinstance(span, str) and span[0] is not None]
    ends = [span[1] for span in spans if not isinstance(span, str) and span[1] is not None]
    return (min(starts), max(ends)) if len(starts) == len(ends) == len(spans) else None


def gap(expected: Fraction | None, score: Fraction | None) -> Fraction | None:
    return None if expected is None or score is None else (expected - score) * 100


def computed(
    expected: Fraction | None, score: Fraction | None, rules: Json, at_most_behind: bool
) -> str | None:
    if score is None:
        return "not_measured"
    behind = gap(expected, score)
    if behind is None:
        return None
    if behind <= Fraction(rules["on_track_points"]):
        return "on_track"
    return "behind" if at_most_behind or behind <= Fraction(rules["behind_points"]) else "at_risk"


def due_dates(rules: Json, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The instants at which due dates, and their grace, end: the latest first, from after ``at`` on."""
    zone = rules["time_zone"]
    day = at.astimezone(ZoneInfo(zone)).date() + timedelta(weeks=rules["cadence_weeks"] + 1)
    for _ in range(200):
        week = (day.toordinal() - 1) // 7
        if day.isoweekday() == rules["anchor_weekday"] and week % rules["cadence_weeks"] == 0:
            grace = day + timedelta(1 + rules["grace_days"])
            yield day_start(day + timedelta(1), zone), day_start(grace, zone)
        day -= timedelta(1)


class Rhythm:
    """What is owed at ``at``."""

    def __init__(self, rules: Json, at: datetime) -> None:
        dues = list(due_dates(rules, at))
        self.last_due = next(ends for ends, _ in dues if ends <= at)
        owed = next(i for i, (_, grace) in enumerate(dues) if grace <= at)
        self.owed, self.owed_since = dues[owed][0], dues[owed + 1][0]

    def is_outdated(self, said: list[Json], active_since: datetime | None) -> bool:
        """A due date of the active goal plus grace has passed without a check-in since the due date before."""
        owes = active_since is not None and active_since < self.owed
        return owes and not any(one["effective_at"] >= self.owed_since for one in said)

    def stated(self, said: list[Json]) -> str | None:
        """Since the last due date; ``said``: the newest first."""
        since = [one for one in said if "status" in one["data"] and one["effective_at"] >= self.last_due]
        return since[0]["data"]["status"] if since else None


def said_on(log: Log, objective: str, key_result: str | None, at: datetime, known: int) -> list[Json]:
    """The check-ins in force on a key result, or on the objective; the newest first."""
    return [
        one
        for one in check_ins(log, at, known)
        if one["stream"] == f"objective/{objective}" and one["data"].get("key_result") == key_result
    ]


def is_fed_and_fresh(log: Log, one: Json, rules: Json, at: datetime, known: int) -> bool:
    """Each of its feeds has an accepted reading within its interval (none set: within the cadence)."""
    return bool(one["bindings"]) and all(
        _is_fresh(log, binding["feed"], rules, at, known) for binding in one["bindings"].values()
    )


def _is_fresh(log: Log, feed: str, rules: Json, at: datetime, known: int) -> bool:
    there = readings(log, feed, at, known)
    interval = feed_definitions(log, feed, at, known)[-1].get("interval", f"P{rules['cadence_weeks']}W")
    return bool(there) and later(there[-1]["time"], interval, rules["time_zone"]) >= at


def shown(outdated: bool, fresh: bool, stated: str | None, computed: str | None) -> str:
    """Of a key result: the first that holds."""
    if outdated and not fresh:
        return "outdated"
    if stated is not None:
        return stated
    return computed if fresh and computed is not None else "pending"


def worst(statuses: list[str]) -> str:
    return min(statuses, key=WORST_FIRST.index)
