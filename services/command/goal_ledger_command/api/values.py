"""How values are written in bodies. Decimals are taken by their digits and never pass through a float.

A body is parsed once (``goal_ledger_edge.bodies``); what arrives here are dicts, lists, strings, ints, ``Decimal``,
booleans and None. Each refusal has a stable code; whether a well-formed value is allowed is for the deciders to say.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_contracts.ids import uuid7
from goal_ledger_edge.openapi import INSTANT_PATTERN
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, WithJsonSchema
from pydantic_core import PydanticCustomError

_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _decimal(given: Any) -> Any:
    kind = type(given)
    if kind is str and _DECIMAL.fullmatch(given):
        return Decimal(given)
    if kind is Decimal:
        return given
    if kind is int:
        return Decimal(given)
    raise PydanticCustomError(
        "value_not_decimal", 'A decimal is written as a string such as "12.5", or a number.'
    )


def _instant(given: Any) -> datetime:
    if type(given) is str:
        try:
            return parse_instant(given)
        except ValueError:
            pass
    raise PydanticCustomError(
        "instant_malformed", "An instant is RFC 3339 with an offset, such as 2026-11-23T10:00:00Z."
    )


def _date(given: Any) -> date:
    if type(given) is str and _DATE.fullmatch(given):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    raise PydanticCustomError("date_malformed", "A date is written YYYY-MM-DD.")


Number = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,6})?$"}, {"type": "number"}],
            "description": "An exact decimal: at most 18 digits before and 6 after the point",
            "examples": ["12.5"],
        }
    ),
]
"""An exact decimal. Its digits are limited by the deciders (``value_not_decimal``, ``weight_not_allowed``)."""

Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "pattern": INSTANT_PATTERN,
            "examples": ["2026-11-23T10:00:00Z"],
        }
    ),
]
LocalDate = Annotated[
    date,
    BeforeValidator(_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-10-01"]}),
]

ID_PATTERN = r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$"

Id = Annotated[str, Field(json_schema_extra={"pattern": ID_PATTERN, "examples": ["web-shop"]})]
"""1–64 of ``A–Z a–z 0–9 . _ -``, but not ``.`` or ``..``; the deciders refuse others (``id_malformed``)."""
NewId = Annotated[
    str | None,
    Field(
        default=None,
        description="Chosen by the client, else a UUIDv7 is made",
        json_schema_extra={"examples": ["web-shop"]},
    ),
]


def new_id(chosen: str | None) -> str:
    """The id that the client chose, else a new one. An empty one was chosen: the deciders refuse it."""
    return uuid7() if chosen is None else chosen


Holder = Annotated[
    str, Field(description="person/<id> or system/<id>", json_schema_extra={"examples": ["person/ada"]})
]
Owner = Annotated[
    str, Field(description="unit/<id> or person/<id>", json_schema_extra={"examples": ["unit/sales"]})
]
Flag = StrictBool
Whole = StrictInt


class CommandBody(BaseModel):
    """What every command may state beside its own content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str | None = Field(default=None, description="Why; required where the command says so")
    effective_at: Instant | None = Field(
        default=None, description="When it was true; the past only for importers, check-ins excepted"
    )


class Plain(CommandBody):
    """Nothing but a reason and a time."""


class Piece(BaseModel):
    """A part of a body."""

    model_config = ConfigDict(extra="forbid", frozen=True)
