"""What all questions have in common: the clocks, the refusals, pages and their cursors."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

from fastapi import Query
from goal_ledger_contracts.ids import ID
from goal_ledger_edge.openapi import INSTANT_PATTERN, POSITION_PATTERN
from goal_ledger_edge.positions import HEADER, MAX_WAIT_MS
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers, Declaration, DeclaredRoute, Gives, Refuses
from starlette.datastructures import QueryParams
from starlette.requests import Request

Model = TypeVar("Model")

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

Found = Annotated[Answers[Model], Refuses(404)]
"""An answer about one thing, or that there is none."""


def _optional(where: str, schema: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {"in": where, "required": False, "schema": schema, "description": what}


INSTANT = {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}
POSITION = {"type": "string", "pattern": POSITION_PATTERN}
BY_CALENDAR = (
    {"type": "string", "format": "date"},
    {"type": "string", "pattern": "^-P[1-9][0-9]?[YMWD]$", "examples": ["-P1W"]},
)
ALSO_BY_CALENDAR = "Also a local day (its end), a distance back (-P1W), an edge of a cycle (q3.start, q3.end)"
_TOKEN = {
    "type": "string",
    "pattern": r"^[1-9][0-9]{0,9}-(0|[1-9][0-9]{0,17})_[0-9]{8}T[0-9]{12}Z_[0-9A-Za-z.-]{1,40}$",
}


class QuestionRoute(DeclaredRoute):
    """A question's route: it takes the clocks beside what its function takes, and its ids are such that a thing can have."""

    refusals: ClassVar = {
        400: "malformed_request, bad_position, bad_wait",
        401: "unauthenticated",
        403: "not_allowed, identity_not_linked",
        404: "not_found: unknown here at these clocks, or in another workspace",
        413: "body_too_large",
        415: "media_type_not_supported",
        410: "position_lost: of an epoch that is over, beyond what was kept",
        422: "invalid, bad_instant, bad_token, bad_cursor, bad_date, bad_period, too_many_periods, known_at_too_recent, position_unknown, unknown_parameter, parameter_repeated",
        500: "internal_error",
        503: "not_yet, rebuilding, read_side_unavailable, took_too_long; with Retry-After",
    }
    always: ClassVar = frozenset(refusals) - {404, 413, 415}
    parameters: ClassVar = {
        "as_of": _optional(
            "query",
            {"anyOf": [INSTANT, *BY_CALENDAR]},
            f"True at that time; without it, now (rounded down to 10 s). {ALSO_BY_CALENDAR}",
        ),
        "known_at": _optional(
            "query",
            {"anyOf": [INSTANT, POSITION, *BY_CALENDAR]},
            f"As the record stood: an instant at least 10 s back, or a position. {ALSO_BY_CALENDAR}",
        ),
        "token": _optional("query", _TOKEN, "That of an answer: gives the same bytes again"),
        "wait_ms": _optional(
            "query",
            {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_MS},
            "How long to wait for the position (default: the maximum; 0: not at all)",
        ),
        HEADER: _optional("header", POSITION, "The answer must include this position: 1-151"),
        "If-None-Match": _optional(
            "header", {"type": "string"}, "An ETag: 304 if the answer is still the same"
        ),
    }
    headers: ClassVar = {
        name: {"schema": {"type": "string"}} for name in ("ETag", HEADER, "X-Correlation-Id")
    }
    besides: ClassVar[tuple[Gives, ...]] = (Gives("The asker has this answer already", status=304),)

    def declaration(self, endpoint: Callable[..., Any]) -> Declaration:
        """Every good answer has the same headers, and may be one that the asker has already."""
        said = super().declaration(endpoint)
        good = [replace(one, headers=self.headers) for one in said.gives]
        return replace(said, gives=(*good, *self.besides))

    def need_known(self, request: Request) -> None:
        """Problem 404 for an id that nothing can have, 422 for a parameter that the route does not have."""
        for id in request.path_params.values():
            if not ID.fullmatch(id):
                sentence = "There is nothing of that id: ids are 1–64 of A–Z a–z 0–9 . _ -."
                raise Problem(404, "not_found", sentence)
        super().need_known(request)


CLOCK_PARAMETERS = frozenset(name for name, one in QuestionRoute.parameters.items() if one["in"] == "query")


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
