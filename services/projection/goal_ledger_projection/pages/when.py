"""Both clocks of a page, as its address states them, and what they are in a question (SPEC 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from starlette.datastructures import QueryParams

CLOCKS = ("as_of", "known_at", "token")


@dataclass(frozen=True, slots=True)
class When:
    """The clocks as written: a local date, or what the API takes; empty: now. A token stands alone."""

    as_of: str = ""
    known_at: str = ""
    token: str = ""

    @staticmethod
    def of(query: QueryParams) -> When:
        """The clocks of an address."""
        stated = {name: query.get(name, "").strip() for name in CLOCKS}
        if stated["token"]:
            return When(token=stated["token"])
        return When(stated["as_of"], stated["known_at"])

    @property
    def is_now(self) -> bool:
        return not (self.as_of or self.known_at or self.token)

    def stated(self) -> dict[str, str]:
        """For the addresses of other pages at the same clocks."""
        found = {"as_of": self.as_of, "known_at": self.known_at, "token": self.token}
        return {name: value for name, value in found.items() if value}

    def asked(self, zone: tzinfo) -> dict[str, str]:
        """For a question: a date is the end of that local day."""
        return {
            name: _end_of_day(value, zone) if name != "token" else value
            for name, value in self.stated().items()
        }


def _end_of_day(text: str, zone: tzinfo) -> str:
    """The last microsecond of a local date; anything else as it is written: the API says whether it can be."""
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-01-01") else None
    except ValueError:
        day = None
    if day is None or day == date.max:
        return text
    after = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
    return (after.astimezone(UTC) - timedelta(microseconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
