"""Who is who: the units as a tree, and the people in them."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from goal_ledger_projection.pages.page import WebPage


async def people(page: WebPage) -> Response:
    """`/people`."""
    units = await page.ask("/v1/units")
    found, names = await asyncio.gather(page.ask("/v1/people"), page.names())
    return page.show("people.html", tree=tree_of_units(units["items"]), people=found["items"], names=names)


def tree_of_units(units: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The units with their depth, each after the one above it."""
    known = {one["id"] for one in units}
    beneath: dict[str | None, list[dict[str, Any]]] = {}
    for one in units:
        parent = (one["parent"] or "").removeprefix("unit/")
        beneath.setdefault(parent if parent in known else None, []).append(one)
    ordered: list[tuple[int, dict[str, Any]]] = []
    waiting = [(0, one) for one in reversed(beneath.get(None, []))]
    while waiting:
        depth, one = waiting.pop()
        ordered.append((depth, one))
        waiting.extend((depth + 1, child) for child in reversed(beneath.get(one["id"], [])))
    return ordered
