"""`GET /v1/policies`: the policy set for the workspace, for units and for objectives, as it was."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from goal_ledger_edge.routing import Answers
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Listed, Shape
from goal_ledger_projection.api.lists import Json, listed, page_of, single
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of


class PolicySetShape(Shape):
    scope: str = Field(description="workspace, unit/<id> or objective/<id>")
    revision: int
    policy: dict[str, Any] = Field(description="What is set there; what is left out is inherited")
    event_id: str


class PoliciesAnswer(Listed):
    items: list[PolicySetShape]


class PolicyAnswer(AnswerAtClocks):
    policy: PolicySetShape


routes = APIRouter(tags=["organisation"], route_class=QuestionRoute)


@routes.get("/v1/policies", summary="The policies")
async def policies(
    request: GoalsRequest, limit: Limit = 1000, cursor: After = None
) -> Answers[PoliciesAnswer]:
    """What is set for each scope. What is in force for a goal stands in the goal's own answer."""
    async with view_of(request) as view:
        context, clocks = await view.context(), view.clocks
        found = sorted(context.all("policy", clocks.seq, clocks.as_of))
        page = page_of(request, view, [body for _, _, body in found], limit, cursor)
        return listed(request, view, page, [_policy(one) for one in page.items])


@routes.get("/v1/policies/workspace", summary="The workspace's policy")
async def of_workspace(request: GoalsRequest) -> Found[PolicyAnswer]:
    """What is set for the whole workspace."""
    async with view_of(request) as view:
        return single(request, view, "policy", await _one(view, "workspace"))


@routes.get("/v1/policies/{kind}/{id}", summary="One policy")
async def of_scope(request: GoalsRequest, kind: str, id: str) -> Found[PolicyAnswer]:
    """What is set for `unit/<id>` or `objective/<id>`."""
    async with view_of(request) as view:
        return single(request, view, "policy", await _one(view, f"{kind}/{id}"))


async def _one(view: View, scope: str) -> Json | None:
    body = (await view.context()).body("policy", scope, view.clocks.seq, view.clocks.as_of)
    return None if body is None else _policy(body)


def _policy(body: Json) -> Json:
    return {name: body[name] for name in ("scope", "revision", "policy", "event_id")}
