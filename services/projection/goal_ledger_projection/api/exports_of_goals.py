"""`GET /v1/exports/objectives` and the other datasets of how goals stand: filtered as the lists are."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from goal_ledger_history.statuses import Standing
from starlette.requests import Request
from starlette.responses import Response

from goal_ledger_projection.api.exports import AsFormat, Exported, begun, form_of
from goal_ledger_projection.api.key_results import KeyResultsAsked
from goal_ledger_projection.api.objectives import ObjectiveFilters, ObjectivesAsked
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
    filters: ObjectivesAsked,
    form: AsFormat = None,
) -> Exported:
    """A row for each, as defined at the moment, with scores and statuses."""
    return await _of_objectives(request, "objectives", filters, form)


@routes.get("/v1/exports/scores", summary="Both scores of all goals as a file")
async def scores(
    request: ExportRequest,
    filters: ObjectivesAsked,
    form: AsFormat = None,
) -> Exported:
    """A row for each objective and each of its key results; filters are of the objectives."""
    return await _of_objectives(request, "scores", filters, form)


@routes.get("/v1/exports/statuses", summary="The statuses of all goals as a file")
async def statuses(
    request: ExportRequest,
    filters: ObjectivesAsked,
    form: AsFormat = None,
) -> Exported:
    """A row for each objective and each of its key results; filters are of the objectives."""
    return await _of_objectives(request, "statuses", filters, form)


@routes.get("/v1/exports/values", summary="Values in force as a file")
async def values(
    request: ExportRequest,
    filters: ObjectivesAsked,
    form: AsFormat = None,
) -> Exported:
    """A row for each part of each key result; filters are of the objectives."""
    return await _of_objectives(request, "values", filters, form)


@routes.get("/v1/exports/key-results", summary="Key results as a file")
async def key_results(
    request: ExportRequest,
    filters: KeyResultsAsked,
    form: AsFormat = None,
) -> Exported:
    """A row for each, as defined at the moment, with scores and statuses."""
    chosen = form_of(request, form)
    async with view_of(request) as view:
        await filters.need_possible(view)
        pairs = await filters.matching(view)
        export = begun(request, view, KEY_RESULTS, chosen)
    return await delivered(export, lambda: pages_of_key_results(pairs, again_of(request, export.clocks)))
