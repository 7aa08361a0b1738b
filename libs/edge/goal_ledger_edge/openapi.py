"""What both services' OpenAPI documents say alike: tags, server, how callers sign in, and how words are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from goal_ledger_contracts.ids import ID

from goal_ledger_edge.problems import ProblemDocument

INSTANT_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
POSITION_PATTERN = r"^[1-9][0-9]{0,9}-(0|[1-9][0-9]{0,17})$"
VERSION_PATTERN = r'^"(0|[1-9][0-9]{0,9})"$'
"""Of If-Match."""
KEY_PATTERN = r"^[!-~]{1,255}$"
"""Of Idempotency-Key."""
ID_PATTERN = f"^{ID.pattern}$"

_NAMED = {
    "actor": "Who recorded it: person/<id>, system/<id> or operator",
    "after": "Begin after this one",
    "dropped": "Only those dropped, or only the others",
    "effective_from": "True at that instant or later",
    "id": "Its id; of a reading, with the source its identity",
    "kind": "The kind",
    "limit": "How many items at most",
    "order": "By seq: asc or desc",
    "points": "How many points at most",
    "recorded_from": "Recorded at that instant or later",
    "source": "With the id the reading's identity",
    "state": "The state",
    "stream": "<kind>/<id>: of one thing alone",
    "workspace": "Of services alone: which workspace",
}
"""Parameters whose name says nearly all, where the route says no more."""

PROBLEM = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
"""The content of every refusal; :func:`finish` puts the schema there."""

Document = dict[str, Any]


def finish(document: Document, tags: Mapping[str, str], bearer: str) -> Document:
    """The document with what is the same for every route. `tags`: name → what its routes are about; `bearer`: what is
    taken as a credential. Raises KeyError for a route whose tag is not described."""
    used = sorted({tag for operation in _operations(document) for tag in operation.get("tags", ())})
    document["tags"] = [{"name": name, "description": tags[name]} for name in used]
    document["servers"] = [{"url": "/", "description": "This listener; behind a gateway, the gateway"}]
    document["info"]["contact"] = {"name": "Who runs this installation"}
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["ProblemDocument"] = ProblemDocument.model_json_schema()
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "description": bearer}}
    document["security"] = [{"bearer": []}]
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            parameter.setdefault("description", _NAMED.get(name, f"The {name.replace('_', ' ')}"))
            _describe_values(parameter)
    return document


def _describe_values(parameter: Document) -> None:
    """A parameter is left out, never null, however its Python type says so."""
    schema = parameter["schema"]
    choices = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
    schema |= choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}
    if parameter["in"] == "path":
        schema.setdefault("pattern", ID_PATTERN)
    if parameter["name"] == "Idempotency-Key":
        schema.setdefault("pattern", KEY_PATTERN)


def _operations(document: Document) -> Iterator[Document]:
    for methods in document["paths"].values():
        yield from methods.values()
