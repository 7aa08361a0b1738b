"""`GET /v1/objectives/{id}/comments`, `/kudos`: what others said of an objective and of its check-ins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from goal_ledger_edge.routing import Answers
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Listed, Shape
from goal_ledger_projection.api.lists import Json, listed, not_found, page_of, single
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute
from goal_ledger_projection.api.texts import texts_of
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.read_models.facts import FIRST_OF_STREAM, OF_TYPE_IN_STREAMS


class RemarkShape(Shape):
    id: str
    on: str = Field(description="objective/<id> or check-in/<id>")
    author: str = Field(description="Whose word it is")
    text: str | None
    effective_at: str
    recorded_at: str
    seq: int
    event_id: str


class CommentsAnswer(Listed):
    items: list[RemarkShape]


class CommentAnswer(AnswerAtClocks):
    comment: RemarkShape


class KudosAnswer(AnswerAtClocks):
    kudos: RemarkShape


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/objectives/{id}/comments", summary="Comments")
async def comments(
    request: GoalsRequest, id: str, limit: Limit = 100, cursor: After = None
) -> Found[CommentsAnswer]:
    """On the objective and on its check-ins, in the order in which they were recorded."""
    async with view_of(request) as view:
        return await _many(request, view, id, "CommentAdded", limit, cursor)


@routes.get("/v1/objectives/{id}/comments/{comment}", summary="One comment")
async def comment(request: GoalsRequest, id: str, comment: str) -> Found[CommentAnswer]:
    """One comment on the objective or a check-in of it."""
    async with view_of(request) as view:
        return single(request, view, "comment", await _one(view, id, "CommentAdded", comment))


@routes.get("/v1/objectives/{id}/kudos", summary="Kudos")
async def many_kudos(
    request: GoalsRequest, id: str, limit: Limit = 100, cursor: After = None
) -> Found[CommentsAnswer]:
    """On the objective and on its check-ins, in the order in which they were recorded."""
    async with view_of(request) as view:
        return await _many(request, view, id, "KudosGiven", limit, cursor)


@routes.get("/v1/objectives/{id}/kudos/{kudos}", summary="One kudos")
async def kudos(request: GoalsRequest, id: str, kudos: str) -> Found[KudosAnswer]:
    """One kudos on the objective or a check-in of it."""
    async with view_of(request) as view:
        return single(request, view, "kudos", await _one(view, id, "KudosGiven", kudos))


async def _many(
    request: Request, view: View, id: str, type: str, limit: int, cursor: str | None
) -> Answers[Any]:
    if await view.snapshot.first(FIRST_OF_STREAM, f"objective/{id}", view.clocks.seq) is None:
        raise not_found("objective")
    page = page_of(request, view, await _said(view, id, type), limit, cursor)
    return listed(request, view, page, await _opened(view, page.items))


async def _one(view: View, id: str, type: str, remark: str) -> Json | None:
    found = [fact for fact in await _said(view, id, type) if _id(fact) == remark]
    opened = await _opened(view, found)
    return opened[0] if opened else None


async def _said(view: View, id: str, type: str) -> list[Json]:
    rows = await view.snapshot.fetch(
        OF_TYPE_IN_STREAMS, [f"objective/{id}"], view.clocks.seq, view.clocks.as_of, type
    )
    return [json.loads(row["bytes"]) for row in rows]


def _id(fact: Json) -> str:
    data = fact["data"]
    return str(data["comment"] if "comment" in data else data["kudos"])


async def _opened(view: View, facts: Sequence[Json]) -> list[Json]:
    texts = view.texts()
    personal = [texts_of(one["type"], one["event_id"], one["data"]).get("text") for one in facts]
    await texts.look_up(text for text in personal if text is not None)
    return [
        {
            "id": _id(one),
            "on": one["data"]["on"],
            "author": one["data"].get("author") or one["actor"],
            "text": None if text is None else texts.open(text),
            "effective_at": one["effective_at"],
            "recorded_at": one["recorded_at"],
            "seq": one["seq"],
            "event_id": one["event_id"],
        }
        for one, text in zip(facts, personal, strict=True)
    ]
