"""`GET /v1/exports/goalpost-moves` and `participation`: filtered as the questions are."""

from __future__ import annotations

from fastapi import APIRouter

from goal_ledger_projection.api import goalpost_moves as of_moves
from goal_ledger_projection.api import participation as of_participation
from goal_ledger_projection.api.exports import AsFormat, Exported, begun, form_of
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import ExportRequest, again_of, view_of
from goal_ledger_projection.exports.delivery import delivered
from goal_ledger_projection.exports.of_changes import pages_of_moves, rows_of_participation
from goal_ledger_projection.exports.of_organisation import pages_of_rows
from goal_ledger_projection.exports.schemas import GOALPOST_MOVES, PARTICIPATION

routes = APIRouter(tags=["exports"], route_class=QuestionRoute)


@routes.get("/v1/exports/goalpost-moves", summary="Goalpost moves as a file")
async def goalpost_moves(
    request: ExportRequest,
    objective: of_moves.OfObjective = None,
    cycle: of_moves.OfCycle = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each, the newest first."""
    chosen = form_of(request, form)
    async with view_of(request) as view:
        moves = await of_moves.moves_asked(view, objective, cycle)
        export = begun(request, view, GOALPOST_MOVES, chosen)
    return await delivered(export, lambda: pages_of_moves(moves, again_of(request, export.clocks)))


@routes.get("/v1/exports/participation", summary="Who takes part as a file")
async def participation(
    request: ExportRequest,
    first: of_participation.FirstDay = None,
    last: of_participation.LastDay = None,
    every: of_participation.Every = "P1W",
    cycle: of_participation.OfCycle = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each group and period."""
    chosen = form_of(request, form)
    async with view_of(request) as view:
        periods = await of_participation.periods_asked(view, first, last, every, cycle)
        rows = list(rows_of_participation(await of_participation.tallied(view, periods, cycle), periods))
        export = begun(request, view, PARTICIPATION, chosen)
    return await delivered(export, lambda: pages_of_rows(PARTICIPATION, rows))
