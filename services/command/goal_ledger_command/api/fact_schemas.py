"""JSON schemas of the facts, from the classes that declare them: what a line of the log looks like."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Union

from goal_ledger_contracts.facts import FACTS, SCHEMA

Schema = dict[str, Any]

_HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_INSTANT = {"type": "string", "format": "date-time"}
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$"},
    datetime: _INSTANT,
    date: {"type": "string", "format": "date"},
}

ENVELOPE: dict[str, Schema] = {
    "event_id": {"type": "string", "format": "uuid"},
    "workspace": {"type": "string"},
    "seq": {"type": "integer", "minimum": 1},
    "stream": {"type": "string", "examples": ["objective/web-shop"]},
    "version": {"type": "integer", "minimum": 1},
    "type": {"type": "string", "enum": sorted(FACTS)},
    "schema": {"type": "integer", "minimum": 1},
    "effective_at": _INSTANT,
    "stated_at": _INSTANT,
    "recorded_at": _INSTANT,
    "actor": {"type": "string", "examples": ["person/ada"]},
    "reason": {"type": "string"},
    "correlation_id": {"type": "string"},
    "causation_id": {"type": "string"},
    "command": {"type": "object", "properties": {"key": _HEX, "body": _HEX}},
    "origin": {"type": "object", "properties": {"via": {"type": "string"}}},
    "previous": {"anyOf": [_HEX, {"type": "null"}], "description": "Hash of the stream's fact before"},
}
OPTIONAL = {"stated_at", "reason", "command", "origin"}


def fact_schemas() -> dict[str, Schema]:
    """Components: ``Fact``, and ``data.<name>`` for the data of each type and what it holds."""
    found: dict[str, Schema] = {}
    for cls in FACTS.values():
        _of_class(cls, found)
    by_type = [{"$ref": _reference(name)} for name in FACTS]
    found["Fact"] = {
        "type": "object",
        "description": f"One line of the log. data is that of its type, in schema {max(SCHEMA.values())}.",
        "properties": {**ENVELOPE, "data": {"anyOf": by_type}},
        "required": [*sorted(set(ENVELOPE) - OPTIONAL), "data"],
        "additionalProperties": False,
    }
    return found


def _reference(name: str) -> str:
    return f"#/components/schemas/data.{name}"


def _of_class(cls: Any, found: dict[str, Schema]) -> Schema:
    name = f"data.{cls.__name__}"
    if name not in found:
        found[name] = {}
        hints = typing.get_type_hints(cls)
        fields = dataclasses.fields(cls)
        properties = {one.name: _of_hint(hints[one.name], found) for one in fields}
        required = [one.name for one in fields if _is_required(one)]
        if isinstance(kind := getattr(cls, "kind", None), str):
            properties["kind"] = {"const": kind}
            required.append("kind")
        found[name] = {"type": "object", "properties": properties, "required": required}
    return {"$ref": f"#/components/schemas/{name}"}


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _of_hint(hint: Any, found: dict[str, Schema]) -> Schema:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin = typing.get_origin(hint)
    if origin is tuple:
        return {"type": "array", "items": _of_hint(typing.get_args(hint)[0], found)}
    if origin in (Union, types.UnionType):
        members = [one for one in typing.get_args(hint) if one is not type(None)]
        schemas = [_of_hint(one, found) for one in members]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return _of_class(hint, found)
