"""What FastAPI cannot know: problem documents, CloudEvents, the facts' schemas and how callers sign in."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from goal_ledger_command.api.fact_schemas import fact_schemas
from goal_ledger_command.api.readings import DataBody, EventBody
from goal_ledger_edge.problems import ProblemDocument
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE = "#/components/schemas/{model}"
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A person's token (JWT with the claim workspace), or an API key glk.<workspace>.<key id>.<secret>",
}


def install_openapi(app: FastAPI) -> None:
    """Replaces the application's own description; made once, when it is first asked for."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schemas |= _schemas(ProblemDocument, EventBody, DataBody) | fact_schemas()
            made["components"]["securitySchemes"] = {"bearer": _BEARER}
            made["security"] = [{"bearer": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _schemas(*models: type[BaseModel]) -> dict[str, Any]:
    asked = [(model, "validation") for model in models]
    _, definitions = models_json_schema(asked, ref_template=REFERENCE)  # type: ignore[arg-type]
    found: dict[str, Any] = definitions["$defs"]
    return found
