"""The query process: all its parts, wired by hand, opened and closed in one place."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from goal_ledger_database.metrics import PulseMetrics
from goal_ledger_edge.server import Listener, run, serve
from goal_ledger_edge.settings import settings_of
from goal_ledger_edge.tokens import TokenVerifier
from goal_ledger_observability.health import health_app
from goal_ledger_observability.logs import configure_logging, logger
from goal_ledger_observability.metrics import new_registry
from starlette.types import ASGIApp

from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.api.view import Views
from goal_ledger_projection.database import refuse_unsafe_durability
from goal_ledger_projection.history.snapshots import ReadDatabase
from goal_ledger_projection.pages.app import WebPages
from goal_ledger_projection.pages.asking import Commands
from goal_ledger_projection.query_settings import QuerySettings

GARBAGE_THRESHOLDS = (1_000_000, 10, 10)
"""A whole tree is some hundred thousand objects made at once, and freed by counting references when the next replaces
it; looking for cycles among them at the usual threshold takes longer than scoring them."""

log = logger("goal_ledger.query")


def run_query() -> None:
    """The process: settings from the environment, answers until SIGTERM."""
    settings = settings_of(QuerySettings)
    configure_logging("query", settings.log_level)
    run(serve_queries(settings))


async def serve_queries(settings: QuerySettings) -> None:
    """Answer on the HTTP port until SIGTERM."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    if settings.local_mode:
        log.warning("LOCAL MODE: demonstration identities, whose keys everybody can have, are accepted")
    if not settings.allow_unsafe_durability:
        await refuse_unsafe_durability(settings.read_database_url)
    database = ReadDatabase(settings)
    views = Views(settings, database, verifier(settings))
    commands = Commands(settings.command_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await database.start()
        try:
            yield
        finally:
            await commands.close()
            await views.close()
            await database.close()

    registry = new_registry("query")
    PulseMetrics(registry, database.pulse)

    def pages(api: ASGIApp) -> ASGIApp:
        return WebPages(api, views, settings, commands)

    app = query_app(views, registry, local=settings.local_mode, lifespan=lifespan, pages=pages)
    host, limits = settings.http_host, settings.limits()
    listeners = [
        Listener(app, host, settings.http_port, lifespan="on", limits=limits),
        Listener(health_app(views.checks, registry), host, settings.internal_http_port, limits=limits),
    ]
    await serve(listeners, drain_seconds=settings.drain_seconds, stop=views.stopping)


def verifier(settings: QuerySettings) -> TokenVerifier:
    """Checks people's tokens; service tokens are not accepted here."""
    return settings.verifier()
