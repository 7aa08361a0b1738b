"""`GET /v1/objectives`: find objectives and see how they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from unicodedata import normalize

from fastapi import APIRouter, Depends, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.last_check_ins import NO_CHECK_IN, CheckInsHoweverOld
from goal_ledger_history.statuses import Standing
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import AnswerAtClocks, number
from goal_ledger_projection.api.choices import (
    KINDS,
    STATES,
    STATUSES,
    need_cycle,
    need_holder,
    need_unit,
    need_word,
    word,
)
from goal_ledger_projection.api.lists import listed, page_of
from goal_ledger_projection.api.routes import After, QuestionRoute
from goal_ledger_projection.api.shown import ListedObjective
from goal_ledger_projection.api.streams import versions
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.context import Context

LIMIT_ITEMS_MAX = 200
SORTS = ("id", "title", "score", "status", "gap", "activated_at")


class ObjectiveList(AnswerAtClocks):
    total: int = Field(description="How many match")
    items: list[ListedObjective]
    next_cursor: str | None


InCycle = Annotated[str | None, Query(max_length=64)]
InUnit = Annotated[str | None, Query(max_length=64, description="Owned by it or a unit beneath it")]
OwnedBy = Annotated[str | None, Query(max_length=80, description="unit/<id> or person/<id>")]
Shown = Annotated[str | None, word(STATUSES, "As shown")]
OfKind = Annotated[str | None, word(KINDS)]
InState = Annotated[str | None, word(STATES)]
Containing = Annotated[
    str | None, Query(max_length=200, description="In titles, descriptions and key results")
]


@dataclass(frozen=True, slots=True)
class ObjectiveFilters:
    """Which objectives are asked for; None: no matter."""

    cycle: str | None
    unit: str | None
    owner: str | None
    status: str | None
    kind: str | None
    state: str | None
    q: str | None

    async def need_possible(self, view: View) -> None:
        """Problem 422 `choice_unknown`: a filter that no objective can match."""
        need_word(self.status, "status", STATUSES)
        need_word(self.kind, "kind", KINDS)
        need_word(self.state, "state", STATES)
        await need_holder(view, self.owner, "owner")
        await need_unit(view, self.unit)
        await need_cycle(view, self.cycle)

    async def matching(self, view: View) -> list[Standing]:
        """Those, by id."""
        tree = await view.trees.whole(view.snapshot, view.moment)
        units = None if self.unit is None else beneath(await view.context(), self.unit, view.moment)
        found = [one for one in tree.standings.values() if _matches(one, self, units)]
        return sorted(found, key=lambda one: one.goal.id)


async def _asked(
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    status: Shown = None,
    kind: OfKind = None,
    state: InState = None,
    q: Containing = None,
) -> ObjectiveFilters:
    return ObjectiveFilters(cycle, unit, owner, status, kind, state, q)


ObjectivesAsked = Annotated[ObjectiveFilters, Depends(_asked)]

routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/objectives", summary="Find objectives")
async def many(
    request: GoalsRequest,
    filters: ObjectivesAsked,
    sort: Annotated[
        str, Query(max_length=40, description=f"{', '.join(SORTS)}; - in front: descending")
    ] = "id",
    limit: Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX)] = 50,
    cursor: After = None,
) -> Answers[ObjectiveList]:
    """By their definitions at the moment, with scores and statuses; pages follow `next_cursor`."""
    async with view_of(request) as view:
        await filters.need_possible(view)
        key, descending = _order(sort)
        found = sorted(await filters.matching(view), key=key, reverse=descending)
        page = page_of(request, view, found, limit, cursor)
        return listed(request, view, page, await _items(view, await view.context(), page.items))


async def _items(view: View, context: Context, page: Sequence[Standing]) -> list[dict[str, Any]]:
    known = await versions(view.snapshot, [f"objective/{one.goal.id}" for one in page], view.clocks.seq)
    heard = await (await view.history()).values.check_ins_however_old(
        [
            CheckInsHoweverOld(one.goal.id, (), one.moment.true_at, one.moment.true_at, one.moment.known_to)
            for one in page
        ],
    )
    return [
        {
            **shown.summary(one),
            "version": known.get(f"objective/{one.goal.id}", 0),
            "owner_left": owner_left(context, one),
            "confidence": number(heard.get((one.goal.id, None), NO_CHECK_IN).confidence),
        }
        for one in page
    ]


def owner_left(context: Context, one: Standing) -> bool:
    """Whether who owns it has left the organisation by then."""
    return context.has_left(one.goal.owner, one.moment.known_to, one.moment.true_at)


def _matches(one: Standing, filters: ObjectiveFilters, units: frozenset[str] | None) -> bool:
    body = one.goal.body
    return (
        (filters.cycle is None or body.get("cycle") == filters.cycle)
        and (filters.owner is None or body["owner"] == filters.owner)
        and (units is None or body["owner"] in units)
        and (filters.kind is None or body.get("kind") == filters.kind)
        and (filters.state is None or body["stage"] == filters.state)
        and (filters.status is None or one.status.shown == filters.status)
        and (filters.q is None or _contains(one, normalize("NFC", filters.q).casefold()))
    )


def _contains(one: Standing, text: str) -> bool:
    body = one.goal.body
    texts = [body["title"], body.get("description") or "", *(kr.text for kr in one.goal.key_results)]
    return any(text in candidate.casefold() for candidate in texts)


def beneath(context: Context, unit: str, moment: AsOf) -> frozenset[str]:
    """The unit and all beneath it, as owners."""
    parents = {
        id: (body.get("parent") or "").removeprefix("unit/")
        for id, _, body in context.all("unit", moment.known_to, moment.true_at)
    }
    found = {unit.removeprefix("unit/")}
    while True:
        more = {id for id, parent in parents.items() if parent in found} - found
        if not more:
            return frozenset(f"unit/{id}" for id in found)
        found |= more


def _order(sort: str) -> tuple[Callable[[Standing], Any], bool]:
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    keys: dict[str, Callable[[Standing], Any]] = {
        "id": lambda one: one.goal.id,
        "title": lambda one: one.goal.body["title"].casefold(),
        "score": lambda one: _null_last(one.amended.score, descending),
        "gap": lambda one: _null_last(one.status.gap, descending),
        "status": lambda one: one.status.shown,
        "activated_at": lambda one: _null_last(one.goal.activated_at, descending),
    }
    if name not in keys:
        raise Problem(422, "invalid", f"sort is one of {', '.join(SORTS)}.", field="sort")
    return keys[name], descending


def _null_last(value: Decimal | datetime | None, descending: bool) -> tuple[bool, Any]:
    return ((value is None) != descending, 0 if value is None else value)
