"""The tree of units: their states, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from goal_ledger_contracts.unit import UnitCreated

from goal_ledger_domain import limits
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class Open:
    name: str
    parent: str | None
    lead: str | None
    waves: frozenset[str]
    created: UnitCreated
    last_effective_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    name: str
    parent: str | None
    lead: str | None
    waves: frozenset[str]
    created: UnitCreated
    last_effective_at: datetime


Unit = Open | Closed


def unit(world: World, id: str, field: str = "unit") -> Unit:
    """Refuses ``unknown_unit``."""
    found: Unit | None = world.get("unit", id)
    if found is None:
        raise Refusal("unknown_unit", f"There is no unit {id[:64]}.", field=field)
    return found


def open_unit(world: World, id: str, field: str = "unit") -> Open:
    """Refuses ``unknown_unit`` and ``unit_closed``."""
    found = unit(world, id, field)
    if isinstance(found, Closed):
        raise Refusal("unit_closed", f"The unit {id} is closed.", field=field)
    return found


def units_above(world: World, id: str) -> Iterator[str]:
    """The unit itself, then the units above it up to the top; nothing for an unknown unit."""
    at: str | None = id
    while at is not None and (state := world.get("unit", at)) is not None:
        yield at
        at = state.parent


def leads_over(world: World, person: str, id: str) -> bool:
    """Whether the person leads the unit or one above it."""
    return any(world.get("unit", above).lead == person for above in units_above(world, id))


def need_no_loop(world: World, id: str, parent: str) -> None:
    path = list(units_above(world, parent))
    if id in path:
        path = [*reversed(path[: path.index(id) + 1]), id]
        raise Refusal("unit_loop", f"{parent} is {id} itself or lies below it.", field="parent", path=path)


def levels_below(world: World, id: str) -> int:
    """How many levels the unit and those below it have."""
    own = len(list(units_above(world, id)))
    depths = (list(units_above(world, other)) for other, _ in world.all("unit"))
    return max(len(path) for path in depths if id in path) - own + 1


def need_depth(world: World, parent: str, levels: int) -> None:
    if len(list(units_above(world, parent))) + levels > limits.UNIT_DEPTH_MAX_LEVELS:
        raise Refusal(
            "unit_too_deep",
            f"The tree of units may have at most {limits.UNIT_DEPTH_MAX_LEVELS} levels.",
            field="parent",
            limit=limits.UNIT_DEPTH_MAX_LEVELS,
        )
