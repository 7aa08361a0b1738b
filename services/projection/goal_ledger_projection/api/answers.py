"""The form of every answer: what it was asked at, a token that reproduces it, and an ETag that caches use.

The body depends only on the facts up to its position, the resolved `as_of`, the question and the calculation version.
How far behind the read side is, and what is parked, goes into headers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from goal_ledger_contracts.canonical import decimal_text, instant_text
from goal_ledger_edge.positions import HEADER
from goal_ledger_edge.routing import Answers
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from goal_ledger_projection.api.clocks import CALCULATION, Clocks

Number = str | None
"""A decimal."""
Instant = str | None
"""RFC 3339 in UTC with microseconds."""

NEWEST_HEADER = "Goal-Ledger-Recorded-At"
"""When the last fact that the read side has was recorded."""
PARKED_HEADER = "Goal-Ledger-Parked"
"""Why the workspace stands still here, if it does."""

_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False
).encode


class AnswerAtClocks(BaseModel):
    """What every answer begins with."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(description="Ask the same question with token=… to get the same bytes again")
    position: str = Field(
        description="The facts up to here are in the answer: <epoch>-<seq>", examples=["1-151"]
    )
    as_of: str = Field(description="The instant for which this is true")
    calculation: str = Field(description="Version of the formulas and of the time zone rules")
    asked_calculation: str | None = Field(
        default=None, description="That of the token, where it was another: then bytes may differ"
    )


class Shape(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Listed(AnswerAtClocks):
    """What every list begins with."""

    total: int = Field(description="How many there are on all pages")
    next_cursor: str | None = Field(description="The next page: `cursor=…`; null: this is the last")


def heading(clocks: Clocks) -> dict[str, Any]:
    """The members of :class:`AnswerAtClocks`."""
    body = {
        "token": str(clocks.token),
        "position": str(clocks.known),
        "as_of": instant_text(clocks.as_of),
        "calculation": CALCULATION,
    }
    if clocks.asked_calculation is not None:
        body["asked_calculation"] = clocks.asked_calculation
    return body


def text(body: Mapping[str, Any] | Sequence[Any]) -> str:
    """A body as JSON."""
    return _encode(body)


def encoded(body: Mapping[str, Any]) -> bytes:
    """The bytes of a body."""
    return _encode(body).encode()


def etag(raw: bytes) -> str:
    """The ETag of a body: of its bytes, so that equal answers are equal."""
    return f'"{hashlib.blake2b(raw, digest_size=16).hexdigest()}"'


def respond(
    request: Request,
    clocks: Clocks,
    raw: bytes,
    media_type: str = "application/json",
    known_etag: str | None = None,
) -> Answers[Any]:
    """The answer, or 304 if the asker has it already."""
    headers = {HEADER: str(clocks.newest), "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if clocks.newest_at is not None:
        headers[NEWEST_HEADER] = instant_text(clocks.newest_at)
    if clocks.parked is not None:
        headers[PARKED_HEADER] = clocks.parked.encode("ascii", "replace").decode()[:200]
    tag = headers["ETag"] = known_etag or etag(raw)
    if matches(request.headers.get("if-none-match"), tag):
        return Answers(status_code=304, headers=headers)
    return Answers(raw, media_type=media_type, headers=headers)


def answered(request: Request, clocks: Clocks, body: Mapping[str, Any]) -> Answers[Any]:
    """The answer of a question that answers in JSON at clocks, with what every such answer begins with."""
    return respond(request, clocks, encoded({**heading(clocks), **body}))


def matches(stated: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names the ETag."""
    if stated is None:
        return False
    return stated.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in stated.split(",")}


_decimal_text = lru_cache(maxsize=20_000)(decimal_text)


def number(value: Decimal | None) -> str | None:
    """A decimal as it is written in answers."""
    return None if value is None else _decimal_text(value)


def quoted(word: str | None) -> str:
    """A word that needs no escaping (a number, an instant, a code) as JSON."""
    return "null" if word is None else f'"{word}"'


def quote(words: str) -> str:
    """Any text as JSON."""
    return encode_basestring(words)


def time(at: datetime | None) -> str | None:
    """An instant as it is written in answers."""
    return None if at is None else instant_text(at)
