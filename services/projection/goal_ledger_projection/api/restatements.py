"""`GET /v1/restatements`: which numbers that were given before a position would read otherwise now, and by how much: the same
`as_of`, as it was known then and as it is known now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from goal_ledger_edge.routing import Answers
from goal_ledger_history.statuses import Standing
from pydantic import Field

from goal_ledger_projection.api.answers import Listed
from goal_ledger_projection.api.clocks import StatedClocks
from goal_ledger_projection.api.compared import ObjectiveCompared, by_change, compared, differs
from goal_ledger_projection.api.earlier import Side, Since, clocks_since, moment, side
from goal_ledger_projection.api.lists import Json, listed, page_of
from goal_ledger_projection.api.owned import InCycle, InUnit, Owned, OwnedBy
from goal_ledger_projection.api.routes import After, QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, view_of

LIMIT_ITEMS_MAX = 200


class RestatementsAnswer(Listed):
    start: Side = Field(alias="from", description="The earlier answer: as it was known then")
    to: Side = Field(description="The same `as_of`, as it is known now")
    objectives: int = Field(description="How many were there then and match the filters")
    items: list[ObjectiveCompared] = Field(
        description="Those of which something reads otherwise, the largest change of the score first"
    )


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/restatements", summary="Which numbers given earlier would read otherwise now")
async def restatements(
    request: GoalsRequest,
    since: Since,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX, description="How many items at most")] = 50,
    cursor: After = None,
) -> Answers[RestatementsAnswer]:
    """At the earlier answer's `as_of` nothing but what is known differs: corrections, late reports, backdated definitions. Closed
    goals keep the scores of their closing. Attribution between `from` and `to` says which facts did it."""
    async with view_of(request) as view:
        owned = await Owned.of(view, cycle, unit, owner)
        before = await clocks_since(view, since)
        after = await view.clocks_at(StatedClocks(before.as_of, view.clocks.known))
        old, new = [(await view.trees.whole(view.snapshot, moment(one))).standings for one in (before, after)]
        many, found = await asyncio.to_thread(_restated, old, new, owned)
        page = page_of(request, view, found, limit, cursor)
        sides = {"from": side(before), "to": side(after)}
        return listed(request, view, page, page.items, **sides, objectives=many)


def _restated(
    old: Mapping[str, Standing], new: Mapping[str, Standing], owned: Owned
) -> tuple[int, list[Json]]:
    """How many objectives were there before, and those of which something differs."""
    there = [
        id for id, one in sorted(old.items()) if id in new and owned.has((one.goal.owner,), (one.goal.cycle,))
    ]
    found = [one for id in there if differs(one := compared(old[id], new[id]))]
    return len(there), sorted(found, key=by_change)
