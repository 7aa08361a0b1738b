"""What the web shop emits, day by day: a pure function of the start day, so that the proof can count it again.

Visitors are a counter with a reading before the launch; sales an event count. Some readings are sent twice, some a day
late, and one message is no reading at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from goal_ledger_client import Reading

from goal_ledger_demo.organisation import LAUNCH_DAY, SALES, TODAY, VISITORS, instant

DAYS = TODAY
SOURCE = "https://webshop.nordlys.example"
BEFORE_LAUNCH = 140
POISON = b'{"specversion":"1.0","type":"goal-ledger.reading.v1","value":NaN'


@dataclass(frozen=True, slots=True)
class Day:
    """What is sent on one day, in order, repeats included; ``poison``: an unreadable message goes along."""

    number: int
    sent: tuple[Reading, ...]
    poison: bool


def visitors_until(day: int) -> int:
    """The counter at the end of a day."""
    return BEFORE_LAUNCH + sum(38 + 5 * (d % 7) for d in range(LAUNCH_DAY, day + 1))


def sales_on(day: int) -> int:
    return 0 if day < LAUNCH_DAY else (1 if day % 2 else 0) + (1 if day % 9 == 8 else 0)


def _readings(start: date, day: int) -> list[Reading]:
    def at(hour: int) -> datetime:
        return datetime.fromisoformat(instant(start, day, hour))

    found = [
        Reading(
            SOURCE,
            f"visitors-{day}",
            VISITORS,
            at(20),
            str(visitors_until(day)),
            "visitors",
            "absolute",
            str(day),
        )
    ]
    found += [
        Reading(SOURCE, f"sale-{day}-{n}", SALES, at(11 + n), "1", "sales", "increment")
        for n in range(sales_on(day))
    ]
    return found


def days(start: date, until: datetime) -> Iterator[Day]:
    """The days in the order of sending; a reading whose time is after ``until`` is left out."""
    late: list[Reading] = []
    for day in range(LAUNCH_DAY - 2, DAYS + 1):
        own = [reading for reading in _readings(start, day) if reading.time <= until]
        sent = late + ([] if day % 6 == 1 and day < DAYS else own)
        late = own if day % 6 == 1 and day < DAYS else []
        repeated = sent + (sent[-1:] if day % 3 == 0 else [])
        yield Day(day, tuple(repeated), poison=day == 7)


def visitors_since_launch(start: date, until: datetime) -> Decimal:
    """What the counter went up by within the window: last inside it minus last before it."""
    seen = [r for day in days(start, until) for r in day.sent if r.feed == VISITORS]
    last = max(seen, key=lambda reading: reading.time)
    return Decimal(last.value) - BEFORE_LAUNCH


def sales_since_launch(start: date, until: datetime) -> Decimal:
    return sum(
        (Decimal(1) for _ in {r.id for day in days(start, until) for r in day.sent if r.feed == SALES}),
        Decimal(0),
    )
