"""All goals: found by filters and words, in an order, page by page."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from goal_ledger_projection.api.choices import KINDS, STATES, STATUSES
from goal_ledger_projection.pages.page import WebPage

FILTERS = ("q", "status", "state", "kind", "unit", "cycle", "owner")
PAGE_ITEMS = "50"
SORTS = ("title", "-score", "-gap", "status")


async def goals(page: WebPage) -> Response:
    """`/goals`."""
    asked = {name: page.request.query_params.get(name, "").strip() for name in FILTERS}
    sort = page.request.query_params.get("sort") or "title"
    cursor = page.request.query_params.get("cursor")
    found = await page.ask("/v1/objectives", **asked, sort=sort, limit=PAGE_ITEMS, cursor=cursor)
    names, cycles = await asyncio.gather(page.names(), page.ask("/v1/cycles"))
    return page.show(
        "goals.html",
        found=found,
        names=names,
        cycles=cycles["items"],
        units=[
            (name.removeprefix("unit/"), text) for name, text in names.items() if name.startswith("unit/")
        ],
        asked=asked,
        sort=sort,
        choices={"status": STATUSES, "state": STATES, "kind": KINDS, "sort": SORTS},
    )
