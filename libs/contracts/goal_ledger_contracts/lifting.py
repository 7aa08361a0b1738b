"""Old shapes of facts, lifted to the present one when they are read. The stored bytes never change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goal_ledger_contracts.facts import SCHEMA

LIFTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""(type, schema) → data of schema + 1."""


def lift(type_name: str, schema: int, data: dict[str, Any]) -> dict[str, Any]:
    """The data in the present shape. Raises ValueError for a schema newer than this release knows."""
    present = SCHEMA.get(type_name)
    if present is None or schema > present:
        raise ValueError(f"{type_name} schema {schema} is newer than this release")
    while schema < present:
        data = LIFTS[type_name, schema](data)
        schema += 1
    return data
