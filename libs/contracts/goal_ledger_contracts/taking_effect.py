"""When a fact counts: from its ``effective_at`` on, but for those that count as soon as they are recorded."""

from __future__ import annotations

from typing import TypeVar

FactClass = TypeVar("FactClass", bound=type)

_WHEN_RECORDED: set[type] = set()


def counts_when_recorded(fact: FactClass) -> FactClass:
    """Marks a class of facts that count by when they were recorded, not by when they took effect."""
    _WHEN_RECORDED.add(fact)
    return fact


def is_counted_when_recorded(fact: type) -> bool:
    """Whether the class is marked so."""
    return fact in _WHEN_RECORDED
