"""Times as rows state them: an instant, or a bare day, which is any time of that local day.

A day is kept as its beginning, and remembers its end: whatever takes effect on it does so as early as the record allows
(:func:`within_day`). Which day that is, is decided by the workspace's time zone, or the one that the import gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Self

from goal_ledger_contracts import zones
from goal_ledger_contracts.canonical import parse_instant
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

ZONE: ContextVar[str] = ContextVar("the time zone that the days of an import are of", default="UTC")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_LOCAL = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})\b.*", re.DOTALL)
_WITHOUT_OFFSET = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9]{2}:[0-9]{2}.*", re.DOTALL)
FORMS = "a day such as 2026-11-23, or RFC 3339 with an offset such as 2026-11-23T10:00:00+01:00"


class Day(datetime):
    """The beginning of a local day, standing for any time of it before ``ends``."""

    ends: datetime
    zone: str

    @classmethod
    def of(cls, day: date, zone: str) -> Self:
        """Raises ValueError or OverflowError for a day that the calendar does not reach."""
        begins, ends = (_begins(one, zone) for one in (day, day + timedelta(days=1)))
        made = cls.fromtimestamp(begins.timestamp(), UTC)
        made.ends, made.zone = ends, zone
        return made

    def since(self, at: datetime | None) -> datetime:
        """The same day, of which only ``at`` and what follows is meant (None: all of it)."""
        if at is None or not self < at < self.ends:
            return self
        later = type(self).fromtimestamp(at.timestamp(), UTC)
        later.ends, later.zone = self.ends, self.zone
        return later

    def __reduce__(self) -> Any:
        return Day.of, (self.astimezone(zones.zone(self.zone)).date(), self.zone)

    def __reduce_ex__(self, _: Any) -> Any:
        return self.__reduce__()


def _begins(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), zones.zone(zone)).astimezone(UTC)


def plain(at: datetime) -> datetime:
    """The instant; of a day, its beginning."""
    return datetime.combine(at.date(), at.timetz()) if isinstance(at, Day) else at


def within_day(stated: datetime, last: datetime | None) -> datetime:
    """The stated time; of a day, the earliest of its times that is not before ``last``, if there is one."""
    if isinstance(stated, Day) and last is not None and stated < last < stated.ends:
        return last
    return stated


def _when(given: Any) -> datetime:
    if isinstance(given, datetime):
        return given
    if type(given) is str:
        try:
            if _INSTANT.fullmatch(given):
                return parse_instant(given)
            if _DAY.fullmatch(given):
                return Day.of(date.fromisoformat(given), ZONE.get())
        except (ValueError, OverflowError):
            pass
        raise PydanticCustomError("instant_malformed", f"{in_local_form(given)}A time is {FORMS}.")
    raise PydanticCustomError("instant_malformed", f"A time is {FORMS}.")


def in_local_form(given: str) -> str:
    """What a date in a local form, or without its offset, would be written as; empty if it is neither."""
    naive = _WITHOUT_OFFSET.fullmatch(given)
    if naive is not None:
        return f"This has no offset: {naive[1]} is the day. "
    found = _LOCAL.fullmatch(given.strip())
    if found is None or len(found[1]) == 3:
        return ""
    first, sign, second, last = found.groups()
    if len(first) == 4:
        return _written((int(first), int(second), int(last)))
    year = int(last) if len(last) == 4 else 2000 + int(last)
    day_first, month_first = (year, int(second), int(first)), (year, int(first), int(second))
    if sign != "/" or int(first) > 12:
        return _written(day_first)
    return _written(month_first) if int(second) > 12 else _written(day_first, month_first)


def _written(*days: tuple[int, int, int]) -> str:
    try:
        forms = list(dict.fromkeys(date(*day).isoformat() for day in days))
    except ValueError:
        return ""
    return f"This is a local form: write {' or '.join(forms)}. "


When = Annotated[
    datetime,
    PlainValidator(_when),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
            "description": "An instant with an offset, or a day: any time of it, the earliest that the record allows",
            "examples": ["2026-11-23T10:00:00Z", "2026-11-23"],
        }
    ),
]
"""An instant, or a :class:`Day`."""


def _local_date(given: Any) -> date:
    if type(given) is date:
        return given
    if type(given) is str and _DAY.fullmatch(given):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    told = in_local_form(given) if type(given) is str else ""
    raise PydanticCustomError("date_malformed", f"{told}A date is written YYYY-MM-DD.")


LocalDay = Annotated[
    date,
    PlainValidator(_local_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-10-01"]}),
]


def in_zone(zone: str, rows: Iterator[Any]) -> Iterator[Any]:
    """The rows, read with days of that time zone."""
    while True:
        before = ZONE.set(zone)
        try:
            row = next(rows)
        except StopIteration:
            return
        finally:
            ZONE.reset(before)
        yield row


def zone_of_document(document: Any) -> str | None:
    """The time zone that an import gives the workspace, if it is one."""
    row = document.get("workspace") if isinstance(document, dict) else None
    zone = row.get("time_zone") if isinstance(row, dict) else None
    return zone if isinstance(zone, str) and _is_zone(zone) else None


def zone_of_lines(lines: Iterable[bytes]) -> str | None:
    """The same, of JSON Lines."""
    for line in lines:
        if b'"workspace"' in line and b'"time_zone"' in line:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and row.get("section") == "workspace":
                return zone_of_document({"workspace": row})
    return None


def _is_zone(name: str) -> bool:
    return name in zones.names()
