"""The HTTP application of the command service: one public, one internal, of the same parts.

The internal listener answers the same routes, and on the log's and the keys' also service tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from goal_ledger_command.api import (
    access,
    check_ins,
    cycles,
    feeds,
    key_results,
    lifecycle,
    moments,
    objectives,
    people,
    reading_review,
    units,
    workspace,
)
from goal_ledger_command.api.command_route import CommandRoute
from goal_ledger_command.api.dispatch import Dispatch
from goal_ledger_command.api.door import Door
from goal_ledger_command.api.openapi import install_openapi
from goal_ledger_command.api.routes import Route
from goal_ledger_domain.refusals import CODES
from goal_ledger_edge.documents import json_document
from goal_ledger_edge.gate import Gate
from goal_ledger_edge.problems import install_problem_handlers
from goal_ledger_messaging import asyncapi
from goal_ledger_observability.health import Checks, health_routes
from goal_ledger_observability.metrics import CollectorRegistry
from starlette.types import ASGIApp

DESCRIPTION = """Says yes or no, and remembers. One command per fact; every answer names the position that includes it.

Refusals are problem documents (RFC 9457) with a stable `code`. Conventions: docs/http.md."""

COMMANDS: tuple[CommandRoute, ...] = tuple(
    route
    for router in (
        check_ins.commands,
        objectives.commands,
        lifecycle.commands,
        key_results.commands,
        check_ins.words,
        reading_review.commands,
        feeds.commands,
        moments.commands,
        cycles.commands,
        units.commands,
        people.commands,
        access.commands,
        workspace.commands,
    )
    for route in router.routes
    if isinstance(route, CommandRoute)
)
"""Every command's route; the most frequent first, for the router tries them in this order."""


def make_app(
    door: Door,
    routers: Sequence[APIRouter],
    checks: Checks,
    registry: CollectorRegistry | None,
) -> ASGIApp:
    """The application of one listener. ``routers``: the routes that are no plain commands; ``registry``: on the internal
    listener, for its metrics."""
    app = FastAPI(
        title="Goal Ledger: commands",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False},
    )
    install_problem_handlers(app, {code: meaning for code, (_, meaning) in CODES.items()})
    reads = [route for router in routers for route in router.routes if isinstance(route, Route)]
    app.router.routes.extend([*COMMANDS, *reads])
    app.router.routes.extend(health_routes(checks, registry))
    app.router.routes.append(json_document("/asyncapi.json", asyncapi.document))
    install_openapi(app)
    return Gate(Dispatch(COMMANDS, app, door), door.sign_in, [*COMMANDS, *reads])
