"""Every kind of fact, by its stored type name, with its present schema version."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

from goal_ledger_contracts import cycle, feed, objective, person, unit, workspace
from goal_ledger_contracts.personal import Personal

FactData = Any
"""An instance of one of the classes in :data:`FACTS`."""

STREAMS: dict[str, types.ModuleType] = {
    "workspace": workspace,
    "unit": unit,
    "person": person,
    "cycle": cycle,
    "objective": objective,
    "feed": feed,
}

_NOT_FACTS = {"Policy", "LostHead", "PartValue"}


def _declared(module: types.ModuleType) -> dict[str, type]:
    return {
        name: cls
        for name, cls in vars(module).items()
        if dataclasses.is_dataclass(cls)
        and isinstance(cls, type)
        and cls.__module__ == module.__name__
        and name not in _NOT_FACTS
    }


FACTS: dict[str, type] = {name: cls for module in STREAMS.values() for name, cls in _declared(module).items()}

STREAM_OF: dict[str, str] = {name: stream for stream, module in STREAMS.items() for name in _declared(module)}

SCHEMA: dict[str, int] = dict.fromkeys(FACTS, 1)
"""The present schema version of each type; older ones are lifted (``lifting.py``)."""

PERSONAL_FIELDS: dict[type, tuple[tuple[str, str], ...]] = {
    cls: tuple((f.name, f.metadata["personal"]) for f in dataclasses.fields(cls) if "personal" in f.metadata)
    for cls in FACTS.values()
}
"""For each fact class: (field, whose key) of its personal texts."""

__all__ = ["FACTS", "PERSONAL_FIELDS", "SCHEMA", "STREAMS", "STREAM_OF", "FactData", "Personal"]
