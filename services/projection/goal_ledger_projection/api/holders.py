"""`GET /v1/systems`, `/v1/keys-issued`, `/v1/identities`, `/v1/roles`: who may do what, as it was.

Systems are seen by everybody who sees goals; the other three tell how one signs in, and are for those who read facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from goal_ledger_contracts.permission import GRANTABLE
from goal_ledger_edge.routing import Answers
from pydantic import Field

from goal_ledger_projection.api.access import EMITTER
from goal_ledger_projection.api.answers import AnswerAtClocks, Listed, Shape
from goal_ledger_projection.api.choices import need_holder, need_word, word
from goal_ledger_projection.api.lists import Json, listed, page_of, single
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute
from goal_ledger_projection.api.view import FactsRequest, GoalsRequest, View, view_of
from goal_ledger_projection.read_models.definitions import OF_KIND, ONE_OF_KIND

HOLDERS = ("person", "system")


class SystemShape(Shape):
    id: str
    name: str
    retired: bool
    feeds: list[str] = Field(description="Those registered for it")


class SystemsAnswer(Listed):
    items: list[SystemShape]


class SystemAnswer(AnswerAtClocks):
    system: SystemShape


class KeyShape(Shape):
    id: str
    holder: str = Field(description="person/<id> or system/<id>")
    revoked: bool


class KeysAnswer(Listed):
    items: list[KeyShape]


class KeyAnswer(AnswerAtClocks):
    key: KeyShape


class IdentityShape(Shape):
    issuer: str
    subject: str


class IdentitiesShape(Shape):
    id: str = Field(description="Of the person")
    identities: list[IdentityShape]


class IdentitiesAnswer(Listed):
    items: list[IdentitiesShape]


class PersonsIdentitiesAnswer(AnswerAtClocks):
    identities: IdentitiesShape


class RolesShape(Shape):
    holder: str = Field(description="person/<id> or system/<id>")
    roles: list[str] = Field(description="A system is an emitter from its registration on")


class RolesAnswer(Listed):
    items: list[RolesShape]


class HoldersRolesAnswer(AnswerAtClocks):
    roles: RolesShape


routes = APIRouter(tags=["access"], route_class=QuestionRoute)


@routes.get("/v1/systems", summary="The systems")
async def systems(request: GoalsRequest, limit: Limit = 1000, cursor: After = None) -> Answers[SystemsAnswer]:
    """The systems that emit or subscribe, with their feeds."""
    async with view_of(request) as view:
        page = page_of(request, view, await _all(view, "system"), limit, cursor)
        return listed(request, view, page, await _with_feeds(view, page.items))


@routes.get("/v1/systems/{id}", summary="One system")
async def system(request: GoalsRequest, id: str) -> Found[SystemAnswer]:
    """One system, with its feeds."""
    async with view_of(request) as view:
        found = await _with_feeds(view, await _body(view, "system", id))
        return single(request, view, "system", found[0] if found else None)


async def _with_feeds(view: View, bodies: Iterable[Json]) -> list[Json]:
    context, clocks = await view.context(), view.clocks
    feeds: dict[str, list[str]] = {}
    for name, _, body in sorted(context.all("feed", clocks.seq, clocks.as_of)):
        feeds.setdefault(body["system"].removeprefix("system/"), []).append(name)
    return [
        {
            "id": body["system"],
            "name": body["name"],
            "retired": body["retired"],
            "feeds": feeds.get(body["system"], []),
        }
        for body in bodies
    ]


@routes.get("/v1/keys-issued", summary="The API keys")
async def keys(
    request: FactsRequest,
    holder: Annotated[str | None, Query(max_length=80, description="person/<id> or system/<id>")] = None,
    limit: Limit = 1000,
    cursor: After = None,
) -> Answers[KeysAnswer]:
    """Whose they are and whether they still count; the keys themselves are kept nowhere."""
    async with view_of(request) as view:
        await need_holder(view, holder, "holder", HOLDERS)
        found = [one for one in await _all(view, "key") if holder in (None, one["holder"])]
        page = page_of(request, view, found, limit, cursor)
        return listed(request, view, page, [_key(one) for one in page.items])


@routes.get("/v1/keys-issued/{id}", summary="One API key")
async def key(request: FactsRequest, id: str) -> Found[KeyAnswer]:
    """Whose it is and whether it still counts."""
    async with view_of(request) as view:
        found = await _body(view, "key", id)
        return single(request, view, "key", _key(found[0]) if found else None)


def _key(body: Json) -> Json:
    return {"id": body["key"], "holder": body["holder"], "revoked": body["revoked"]}


@routes.get("/v1/identities", summary="Whom the tokens speak for")
async def identities(
    request: FactsRequest, limit: Limit = 1000, cursor: After = None
) -> Answers[IdentitiesAnswer]:
    """By person: the identities (issuer and subject of a token) that are linked."""
    async with view_of(request) as view:
        found = [one for one in await _all(view, "access") if one["identities"]]
        page = page_of(request, view, found, limit, cursor)
        return listed(request, view, page, [_linked(one) for one in page.items])


@routes.get("/v1/identities/{person}", summary="A person's identities")
async def identity(request: FactsRequest, person: str) -> Found[PersonsIdentitiesAnswer]:
    """The identities that are linked to a person."""
    async with view_of(request) as view:
        found = await _body(view, "access", f"person/{person}")
        linked = bool(found) and bool(found[0]["identities"])
        return single(request, view, "identities", _linked(found[0]) if linked else None)


def _linked(body: Json) -> Json:
    return {"id": body["holder"].removeprefix("person/"), "identities": body["identities"]}


@routes.get("/v1/roles", summary="Who has which roles")
async def roles(
    request: FactsRequest,
    role: Annotated[str | None, word(GRANTABLE)] = None,
    limit: Limit = 1000,
    cursor: After = None,
) -> Answers[RolesAnswer]:
    """Everybody who has a role."""
    async with view_of(request) as view:
        need_word(role, "role", GRANTABLE)
        held = {one["holder"]: one["roles"] for one in await _all(view, "access")}
        for one in await _all(view, "system"):
            holder = f"system/{one['system']}"
            held[holder] = [EMITTER, *(role for role in held.get(holder, ()) if role != EMITTER)]
        found = [(holder, held[holder]) for holder in sorted(held) if held[holder]]
        page = page_of(request, view, [one for one in found if role in (None, *one[1])], limit, cursor)
        items = [{"holder": holder, "roles": sorted(of_it)} for holder, of_it in page.items]
        return listed(request, view, page, items)


@routes.get("/v1/roles/{kind}/{id}", summary="One's roles")
async def holder(request: FactsRequest, kind: str, id: str) -> Found[HoldersRolesAnswer]:
    """The roles of `person/<id>` or `system/<id>`."""
    async with view_of(request) as view:
        found = await _body(view, "access", f"{kind}/{id}")
        of_it = set(found[0]["roles"]) if found else set()
        if kind == "system" and await _body(view, "system", id):
            of_it.add(EMITTER)
        body = {"holder": f"{kind}/{id}", "roles": sorted(of_it)}
        return single(request, view, "roles", body if of_it else None)


async def _all(view: View, kind: str) -> list[Json]:
    """The definitions of a kind at the moment, by id."""
    rows = await view.snapshot.fetch(OF_KIND, kind, view.clocks.seq, view.clocks.as_of)
    return [json.loads(row["body"]) for row in rows]


async def _body(view: View, kind: str, id: str) -> list[Json]:
    """The definition of one at the moment; none if there is none."""
    row = await view.snapshot.first(ONE_OF_KIND, kind, id, view.clocks.seq, view.clocks.as_of)
    return [] if row is None else [json.loads(row["body"])]
