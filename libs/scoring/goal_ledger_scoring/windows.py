"""When values count: fixed windows, windows that open with a moment, and the local calendar (SPEC 3 "Time", SPEC 5).

A cycle's local dates become instants [start 00:00, day after the end 00:00). A duration such as ``P1M`` is added on the
workspace's local calendar: years and months first (the day held within the month), then weeks and days, all in wall
time, then hours, minutes and seconds as elapsed time. A wall time that a clock change skips is read with the offset
before the change; one that comes twice means the first.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from goal_ledger_contracts.measures import Window
from goal_ledger_contracts.zones import zone

_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)


@dataclass(frozen=True, slots=True)
class Duration:
    months: int
    days: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, end)``; None: open on that side. ``waiting_for``: not open yet, this moment has not come."""

    start: datetime | None = None
    end: datetime | None = None
    waiting_for: str | None = None

    def holds(self, at: datetime) -> bool:
        """Whether ``at`` lies in it."""
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)


ALWAYS = Span()


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> Duration:
    """An ISO 8601 duration of whole numbers (``P1M``, ``P2W``, ``P1DT12H``). Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"not an ISO 8601 duration: {text[:40]!r}")
    years, months, weeks, days, hours, minutes, seconds = (int(n) if n else 0 for n in found.groups())
    return Duration(years * 12 + months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)


def plus(at: datetime, duration: str, time_zone: str) -> datetime:
    """``at`` plus the ISO duration, added on the local calendar of ``time_zone``; in UTC."""
    return _moved(at, parse_duration(duration), time_zone)


def minus(at: datetime, duration: str, time_zone: str) -> datetime:
    """``at`` less the ISO duration, on the local calendar of ``time_zone``; in UTC. Raises ValueError or OverflowError
    before year 1."""
    back = parse_duration(duration)
    return _moved(at, Duration(-back.months, -back.days, -back.seconds), time_zone)


def _moved(at: datetime, by: Duration, time_zone: str) -> datetime:
    where = zone(time_zone)
    local = at.astimezone(where).replace(tzinfo=None)
    moved = datetime.combine(_plus_months(local.date(), by.months), local.time()) + timedelta(by.days)
    return moved.replace(tzinfo=where).astimezone(UTC) + timedelta(seconds=by.seconds)


def times_from(first: datetime, every: str, last: datetime, time_zone: str, most: int) -> list[datetime]:
    """``first``, and it plus once, twice … the ISO duration, up to ``last`` and at most so many. Each is counted from the
    first, so that a series from the 31st does not drift. Raises ValueError for no duration, and for one of nothing."""
    one = parse_duration(every)
    if one == Duration(0, 0, 0):
        raise ValueError("no time passes")
    found: list[datetime] = []
    while len(found) < most:
        n = len(found)
        at = plus(first, f"P{one.months * n}M{one.days * n}DT{one.seconds * n}S", time_zone)
        if at > last:
            break
        found.append(at)
    return found


def _plus_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=4096)
def day_start(day: date, time_zone: str) -> datetime:
    """00:00 of the local day, in UTC."""
    return datetime.combine(day, time(), zone(time_zone)).astimezone(UTC)


def day_end(day: date, time_zone: str) -> datetime:
    """The instant at which the local day is over: 00:00 of the next."""
    return day_start(day + timedelta(1), time_zone)


def cycle_span(start: date, end: date, time_zone: str) -> Span:
    """A cycle's local dates, end inclusive, as instants."""
    return Span(day_start(start, time_zone), day_end(end, time_zone))


def resolve(window: Window | None, moments: Mapping[str, datetime], time_zone: str, at: datetime) -> Span:
    """The window as instants, as seen at ``at``: a moment still to come, or unknown, is waited for."""
    if window is None:
        return ALWAYS
    if window.moment is None:
        return Span(window.start, window.end)
    opened = moments.get(window.moment)
    if opened is None or opened > at:
        return Span(waiting_for=window.moment)
    return Span(opened, None if window.duration is None else plus(opened, window.duration, time_zone))
