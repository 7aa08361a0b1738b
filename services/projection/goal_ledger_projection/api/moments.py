"""`GET /v1/moments`: the named moments that windows open with. Only `known_at` counts: a moment slots in anywhere."""

from __future__ import annotations

from fastapi import APIRouter
from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_edge.routing import Answers

from goal_ledger_projection.api.answers import AnswerAtClocks, Listed, Shape
from goal_ledger_projection.api.lists import Json, listed, page_of, single
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of


class MomentShape(Shape):
    name: str
    at: str
    has_come: bool
    retracted: bool
    event_id: str


class MomentsAnswer(Listed):
    items: list[MomentShape]


class MomentAnswer(AnswerAtClocks):
    moment: MomentShape


routes = APIRouter(tags=["organisation"], route_class=QuestionRoute)


@routes.get("/v1/moments", summary="The moments")
async def moments(request: GoalsRequest, limit: Limit = 1000, cursor: After = None) -> Answers[MomentsAnswer]:
    """The named instants that windows open with, those retracted included."""
    async with view_of(request) as view:
        found = sorted((await view.context()).all("moment", view.clocks.seq, None))
        page = page_of(request, view, found, limit, cursor)
        return listed(request, view, page, [_moment(view, name, body) for name, _, body in page.items])


@routes.get("/v1/moments/{name}", summary="One moment")
async def moment(request: GoalsRequest, name: str) -> Found[MomentAnswer]:
    """When it was, and whether it has come."""
    async with view_of(request) as view:
        body = (await view.context()).body("moment", name, view.clocks.seq, None)
        return single(request, view, "moment", None if body is None else _moment(view, name, body))


def _moment(view: View, name: str, body: Json) -> Json:
    return {
        "name": name,
        "at": body["at"],
        "has_come": parse_instant(body["at"]) <= view.clocks.as_of,
        "retracted": body["retracted"],
        "event_id": body["event_id"],
    }
