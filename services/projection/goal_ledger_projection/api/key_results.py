"""`GET /v1/key-results/{id}`: one key result with its parts, values and where they come from."""

from __future__ import annotations

from fastapi import APIRouter, Request
from goal_ledger_edge.problems import Problem
from starlette.responses import Response

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import encoded, heading, respond
from goal_ledger_projection.api.desk import Desk, View
from goal_ledger_projection.api.goals import KeyResult
from goal_ledger_projection.api.objectives import spans_of, standing_of
from goal_ledger_projection.api.routes import declared
from goal_ledger_projection.api.shapes import KeyResultAnswer
from goal_ledger_projection.api.statuses import Standing
from goal_ledger_projection.api.streams import events_and_version


def router(desk: Desk) -> APIRouter:
    """The route of one key result."""
    routes = APIRouter(tags=["key results"])

    @routes.get("/v1/key-results/{id}", summary="One key result", **declared(KeyResultAnswer, finds_one=True))
    async def one(request: Request, id: str) -> Response:
        async with desk.view(request) as view:
            standing, found = await key_result_standing(view, id)
            context = await view.context()
            events, version = await events_and_version(
                view.snapshot,
                shown.evidence_seqs([standing]),
                f"objective/{standing.goal.id}",
                view.clocks.seq,
            )
            body = {
                **heading(view.clocks),
                "key_result": shown.key_result(standing, found, spans_of(context, standing, found), events),
                "version": version,
            }
            return respond(request, view.clocks, encoded(body))

    return routes


async def key_result_standing(view: View, id: str) -> tuple[Standing, KeyResult]:
    """A key result and how its objective stands, also before it existed. Problem 404."""
    objective = await view.standings.goals.objective_of(view.snapshot, id, view.clocks.seq)
    if objective is not None:
        standing = await standing_of(view, objective)
        found = standing.defined.key_result(id) or standing.added_key_result(id)
        if found is not None:
            return standing, found
    raise Problem(404, "not_found", "There is no such key result here at these clocks.")
