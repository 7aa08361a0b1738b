"""Every kind of fact, by its stored type name, with its present schema version."""

from __future__ import annotations

import dataclasses
import re
import types
from typing import Any

from goal_ledger_contracts import cycle, feed, objective, person, unit, workspace
from goal_ledger_contracts.personal import Personal
from goal_ledger_contracts.taking_effect import is_counted_when_recorded

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


def _declared(module: types.ModuleType) -> dict[str, type]:
    """The module's facts: its classes, but for those that are pieces of others."""
    classes = {
        name: cls
        for name, cls in vars(module).items()
        if dataclasses.is_dataclass(cls) and isinstance(cls, type) and cls.__module__ == module.__name__
    }
    annotations = [str(field.type) for cls in classes.values() for field in dataclasses.fields(cls)]
    pieces = {word for one in annotations for word in re.findall(r"\w+", one)}
    return {name: cls for name, cls in classes.items() if name not in pieces}


FACTS: dict[str, type] = {name: cls for module in STREAMS.values() for name, cls in _declared(module).items()}

STREAM_OF: dict[str, str] = {name: stream for stream, module in STREAMS.items() for name in _declared(module)}

SCHEMA: dict[str, int] = dict.fromkeys(FACTS, 1)
"""The present schema version of each type; older ones are lifted (``lifting.py``)."""

COUNTED_WHEN_RECORDED: frozenset[str] = frozenset(
    name for name, cls in FACTS.items() if is_counted_when_recorded(cls)
)
"""Facts of which only the seq counts, not when they took effect."""

PERSONAL_FIELDS: dict[type, tuple[tuple[str, str], ...]] = {
    cls: tuple((f.name, f.metadata["personal"]) for f in dataclasses.fields(cls) if "personal" in f.metadata)
    for cls in FACTS.values()
}
"""For each fact class: (field, whose key) of its personal texts."""

__all__ = [
    "COUNTED_WHEN_RECORDED",
    "FACTS",
    "PERSONAL_FIELDS",
    "SCHEMA",
    "STREAMS",
    "STREAM_OF",
    "FactData",
    "Personal",
]
