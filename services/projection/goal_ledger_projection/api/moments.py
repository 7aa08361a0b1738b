"""`GET /v1/moments`: the named moments that windows open with. Only `known_at` counts: a moment slots in anywhere."""

from __future__ import annotations

from fastapi import APIRouter, Request
from goal_ledger_contracts.canonical import parse_instant
from starlette.responses import Response

from goal_ledger_projection.api.answers import Answer, Listed, Shape
from goal_ledger_projection.api.lists import Json, listed, page_of, single
from goal_ledger_projection.api.routes import After, Limit, declared
from goal_ledger_projection.api.view import View, Views


class MomentShape(Shape):
    name: str
    at: str
    has_come: bool
    retracted: bool
    event_id: str


class MomentsAnswer(Listed):
    items: list[MomentShape]


class MomentAnswer(Answer):
    moment: MomentShape


def router(views: Views) -> APIRouter:
    """The routes of the moments."""
    routes = APIRouter(tags=["organisation"])

    @routes.get("/v1/moments", summary="The moments", **declared(MomentsAnswer))
    async def moments(request: Request, limit: Limit = 1000, cursor: After = None) -> Response:
        """The named instants that windows open with, those retracted included."""
        async with views.view(request) as view:
            found = sorted((await view.context()).all("moment", view.clocks.seq, None))
            page = page_of(request, view, found, limit, cursor)
            return listed(request, view, page, [_moment(view, name, body) for name, _, body in page.items])

    @routes.get("/v1/moments/{name}", summary="One moment", **declared(MomentAnswer, finds_one=True))
    async def moment(request: Request, name: str) -> Response:
        """When it was, and whether it has come."""
        async with views.view(request) as view:
            body = (await view.context()).body("moment", name, view.clocks.seq, None)
            return single(request, view, "moment", None if body is None else _moment(view, name, body))

    return routes


def _moment(view: View, name: str, body: Json) -> Json:
    return {
        "name": name,
        "at": body["at"],
        "has_come": parse_instant(body["at"]) <= view.clocks.as_of,
        "retracted": body["retracted"],
        "event_id": body["event_id"],
    }
