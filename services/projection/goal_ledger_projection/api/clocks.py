"""The two clocks of a question, and the token that makes an answer reproducible (SPEC 7).

`as_of`: true at that time. `known_at`: as the record stood at that time or position. A token holds both, resolved, and
the version of the calculation: the same token with the same question gives the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import NamedTuple

from goal_ledger_contracts.canonical import instant_text, parse_instant
from goal_ledger_contracts.position import Position
from goal_ledger_edge.positions import MAX_WAIT_MS, asked_position, asked_wait_ms
from goal_ledger_edge.problems import Problem
from goal_ledger_scoring import CALCULATION as FORMULAS
from starlette.datastructures import QueryParams
from starlette.requests import Request

from goal_ledger_projection.api.calendar_times import CalendarTime, calendar_time
from goal_ledger_projection.api.routes import Cursor, clocks_stated

CALCULATION = f"{FORMULAS}-tzdata-{version('tzdata')}"
"""The calculation version: the formulas, and the time zone rules that local dates are read with."""

_BY_CALENDAR = (
    ", nor a local day (2026-03-31), a distance back (-P1W) or an edge of a cycle (q3.start, q3.end)"
)
BY_THE_CALENDAR = frozenset(["as_of", "known_at", "from_as_of", "from_known_at", "dates"])
"""What may be written so too, for the refusal's sentence."""
_TOKEN = re.compile(r"([0-9]+-[0-9]+)_([0-9]{8}T[0-9]{12}Z)_([0-9A-Za-z.-]{1,40})")
_COMPACT = "%Y%m%dT%H%M%S%fZ"


class Token(NamedTuple):
    position: Position
    as_of: datetime
    calculation: str

    def __str__(self) -> str:
        return f"{self.position}_{self.as_of.strftime(_COMPACT)}_{self.calculation}"

    @staticmethod
    def parse(text: str, field: str = "token") -> Token:
        """Problem 422 `bad_token`."""
        found = _TOKEN.fullmatch(text)
        try:
            if not found:
                raise ValueError
            as_of = datetime.strptime(found[2], _COMPACT).replace(tzinfo=UTC)
            return Token(Position.parse(found[1]), as_of, found[3])
        except ValueError:
            raise Problem(422, "bad_token", "The token is not one of our answers'.", field=field) from None


@dataclass(frozen=True, slots=True)
class StatedClocks:
    """The clocks as a request states them."""

    as_of: datetime | CalendarTime | None = None
    known_at: datetime | CalendarTime | Position | None = None
    token: Token | None = None
    include: Position | None = None
    """The position that the answer must include."""
    wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks resolved: facts up to `known`, true at `as_of`. `newest`: what the read side has, its last fact
    recorded at `newest_at`; `parked`: why it stands still."""

    known: Position
    as_of: datetime
    newest: Position
    asked_calculation: str | None = None
    newest_at: datetime | None = None
    parked: str | None = None

    @property
    def token(self) -> Token:
        return Token(self.known, self.as_of, CALCULATION)

    @property
    def seq(self) -> int:
        return self.known.seq


def asked(request: Request) -> StatedClocks:
    """The clocks of a request's query string and headers. Problems 400, 422."""
    query = request.query_params
    include, wait_ms = asked_position(request.headers), asked_wait_ms(query, MAX_WAIT_MS)
    token = _token(query)
    if token is not None:
        return StatedClocks(token=token, include=include, wait_ms=wait_ms)
    as_of, known_at = query.get("as_of"), query.get("known_at")
    return StatedClocks(
        None if as_of is None else calendar_time(as_of) or instant(as_of, "as_of"),
        None if known_at is None else calendar_time(known_at) or known_at_of(known_at),
        None,
        include,
        wait_ms,
    )


def _token(query: QueryParams) -> Token | None:
    """The token stated, or that of the cursor: a page is asked at the clocks of the first. Problem 422."""
    if (stated := query.get("token")) is not None:
        if "as_of" in query or "known_at" in query:
            raise Problem(422, "invalid", "A token stands alone, without as_of and known_at.", field="token")
        return Token.parse(stated)
    if (text := query.get("cursor")) is None:
        return None
    cursor = Cursor.parse(text)
    token = Token.parse(cursor.token)
    if clocks_stated(query) not in (None, cursor.clocks) and not _are_those_of(query, token):
        sentence = (
            "The cursor has other clocks: leave out as_of and known_at, or give those of its first page."
        )
        raise Problem(422, "bad_cursor", sentence, field="cursor")
    return token


def _are_those_of(query: QueryParams, token: Token) -> bool:
    """Whether the clocks, written otherwise than on the first page, say what they came to there."""
    as_of, known_at = query.get("as_of"), query.get("known_at")
    if any(one is not None and calendar_time(one) is not None for one in (as_of, known_at)):
        return False
    return (as_of is None or instant(as_of, "as_of") == token.as_of) and (
        known_at is None or known_at_of(known_at) == token.position
    )


def instant(text: str, field: str) -> datetime:
    """An RFC 3339 instant. Problem 422 `bad_instant`. (A plus sign that a form decoded to a space is taken as one.)"""
    try:
        at = parse_instant(text.replace(" ", "+"))
        if not 1900 <= at.year <= 2999:
            raise ValueError
        return at
    except ValueError:
        raise Problem(
            422,
            "bad_instant",
            f"{field} is not an RFC 3339 instant with an offset{_BY_CALENDAR if field in BY_THE_CALENDAR else ''}.",
            field=field,
        ) from None


def known_at_of(text: str, field: str = "known_at") -> datetime | Position:
    """An instant or a position. Problem 422 `bad_instant`."""
    if "T" in text:
        return instant(text, field)
    try:
        return Position.parse(text)
    except ValueError:
        sentence = (
            f"{field} is not an RFC 3339 instant with an offset, nor a position such as 1-151{_BY_CALENDAR}."
        )
        raise Problem(422, "bad_instant", sentence, field=field) from None


def present(now: datetime, granularity_s: int, last_recorded_at: datetime | None) -> datetime:
    """What "now" is resolved to: see `QuerySettings.now_granularity_s`."""
    floor = datetime.fromtimestamp(int(now.timestamp()) // granularity_s * granularity_s, UTC)
    return floor if last_recorded_at is None else max(floor, last_recorded_at)


def must_be_old_enough(known_at: datetime, now: datetime, age_s: int) -> None:
    """Problem 422 `known_at_too_recent`: facts of that time may still be under way."""
    if known_at > now - timedelta(seconds=age_s):
        raise Problem(
            422,
            "known_at_too_recent",
            f"A known_at given as a time lies at least {age_s} seconds back; give a position for a later one.",
            field="known_at",
            now=instant_text(now),
        )
