"""What FastAPI cannot know: problem documents, CloudEvents, the facts' schemas and how callers sign in."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from goal_ledger_command.api.fact_schemas import fact_schemas
from goal_ledger_command.api.readings import DataBody, EventBody
from goal_ledger_edge.examples import good_content, show_answers
from goal_ledger_edge.openapi import finish
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE = "#/components/schemas/{model}"
_BEARER = "A person's token (JWT with the claim workspace), or an API key glk.<workspace>.<key id>.<secret>"
_TAGS = {
    "check-ins": "What is said of goals: check-ins, and how they are corrected and retracted",
    "words": "Comments, kudos and endorsements",
    "objectives": "What one wants to reach, and its way from draft to archive",
    "key results": "What must be true for an objective to be reached",
    "readings": "Readings of feeds, one or a batch; receipts; quarantine",
    "feeds": "Registered streams of readings",
    "moments": "Named instants, on which windows open",
    "cycles": "When goals run",
    "units": "Divisions and teams",
    "people": "People, and where they sit",
    "access": "Systems, identities, roles and API keys",
    "workspace": "Policies, and texts withheld",
    "imports": "A whole organisation, or rows of it",
    "log": "The raw record and its signed heads: role auditor",
    "keys": "Keys of personal texts, for services: on the internal listener alone",
}


def install_openapi(app: FastAPI) -> None:
    """Replaces the application's own description; made once, when it is first asked for."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schemas |= _schemas(EventBody, DataBody) | fact_schemas()
            show_answers(made, files(__package__).joinpath("examples"))
            schemas["AnswerDocument"]["examples"] = [_answer_shown(made)]
            app.openapi_schema = finish(made, _TAGS, _BEARER)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _answer_shown(document: dict[str, Any]) -> Any:
    """One command's answer, for those commands that the demo does not give."""
    return good_content(document["paths"]["/v1/objectives"]["post"])["examples"]["demo"]["value"]


def _schemas(*models: type[BaseModel]) -> dict[str, Any]:
    asked = [(model, "validation") for model in models]
    _, definitions = models_json_schema(asked, ref_template=REFERENCE)  # type: ignore[arg-type]
    found: dict[str, Any] = definitions["$defs"]
    return found
