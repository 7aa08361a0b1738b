"""`GET /v1/exports/links`, `cycles`, `units`, `memberships`, `policies`: the organisation as files."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from goal_ledger_projection.api.exports import AsFormat, Exported, begun, form_of
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import ExportRequest, view_of
from goal_ledger_projection.exports.delivery import delivered
from goal_ledger_projection.exports.of_organisation import OF_CONTEXT, memberships, pages_of_rows
from goal_ledger_projection.exports.schemas import DATASETS

routes = APIRouter(tags=["exports"], route_class=QuestionRoute)


async def _of_few(request: Request, name: str, stated: str | None) -> Response:
    form, dataset = form_of(request, stated), DATASETS[name]
    async with view_of(request) as view:
        of_it = OF_CONTEXT.get(name)
        rows = await memberships(view) if of_it is None else of_it(view, await view.context())
        export = begun(request, view, dataset, form)
    return await delivered(export, lambda: pages_of_rows(dataset, rows))


@routes.get("/v1/exports/links", summary="What supports what as a file")
async def links(request: ExportRequest, form: AsFormat = None) -> Exported:
    """A row for each link at the moment."""
    return await _of_few(request, "links", form)


@routes.get("/v1/exports/cycles", summary="Cycles as a file")
async def cycles(request: ExportRequest, form: AsFormat = None) -> Exported:
    """A row for each, with its local dates and the instants that they come to."""
    return await _of_few(request, "cycles", form)


@routes.get("/v1/exports/units", summary="Units as a file")
async def units(request: ExportRequest, form: AsFormat = None) -> Exported:
    """A row for each as it is at the moment."""
    return await _of_few(request, "units", form)


@routes.get("/v1/exports/memberships", summary="Who sat in which unit as a file")
async def memberships_(request: ExportRequest, form: AsFormat = None) -> Exported:
    """A row for each stay up to the moment, from when to when."""
    return await _of_few(request, "memberships", form)


@routes.get("/v1/exports/policies", summary="Policies as a file")
async def policies(request: ExportRequest, form: AsFormat = None) -> Exported:
    """A row for each scope that has one."""
    return await _of_few(request, "policies", form)
