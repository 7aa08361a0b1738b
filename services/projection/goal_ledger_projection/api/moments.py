"""`GET /v1/moments`: the named moments that windows open with. Only `known_at` counts: a moment slots in anywhere."""

from __future__ import annotations

from fastapi import APIRouter, Request
from goal_ledger_contracts.canonical import parse_instant
from starlette.responses import Response

from goal_ledger_projection.api.answers import encoded, heading, respond
from goal_ledger_projection.api.desk import Desk
from goal_ledger_projection.api.routes import declared
from goal_ledger_projection.api.shapes import MomentsAnswer


def router(desk: Desk) -> APIRouter:
    """The route of the moments."""
    routes = APIRouter(tags=["organisation"])

    @routes.get("/v1/moments", summary="The moments", **declared(MomentsAnswer))
    async def moments(request: Request) -> Response:
        async with desk.view(request) as view:
            context = await view.context()
            items = [
                {
                    "name": name,
                    "at": body["at"],
                    "has_come": parse_instant(body["at"]) <= view.clocks.as_of,
                    "retracted": body["retracted"],
                    "event_id": body["event_id"],
                }
                for name, _, body in sorted(context.all("moment", view.clocks.seq, None))
            ]
            return respond(request, view.clocks, encoded({**heading(view.clocks), "items": items}))

    return routes
