"""`GET /v1/cycles`, `/v1/units`, `/v1/people`: the organisation as it was; each thing by its id too."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter
from goal_ledger_edge.routing import Answers
from goal_ledger_scoring.windows import cycle_span
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Listed, Shape, time
from goal_ledger_projection.api.lists import Json, listed, page_of, single
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute
from goal_ledger_projection.api.streams import versions
from goal_ledger_projection.api.texts import Text
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.read_models.definitions import OF_KIND

Defined = tuple[str, dict[str, Any]]
"""An id and the definition of what has it."""


class CycleShape(Shape):
    id: str
    name: str
    start: str = Field(description="Local date")
    end: str = Field(description="Local date, inclusive")
    starts_at: str = Field(description="By the workspace's time zone; of a goal see its cycle_start")
    ends_at: str
    parent: str | None
    stage: str
    version: int


class CyclesAnswer(Listed):
    items: list[CycleShape]


class CycleAnswer(AnswerAtClocks):
    cycle: CycleShape


class UnitShape(Shape):
    id: str
    name: str
    parent: str | None
    lead: str | None
    waves: list[str]
    stage: str
    people: list[str]
    version: int


class UnitsAnswer(Listed):
    items: list[UnitShape]


class UnitAnswer(AnswerAtClocks):
    unit: UnitShape


class PersonShape(Shape):
    id: str
    display_name: str | None
    units: list[str]
    on_leave_since: str | None = Field(description="The person owes no words; null: is not on leave")
    left_at: str | None = Field(description="When the person left the organisation; null: is there")
    shredded: bool
    version: int


class PeopleAnswer(Listed):
    items: list[PersonShape]


class PersonAnswer(AnswerAtClocks):
    person: PersonShape


routes = APIRouter(tags=["organisation"], route_class=QuestionRoute)


@routes.get("/v1/cycles", summary="The cycles")
async def cycles(request: GoalsRequest, limit: Limit = 1000, cursor: After = None) -> Answers[CyclesAnswer]:
    """The cycles by id, with the instants that their local dates come to."""
    async with view_of(request) as view:
        page = page_of(request, view, await _there(view, "cycle"), limit, cursor)
        return listed(request, view, page, await _cycles(view, page.items))


@routes.get("/v1/cycles/{id}", summary="One cycle")
async def cycle(request: GoalsRequest, id: str) -> Found[CycleAnswer]:
    """One cycle, with the instants that its local dates come to."""
    async with view_of(request) as view:
        return single(request, view, "cycle", _only(await _cycles(view, await _there(view, "cycle", id))))


@routes.get("/v1/units", summary="The units and who is in them")
async def units(request: GoalsRequest, limit: Limit = 1000, cursor: After = None) -> Answers[UnitsAnswer]:
    """The units by id, with the people who sit in them."""
    async with view_of(request) as view:
        page = page_of(request, view, await _there(view, "unit"), limit, cursor)
        return listed(request, view, page, await _units(view, page.items))


@routes.get("/v1/units/{id}", summary="One unit")
async def unit(request: GoalsRequest, id: str) -> Found[UnitAnswer]:
    """One unit, with the people who sit in it."""
    async with view_of(request) as view:
        return single(request, view, "unit", _only(await _units(view, await _there(view, "unit", id))))


@routes.get("/v1/people", summary="The people")
async def people(request: GoalsRequest, limit: Limit = 1000, cursor: After = None) -> Answers[PeopleAnswer]:
    """The people by id, with the units they sit in."""
    async with view_of(request) as view:
        page = page_of(request, view, await _persons(view), limit, cursor)
        return listed(request, view, page, await _people(view, page.items))


@routes.get("/v1/people/{id}", summary="One person")
async def person(request: GoalsRequest, id: str) -> Found[PersonAnswer]:
    """One person, with the units he or she sits in."""
    async with view_of(request) as view:
        found = [one for one in await _persons(view) if one[0] == id]
        return single(request, view, "person", _only(await _people(view, found)))


def _only(items: Sequence[Json]) -> Json | None:
    return items[0] if items else None


async def _there(view: View, kind: str, id: str | None = None) -> list[Defined]:
    """The things of a kind that there are at the moment, by id; only the one of that id."""
    context, clocks = await view.context(), view.clocks
    found = sorted(context.all(kind, clocks.seq, clocks.as_of))
    return [(name, body) for name, _, body in found if id in (None, name)]


async def _persons(view: View) -> list[Defined]:
    rows = await view.snapshot.fetch(OF_KIND, "person", view.clocks.seq, view.clocks.as_of)
    return [(row["id"], json.loads(row["body"])) for row in rows]


async def _cycles(view: View, cycles: Sequence[Defined]) -> list[Json]:
    context, clocks = await view.context(), view.clocks
    zone = context.time_zone(clocks.seq, clocks.as_of)
    found = []
    for id, body in cycles:
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


async def _units(view: View, units: Sequence[Defined]) -> list[Json]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for person, body in await _persons(view) if units else ():
        for unit in body["units"]:
            members[unit.removeprefix("unit/")].append(person)
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
        for id, body in units
    ]
    return await with_versions(view, "unit", found)


async def _people(view: View, people: Sequence[Defined]) -> list[Json]:
    texts = view.texts()
    names = {id: Text(body["display_name"], body["event_id"], "/display_name") for id, body in people}
    await texts.look_up(names.values())
    found = [
        {
            "id": id,
            "display_name": texts.open(names[id]),
            "units": body["units"],
            "on_leave_since": body.get("on_leave_since"),
            "left_at": body.get("left_at"),
            "shredded": body["shredded"],
        }
        for id, body in people
    ]
    return await with_versions(view, "person", found)


async def with_versions(view: View, kind: str, items: list[Json], name: str = "id") -> list[Json]:
    """The items, each with its stream's version."""
    known = await versions(view.snapshot, [f"{kind}/{one[name]}" for one in items], view.clocks.seq)
    return [{**one, "version": known.get(f"{kind}/{one[name]}", 0)} for one in items]
