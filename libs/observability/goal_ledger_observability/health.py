"""``/health/live`` and ``/health/ready`` on every listener, ``/metrics`` on the internal ones alone; the same on every process.

Live says that the event loop turns, and asks nobody: a database that is away must not get processes killed. Ready says
whether new work should come here; it must not depend on lag, or all instances would leave at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Checks = Callable[[], Awaitable[Mapping[str, str]]]
"""Names what is looked at: ``"ok"`` (``"ok: …"`` with what somebody should know), or what is wrong in a few words. All
ok = ready."""

READY_TIMEOUT_SECONDS = 2.0


def _json(status: int, body: Mapping[str, object]) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")


def health_routes(checks: Checks, registry: CollectorRegistry | None) -> list[Route]:
    """The routes for an application of one's own; with a ``registry``, on internal listeners, also ``/metrics``."""

    async def live(_: Request) -> Response:
        return _json(200, {"status": "live"})

    async def ready(_: Request) -> Response:
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                found = dict(await checks())
        except TimeoutError:
            found = {"checks": f"no answer within {READY_TIMEOUT_SECONDS:g} s"}
        except Exception as failed:
            found = {"checks": type(failed).__name__}
        is_ready = all(state == "ok" or state.startswith("ok: ") for state in found.values())
        return _json(
            200 if is_ready else 503, {"status": "ready" if is_ready else "not ready", "checks": found}
        )

    routes = [
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
    ]
    return routes if registry is None else [*routes, _metrics_route(registry)]


def _metrics_route(registry: CollectorRegistry) -> Route:
    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics, methods=["GET"])


def health_app(checks: Checks, registry: CollectorRegistry | None) -> Starlette:
    """A whole application of these routes: the internal listener of processes without an API (relay, worker)."""
    app = Starlette(routes=health_routes(checks, registry))
    app.router.redirect_slashes = False
    return app
