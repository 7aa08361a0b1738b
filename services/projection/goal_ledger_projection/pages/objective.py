"""One objective: how it stands and why, what was said and changed, what it belongs to; and how a number came about."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from goal_ledger_projection.pages.asking import ApiRefusal, Json
from goal_ledger_projection.pages.chart import Chart, chart
from goal_ledger_projection.pages.forms import new_key
from goal_ledger_projection.pages.page import WebPage

CHARTS_MAX = 12
POINTS = "120"
CHECK_INS_MAX = "30"
LEVELS_EXPLAINED = "1"
"""Of the objectives beneath; each of those further down has a page of its own."""


async def objective(page: WebPage, refused: ApiRefusal | None = None, said: str = "") -> Response:
    """`/goals/<id>`. `refused`: what was said and not taken."""
    id = page.request.path_params["id"]
    goal = (await page.ask(f"/v1/objectives/{id}"))["objective"]
    charts, check_ins, timeline, comments, kudos, names, around = await asyncio.gather(
        _charts(page, goal),
        page.ask("/v1/check-ins", objective=id, limit=CHECK_INS_MAX),
        page.ask(f"/v1/objectives/{id}/timeline", limit="500"),
        page.ask(f"/v1/objectives/{id}/comments"),
        page.ask(f"/v1/objectives/{id}/kudos"),
        page.names(),
        page.ask("/v1/alignment", root=id, show="both"),
    )
    return page.show(
        "objective.html",
        200 if refused is None else refused.status,
        goal=goal,
        charts=charts,
        check_ins=check_ins["items"],
        timeline=list(reversed(timeline["items"])),
        comments=comments["items"],
        kudos=kudos["items"],
        names=names,
        around={one["id"]: one for one in around["nodes"]},
        holders={kr["id"]: one["id"] for one in around["nodes"] for kr in one["key_results"]},
        key=new_key(),
        refused=refused,
        said=said,
    )


async def _charts(page: WebPage, goal: Json) -> dict[str, tuple[Chart | None, list[Json]]]:
    """By key result: its chart, and the points behind it."""
    drawn = [one["id"] for one in goal["key_results"] if not one["dropped"]][:CHARTS_MAX]
    answers = await asyncio.gather(
        *(page.ask(f"/v1/key-results/{id}/progress", points=POINTS) for id in drawn)
    )
    return {id: (chart(one["points"]), one["points"]) for id, one in zip(drawn, answers, strict=True)}


async def explain(page: WebPage) -> Response:
    """`/goals/<id>/explain`."""
    id = page.request.path_params["id"]
    answer = await page.ask(f"/v1/objectives/{id}/explain", depth=LEVELS_EXPLAINED)
    return page.show("explain.html", answer=answer, back=f"/goals/{id}", facts=_facts(answer))


async def explain_key_result(page: WebPage) -> Response:
    """`/key-results/<id>/explain`."""
    id = page.request.path_params["id"]
    answer = await page.ask(f"/v1/key-results/{id}/explain", depth=LEVELS_EXPLAINED)
    return page.show("explain.html", answer=answer, back=_back(answer), facts=_facts(answer))


def _back(answer: Json) -> str:
    node = answer["nodes"][answer["amended"]]
    return f"/goals/{node['objective']}"


def _facts(answer: Json) -> dict[str, Json]:
    return {one["event_id"]: one for one in answer["facts"]}
