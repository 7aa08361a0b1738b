"""What all routes declare alike: the clocks, the refusals, the types of their answers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import Query
from goal_ledger_contracts.ids import ID
from goal_ledger_edge.openapi import INSTANT_PATTERN, POSITION_PATTERN, PROBLEM
from goal_ledger_edge.parameters import need_known_parameters
from goal_ledger_edge.positions import HEADER, MAX_WAIT_MS
from goal_ledger_edge.problems import MEDIA_TYPE, Problem
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.requests import Request

SEQ_MAX = 10**18
LIMIT_ITEMS_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX, description="How many items at most")]
CURSOR_MAX_CHARACTERS = 400
After = Annotated[
    str | None,
    Query(
        description="The `next_cursor` of the page before; the clocks are those of the first page",
        json_schema_extra={"pattern": f"^[A-Za-z0-9_-]{{1,{CURSOR_MAX_CHARACTERS}}}$"},
    ),
]

_INSTANT = {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}
_POSITION = {"type": "string", "pattern": POSITION_PATTERN}
_TOKEN = {
    "type": "string",
    "pattern": r"^[1-9][0-9]{0,9}-(0|[1-9][0-9]{0,17})_[0-9]{8}T[0-9]{12}Z_[0-9A-Za-z.-]{1,40}$",
}
_CLOCKS: tuple[tuple[str, str, Mapping[str, Any], str], ...] = (
    ("as_of", "query", _INSTANT, "True at that time; without it, now (rounded down to 10 s)"),
    (
        "known_at",
        "query",
        {"anyOf": [_INSTANT, _POSITION]},
        "As the record stood: an instant at least 10 s back, or a position",
    ),
    ("token", "query", _TOKEN, "That of an answer: gives the same bytes again"),
    (
        "wait_ms",
        "query",
        {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_MS},
        "How long to wait for the position (default: the maximum; 0: not at all)",
    ),
    (HEADER, "header", _POSITION, "The answer must include this position: 1-151"),
    ("If-None-Match", "header", {"type": "string"}, "An ETag: 304 if the answer is still the same"),
)
CLOCK_PARAMETERS = frozenset(name for name, where, _, _ in _CLOCKS if where == "query")

_REFUSALS = {
    400: "malformed_request, bad_position, bad_wait",
    401: "unauthenticated",
    403: "not_allowed, identity_not_linked",
    404: "not_found: unknown here at these clocks, or in another workspace",
    410: "position_lost: of an epoch that is over, beyond what was kept",
    422: "invalid, bad_instant, bad_token, bad_cursor, known_at_too_recent, position_unknown, unknown_parameter, parameter_repeated",
    500: "internal_error",
    503: "not_yet, rebuilding, read_side_unavailable, took_too_long; with Retry-After",
}


def declared(model: type[BaseModel], *, finds_one: bool = False) -> dict[str, Any]:
    """The keyword arguments of a route that answers `model`."""
    answers: dict[int | str, dict[str, Any]] = {
        200: {
            "model": model,
            "headers": {
                name: {"schema": {"type": "string"}} for name in ("ETag", HEADER, "X-Correlation-Id")
            },
        },
        304: {"description": "The asker has this answer already"},
    }
    for status, codes in _REFUSALS.items():
        if status != 404 or finds_one:
            answers[status] = {
                "description": codes,
                "content": {MEDIA_TYPE: PROBLEM},
            }
    clocks = [
        {"name": name, "in": where, "required": False, "schema": dict(schema), "description": what}
        for name, where, schema, what in _CLOCKS
    ]
    return {"responses": answers, "response_model": None, "openapi_extra": {"parameters": clocks}}


def must_be_known(request: Request) -> None:
    """Problem 404 for an id that nothing can have, 422 for a parameter that the route does not have."""
    for id in request.path_params.values():
        if not ID.fullmatch(id):
            raise Problem(404, "not_found", "There is nothing of that id: ids are 1–64 of A–Z a–z 0–9 . _ -.")
    need_known_parameters(request, CLOCK_PARAMETERS)


def question_of(request: Request, *leave_out: str) -> str:
    """The question without its clocks: path and parameters, in one order."""
    left = {*CLOCK_PARAMETERS, *leave_out}
    pairs = sorted((k, v) for k, v in request.query_params.multi_items() if k not in left)
    return f"{request.url.path}?{json.dumps(pairs)}"


class Cursor(NamedTuple):
    """What a cursor holds. `after`: where its page begins; `question`, `clocks`: digests of what the first page asked."""

    token: str
    after: Any
    question: str
    clocks: str | None

    @staticmethod
    def parse(text: str) -> Cursor:
        """Problem 422 `bad_cursor`."""
        try:
            if len(text) > CURSOR_MAX_CHARACTERS:
                raise ValueError
            found = Cursor(*json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
            if not isinstance(found.token, str):
                raise ValueError
            return found
        except (ValueError, TypeError, binascii.Error):
            raise _bad_cursor("The cursor is not one of this question's.") from None


def cursor(request: Request, token: str, after: Any) -> str:
    """Where the next page begins: it belongs to the question, and to the clocks of the first page."""
    before = request.query_params.get("cursor")
    clocks = clocks_stated(request.query_params) if before is None else Cursor.parse(before).clocks
    raw = json.dumps(Cursor(token, after, _digest(question_of(request, "cursor", "limit")), clocks))
    return base64.urlsafe_b64encode(raw.replace(" ", "").encode()).decode().rstrip("=")


def read_cursor(request: Request, text: str | None, token: str) -> int:
    """The number that :func:`cursor` was given; 0 without one. Problem 422 `bad_cursor`."""
    after = 0 if text is None else _after(request, text, token)
    if type(after) is not int or not 0 <= after <= SEQ_MAX:
        raise _bad_cursor("The cursor is not one of this question's.")
    return after


def read_pair(request: Request, text: str | None, token: str) -> tuple[int, int] | None:
    """The two numbers that :func:`cursor` was given; None without one. Problem 422 `bad_cursor`."""
    after = None if text is None else _after(request, text, token)
    match after:
        case None:
            return None
        case [int(first), int(second)] if max(abs(first), abs(second)) <= SEQ_MAX:
            return first, second
    raise _bad_cursor("The cursor is not one of this question's.")


def _after(request: Request, text: str, token: str) -> Any:
    found = Cursor.parse(text)
    if found.question != _digest(question_of(request, "cursor", "limit")):
        raise _bad_cursor("The cursor is not one of this question's.")
    if found.token != token:
        raise _bad_cursor("The cursor and the token have other clocks.")
    return found.after


def clocks_stated(query: QueryParams) -> str | None:
    """A digest of the clocks as they are written; None without them."""
    stated = [query.get(name) for name in ("as_of", "known_at")]
    return None if stated == [None, None] else _digest(json.dumps(stated))


def _bad_cursor(sentence: str) -> Problem:
    return Problem(422, "bad_cursor", sentence, field="cursor")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
