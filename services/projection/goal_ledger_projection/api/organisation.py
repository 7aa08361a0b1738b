"""`GET /v1/cycles`, `/v1/units`, `/v1/people`: the organisation as it was."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from goal_ledger_scoring.windows import cycle_span
from starlette.responses import Response

from goal_ledger_projection.api.answers import encoded, heading, respond, time
from goal_ledger_projection.api.desk import Desk, View
from goal_ledger_projection.api.routes import declared
from goal_ledger_projection.api.shapes import CyclesAnswer, PeopleAnswer, UnitsAnswer
from goal_ledger_projection.api.streams import versions
from goal_ledger_projection.api.texts import Text

Json = dict[str, Any]

_PEOPLE = """
SELECT DISTINCT ON (id) id, body FROM definitions
WHERE workspace = $1 AND kind = 'person' AND seq <= $2 AND effective_at <= $3
ORDER BY id, seq DESC
"""


def router(desk: Desk) -> APIRouter:
    """The routes of the organisation."""
    routes = APIRouter(tags=["organisation"])

    @routes.get("/v1/cycles", summary="The cycles", **declared(CyclesAnswer))
    async def cycles(request: Request) -> Response:
        async with desk.view(request) as view:
            return respond(
                request, view.clocks, encoded({**heading(view.clocks), "items": await _cycles(view)})
            )

    @routes.get("/v1/units", summary="The units and who is in them", **declared(UnitsAnswer))
    async def units(request: Request) -> Response:
        async with desk.view(request) as view:
            return respond(
                request, view.clocks, encoded({**heading(view.clocks), "items": await _units(view)})
            )

    @routes.get("/v1/people", summary="The people", **declared(PeopleAnswer))
    async def people(request: Request) -> Response:
        async with desk.view(request) as view:
            return respond(
                request, view.clocks, encoded({**heading(view.clocks), "items": await _people(view)})
            )

    return routes


async def _cycles(view: View) -> list[Json]:
    context, clocks = await view.context(), view.clocks
    zone = context.time_zone(clocks.seq, clocks.as_of)
    found = []
    for id, _, body in sorted(context.all("cycle", clocks.seq, clocks.as_of)):
        span = cycle_span(date.fromisoformat(body["start"]), date.fromisoformat(body["end"]), zone)
        found.append(
            {
                "id": id,
                "name": body["name"],
                "start": body["start"],
                "end": body["end"],
                "starts_at": time(span.start),
                "ends_at": time(span.end),
                "parent": body.get("parent"),
                "stage": body["stage"],
            }
        )
    return await with_versions(view, "cycle", found)


async def _units(view: View) -> list[Json]:
    context, clocks = await view.context(), view.clocks
    members: defaultdict[str, list[str]] = defaultdict(list)
    for row in await view.snapshot.fetch(_PEOPLE, clocks.seq, clocks.as_of):
        for unit in json.loads(row["body"])["units"]:
            members[unit.removeprefix("unit/")].append(row["id"])
    found = [
        {
            "id": id,
            "name": body["name"],
            "parent": body.get("parent"),
            "lead": body.get("lead"),
            "waves": body["waves"],
            "stage": body["stage"],
            "people": sorted(members[id]),
        }
        for id, _, body in sorted(context.all("unit", clocks.seq, clocks.as_of))
    ]
    return await with_versions(view, "unit", found)


async def _people(view: View) -> list[Json]:
    rows = await view.snapshot.fetch(_PEOPLE, view.clocks.seq, view.clocks.as_of)
    people = [(row["id"], json.loads(row["body"])) for row in rows]
    texts = view.texts()
    names = {id: Text(body["display_name"], body["event_id"], "/display_name") for id, body in people}
    await texts.look_up(names.values())
    found = [
        {
            "id": id,
            "display_name": texts.open(names[id]),
            "units": body["units"],
            "shredded": body["shredded"],
        }
        for id, body in people
    ]
    return await with_versions(view, "person", found)


async def with_versions(view: View, kind: str, items: list[Json], name: str = "id") -> list[Json]:
    """The items, each with its stream's version."""
    known = await versions(view.snapshot, [f"{kind}/{one[name]}" for one in items], view.clocks.seq)
    return [{**one, "version": known.get(f"{kind}/{one[name]}", 0)} for one in items]
