"""The cycles, and how the goals of one stand."""

from __future__ import annotations

import asyncio
from collections import Counter

from starlette.responses import Response

from goal_ledger_projection.api.choices import STATUSES
from goal_ledger_projection.pages.page import WebPage

GOALS_MAX = "200"


async def cycles(page: WebPage) -> Response:
    """`/cycles`."""
    found = await page.ask("/v1/cycles")
    latest = sorted(found["items"], key=lambda one: str(one["start"]), reverse=True)
    return page.show("cycles.html", cycles=latest)


async def cycle(page: WebPage) -> Response:
    """`/cycles/<id>`."""
    id = page.request.path_params["id"]
    one = await page.ask(f"/v1/cycles/{id}")
    goals, names = await asyncio.gather(
        page.ask("/v1/objectives", cycle=id, sort="-gap", limit=GOALS_MAX), page.names()
    )
    counted = Counter(goal["status"] for goal in goals["items"])
    by_status = [(status, counted[status]) for status in STATUSES if counted[status]]
    return page.show(
        "cycle.html",
        cycle=one["cycle"],
        goals=goals["items"],
        total=goals["total"],
        by_status=by_status,
        names=names,
    )
