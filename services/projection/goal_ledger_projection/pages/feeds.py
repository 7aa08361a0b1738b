"""The feeds: whether each is alive, and what waits in quarantine."""

from __future__ import annotations

from starlette.responses import Response

from goal_ledger_projection.pages.page import WebPage


async def feeds(page: WebPage) -> Response:
    """`/feeds`."""
    found = await page.ask("/v1/feeds")
    waiting = await page.ask("/v1/quarantine")
    return page.show("feeds.html", feeds=found["items"], waiting=waiting)
