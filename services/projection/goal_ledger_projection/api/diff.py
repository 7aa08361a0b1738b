"""`GET /v1/diff`: what differs between a question's answers at two tokens."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from pydantic import Field
from starlette.requests import Request

from goal_ledger_projection.api.answers import AnswerAtClocks, Shape, answered
from goal_ledger_projection.api.clocks import CALCULATION, Clocks, StatedClocks, Token
from goal_ledger_projection.api.differences import differences
from goal_ledger_projection.api.earlier import Side, side
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.subquestions import OF_MAX_CHARACTERS, Json, Subquestion
from goal_ledger_projection.api.view import GoalsRequest, View, view_of

_ITEMS = {
    "objectives": "objective",
    "owed": "objective",
    "silent": "objective",
    "goalpost-moves": "objective",
    "amendments": "objective",
    "commitments": "objective",
    "restatements": "objective",
    "changes-since": "objective",
    "habits": "objective",
    "back-test": "objective",
    "key-results": "key-result",
    "check-ins": "check-in",
    "units": "unit",
    "people": "person",
    "cycles": "cycle",
    "moments": "moment",
    "feeds": "feed",
    "systems": "system",
}
"""By the last step of a list's address, what its items are."""


class DiffSide(Side):
    token: str = Field(description="Ask the question with token=… to get the body of this side")


class DiffChange(Shape):
    op: Literal["add", "remove", "replace", "move"]
    path: str = Field(description="Where in the body: a JSON pointer (RFC 6901)")
    start: str | None = Field(default=None, alias="from", description="Of a move: where it was")
    thing: str | None = Field(
        description="What it is about: objective/<id>, key-result/<id> …; null: the answer"
    )
    field: str | None = Field(
        description="Which member of it, items by what they are known by: parts/sales/value; null: the thing itself"
    )
    before: Any = Field(default=None, description="What was there (of replace and remove)")
    value: Any = Field(default=None, description="What is there now (of replace and add)")


class DiffAnswer(AnswerAtClocks):
    of: str
    start: DiffSide = Field(alias="from")
    to: DiffSide
    changes: list[DiffChange] = Field(
        description="A JSON patch (RFC 6902): applied in order to the first body it gives the second, whole"
    )


Of = Annotated[
    str,
    Query(
        max_length=OF_MAX_CHARACTERS,
        description="Path and query of a question that answers at tokens, without clocks: /v1/objectives/shop",
    ),
]
FromToken = Annotated[str, Query(alias="from", max_length=120, description="`token` of the earlier answer")]
ToToken = Annotated[
    str | None, Query(max_length=120, description="`token` of the later answer (default: the plain clocks)")
]

routes = APIRouter(tags=["alignment"], route_class=QuestionRoute)


@routes.get("/v1/diff", summary="What differs between two answers to a question")
async def diff(request: GoalsRequest, of: Of, start: FromToken, to: ToToken = None) -> Answers[DiffAnswer]:
    """Of any question that answers at tokens: the changes that make the second body of the first."""
    question = Subquestion(request, of)
    if question.clocks:
        sentence = "of has no clocks of its own: they are those of the two sides."
        raise Problem(422, "invalid", sentence, field="of")
    async with view_of(request) as view:
        sides = await _sides(view, request, start, to)
    before, after = [await _side(question, name, at) for name, at in zip(("from", "to"), sides, strict=True)]
    kind = _ITEMS.get(question.path.rpartition("/")[2])
    changes = await asyncio.to_thread(differences, before, after, kind)
    first, last = sides
    body = {"of": of, "from": side(first), "to": side(last), "changes": changes}
    return answered(request, last, body)


async def _sides(view: View, request: Request, start: str, to: str | None) -> tuple[Clocks, Clocks]:
    """Problems 422 `sides_reversed`, `calculation_differs`, `bad_token`."""
    last = view.clocks
    if to is not None:
        last = await view.clocks_at(StatedClocks(token=_token(to, "to")))
        stated = request.query_params.keys() & {"as_of", "known_at", "token"}
        if stated and str(view.clocks.token) != to:
            raise Problem(422, "invalid", "to stands alone, without other clocks.", field="to")
    first = await view.clocks_at(StatedClocks(token=_token(start, "from")))
    if first.as_of > last.as_of or first.known > last.known:
        sentence = "The earlier answer lies after the later one, on one of the clocks: swap the two sides."
        raise Problem(422, "sides_reversed", sentence, field="from")
    return first, last


def _token(text: str, field: str) -> Token:
    token = Token.parse(text, field)
    if token.calculation != CALCULATION:
        sentence = "The token is of another calculation: the numbers differ by formulas, not by facts."
        other = token.calculation
        raise Problem(
            422,
            "calculation_differs",
            sentence,
            field=field,
            calculation=CALCULATION,
            asked_calculation=other,
        )
    return token


async def _side(question: Subquestion, name: str, clocks: Clocks) -> Json:
    """A refusal says on which side: what is asked about may not have been there yet."""
    try:
        return await question.at(str(clocks.token))
    except Problem as refused:
        refused.members["side"] = name
        raise
