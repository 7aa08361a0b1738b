"""The OpenAPI documents of both services, made by the applications themselves without databases behind them."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
from command.service import settings_in
from goal_ledger_command.wiring import apps
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from starlette.types import ASGIApp

NOTHING = cast(Any, None)
"""What answers would need, and a description does not."""


def documents() -> dict[str, dict[str, Any]]:
    """By service; of the command service the internal listener's, which has the public one's routes and more."""
    with tempfile.TemporaryDirectory() as directory:
        store = cast(Any, SimpleNamespace(engine=NOTHING, ledger=NOTHING, keyring=NOTHING))
        settings = settings_in(Path(directory), "postgresql://judged", "postgresql://judged")
        _, internal = apps(settings, store, NOTHING, new_registry("judged"))
    desk = cast(Any, SimpleNamespace(checks=NOTHING, sign_in=NOTHING))
    query = query_app(desk, new_registry("judged"))
    services = {"command": internal, "query": query}
    return {name: asyncio.run(_document(app)) for name, app in services.items()}


async def _document(app: ASGIApp) -> dict[str, Any]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://judged") as client:
        found: dict[str, Any] = (await client.get("/openapi.json")).json()
        return found
