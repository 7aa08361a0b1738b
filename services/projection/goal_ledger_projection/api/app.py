"""The query API as one application."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from goal_ledger_edge.documents import json_document
from goal_ledger_edge.examples import show_answers
from goal_ledger_edge.gate import Gate
from goal_ledger_edge.openapi import finish
from goal_ledger_edge.problems import install_problem_handlers
from goal_ledger_edge.request_context import RequestContext
from goal_ledger_observability.health import health_routes
from goal_ledger_observability.metrics import CollectorRegistry, HttpMetrics
from starlette.types import ASGIApp

from goal_ledger_projection.api import (
    alignment,
    amendments,
    attribution,
    back_test,
    calibration,
    changes_since,
    check_ins,
    commitments,
    cycle_summary,
    diff,
    dossier,
    events,
    explain,
    exports,
    exports_of_changes,
    exports_of_goals,
    exports_of_organisation,
    exports_of_records,
    facts,
    feeds,
    goalpost_moves,
    grid,
    habits,
    holders,
    key_results,
    lineage,
    moments,
    objective,
    objectives,
    organisation,
    owed,
    participation,
    policies,
    progress,
    remarks,
    restatements,
    silent,
    timeline,
    what_if,
)
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import Views

RESOURCES = (
    objectives,
    objective,
    timeline,
    dossier,
    lineage,
    remarks,
    key_results,
    progress,
    explain,
    attribution,
    goalpost_moves,
    diff,
    amendments,
    commitments,
    restatements,
    what_if,
    check_ins,
    alignment,
    facts,
    events,
    organisation,
    policies,
    moments,
    owed,
    silent,
    participation,
    changes_since,
    cycle_summary,
    habits,
    back_test,
    calibration,
    feeds,
    holders,
    exports,
    exports_of_changes,
    exports_of_goals,
    exports_of_organisation,
    exports_of_records,
    grid,
)

TAGS = {
    "objectives": "Objectives, what happened to them, and what was said of them",
    "key results": "Key results, with parts and values, and their progress over time",
    "check-ins": "What was said of goals, by whom and when",
    "alignment": "What supports what",
    "rhythm": "Who owes a word, who has fallen silent, who takes part",
    "facts": "The facts as they were recorded: roles analyst, auditor, admin",
    "organisation": "Cycles, units, people, policies and moments",
    "feeds": "Feeds of readings and their health; an emitter sees its own",
    "exports": "Datasets as Parquet, Arrow, CSV and JSON Lines: roles analyst, auditor",
    "access": "Systems, keys, identities and roles: who may do what",
}

ABOUT = """
What is so, at any moment (`as_of`), as known at any moment (`known_at`). Every answer names the position of the facts
it includes and carries a `token` that gives the same bytes again. A `Goal-Ledger-Position` from a command's answer, with
`wait_ms`, makes an answer wait until it includes that command. Decimals are strings; null means not measured.
"""


def query_app(
    views: Views,
    registry: CollectorRegistry,
    *,
    local: bool = False,
    lifespan: Any = None,
    pages: Callable[[ASGIApp], ASGIApp] | None = None,
) -> ASGIApp:
    """The application of the public listener, with health and documentation; no page of it needs another host.
    `pages`: what is laid over it for people."""
    app = FastAPI(
        title="Goal Ledger queries",
        version="1",
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False},
    )
    install_problem_handlers(app)
    app.state.views = views
    routers = [*(one.routes for one in RESOURCES), exports.fallback]
    routes = [route for one in routers for route in one.routes if isinstance(route, QuestionRoute)]
    app.router.routes.extend(routes)
    app.router.routes.extend(health_routes(views.checks, None))
    app.router.routes.append(json_document("/asyncapi.json", _topics))
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    gate = Gate(app, views.sign_in, routes)
    return RequestContext(gate if pages is None else pages(gate), HttpMetrics(registry), local=local)


def _topics() -> bytes:
    """Loaded when it is asked for: FastStream is large, and nothing else here needs it."""
    from goal_ledger_messaging.asyncapi import document

    return document()


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        show_answers(made, files(__package__).joinpath("examples"))
        app.openapi_schema = finish(made, TAGS, "A person's token, or a system's API key")
    return app.openapi_schema
