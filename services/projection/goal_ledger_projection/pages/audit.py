"""The record itself, for who may read facts: found by filters, and the signed head that they stand under."""

from __future__ import annotations

from starlette.responses import Response

from goal_ledger_projection.pages.asking import ApiRefusal
from goal_ledger_projection.pages.page import WebPage

FILTERS = ("stream", "type", "actor", "q", "recorded_from", "recorded_to")
PAGE_ITEMS = "50"


async def audit(page: WebPage) -> Response:
    """`/audit`."""
    query = page.request.query_params
    asked = {name: query.get(name, "").strip() for name in FILTERS}
    found = await page.ask("/v1/facts", **asked, order="desc", limit=PAGE_ITEMS, cursor=query.get("cursor"))
    return page.show("audit.html", found=found, asked=asked, head=await _head(page))


async def _head(page: WebPage) -> str | None:
    """The newest signed head; None for who may not read the log, and while the command service is away."""
    try:
        return await page.commands.read(page.session, "/v1/log/checkpoint")
    except ApiRefusal:
        return None
