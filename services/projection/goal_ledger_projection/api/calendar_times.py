"""Times written by the calendar (SPEC 7): a local day, a distance back from now, an edge of a cycle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from goal_ledger_edge.problems import Problem
from goal_ledger_scoring.windows import day_end, minus, parse_duration

from goal_ledger_projection.history.context import Context

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EDGE = re.compile(r"([A-Za-z0-9._-]{1,64})\.(start|end)")
TICK = timedelta(microseconds=1)
"""What ends at an instant was true until a microsecond before it."""


@dataclass(frozen=True, slots=True)
class LocalDay:
    """The end of that day."""

    day: date


@dataclass(frozen=True, slots=True)
class DistanceBack:
    """So long before now, on the local calendar."""

    duration: str


@dataclass(frozen=True, slots=True)
class CycleEdge:
    """The first instant of a cycle, or its last."""

    cycle: str
    is_end: bool


CalendarTime = LocalDay | DistanceBack | CycleEdge


def calendar_time(text: str) -> CalendarTime | None:
    """``2026-03-31``, ``-P1W``, ``q3.start``, ``q3.end``; None: it is none of these."""
    try:
        if _DAY.fullmatch(text):
            return LocalDay(date.fromisoformat(text))
        if text.startswith("-P"):
            parse_duration(text[1:])
            return DistanceBack(text[1:])
    except ValueError:
        return None
    edge = _EDGE.fullmatch(text)
    return None if edge is None else CycleEdge(edge[1], edge[2] == "end")


def resolved(said: CalendarTime, context: Context, seq: int, now: datetime, field: str) -> datetime:
    """What it comes to, in the workspace's time zone and by the dates that its cycles have now. Problem 422: out of
    reach, or no such cycle."""
    try:
        at = _at(said, context, seq, now, field)
        if not 1900 <= at.year <= 2999:
            raise ValueError
        return at
    except (ValueError, OverflowError):
        sentence = f"{field} is beyond the years 1900 to 2999."
        raise Problem(422, "bad_instant", sentence, field=field) from None


def _at(said: CalendarTime, context: Context, seq: int, now: datetime, field: str) -> datetime:
    time_zone = context.time_zone(seq, now)
    match said:
        case LocalDay(day):
            return day_end(day, time_zone) - TICK
        case DistanceBack(duration):
            return minus(now, duration, time_zone)
        case CycleEdge(cycle, is_end):
            return _edge(cycle, is_end, context, seq, time_zone, field)


def _edge(cycle: str, is_end: bool, context: Context, seq: int, time_zone: str, field: str) -> datetime:
    span = context.cycle_span(cycle, seq, None, time_zone)
    if span is None or span.start is None or span.end is None:
        known = sorted(context.ids("cycle", seq))
        sentence = f"There is no cycle {cycle}; there are {', '.join(known) or 'none'}."
        raise Problem(422, "choice_unknown", sentence, field=field, allowed=known)
    return span.end - TICK if is_end else span.start
