"""`GET /v1/exports/objectives` and the other datasets of how goals stand: filtered as the lists are."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from goal_ledger_history.statuses import Standing
from starlette.requests import Request
from starlette.responses import Response

from goal_ledger_projection.api import key_results as of_key_results
from goal_ledger_projection.api.exports import AsFormat, Exported, begun, form_of
from goal_ledger_projection.api.objectives import (
    Containing,
    InCycle,
    InState,
    InUnit,
    ObjectiveFilters,
    OfKind,
    OwnedBy,
    Shown,
)
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import ExportRequest, again_of, view_of
from goal_ledger_projection.exports.delivery import delivered
from goal_ledger_projection.exports.of_goals import PAGES_OF_GOALS, pages_of_key_results
from goal_ledger_projection.exports.schemas import DATASETS, KEY_RESULTS

routes = APIRouter(tags=["exports"], route_class=QuestionRoute)


async def _of_objectives(
    request: Request, dataset: str, filters: ObjectiveFilters, stated: str | None
) -> Response:
    form = form_of(request, stated)
    async with view_of(request) as view:
        await filters.need_possible(view)
        goals: Sequence[Standing] = await filters.matching(view)
        export = begun(request, view, DATASETS[dataset], form)
    return await delivered(export, lambda: PAGES_OF_GOALS[dataset](goals, again_of(request, export.clocks)))


@routes.get("/v1/exports/objectives", summary="Objectives as a file")
async def objectives(
    request: ExportRequest,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    status: Shown = None,
    kind: OfKind = None,
    state: InState = None,
    q: Containing = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each, as defined at the moment, with scores and statuses."""
    filters = ObjectiveFilters(cycle, unit, owner, status, kind, state, q)
    return await _of_objectives(request, "objectives", filters, form)


@routes.get("/v1/exports/scores", summary="Both scores of all goals as a file")
async def scores(
    request: ExportRequest,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    status: Shown = None,
    kind: OfKind = None,
    state: InState = None,
    q: Containing = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each objective and each of its key results; filters are of the objectives."""
    filters = ObjectiveFilters(cycle, unit, owner, status, kind, state, q)
    return await _of_objectives(request, "scores", filters, form)


@routes.get("/v1/exports/statuses", summary="The statuses of all goals as a file")
async def statuses(
    request: ExportRequest,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    status: Shown = None,
    kind: OfKind = None,
    state: InState = None,
    q: Containing = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each objective and each of its key results; filters are of the objectives."""
    filters = ObjectiveFilters(cycle, unit, owner, status, kind, state, q)
    return await _of_objectives(request, "statuses", filters, form)


@routes.get("/v1/exports/values", summary="Values in force as a file")
async def values(
    request: ExportRequest,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    status: Shown = None,
    kind: OfKind = None,
    state: InState = None,
    q: Containing = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each part of each key result; filters are of the objectives."""
    filters = ObjectiveFilters(cycle, unit, owner, status, kind, state, q)
    return await _of_objectives(request, "values", filters, form)


@routes.get("/v1/exports/key-results", summary="Key results as a file")
async def key_results(
    request: ExportRequest,
    objective: of_key_results.InObjective = None,
    owner: of_key_results.OwnedBy = None,
    unit: of_key_results.InUnit = None,
    cycle: of_key_results.InCycle = None,
    feed: of_key_results.FedBy = None,
    status: of_key_results.Shown = None,
    state: of_key_results.InState = None,
    dropped: bool | None = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each, as defined at the moment, with scores and statuses."""
    chosen = form_of(request, form)
    filters = of_key_results.KeyResultFilters(objective, owner, unit, cycle, feed, status, state, dropped)
    async with view_of(request) as view:
        await filters.need_possible(view)
        pairs = await filters.matching(view)
        export = begun(request, view, KEY_RESULTS, chosen)
    return await delivered(export, lambda: pages_of_key_results(pairs, again_of(request, export.clocks)))
