"""One part of the domain: the commands of a file and what it does with them, the facts it folds and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from goal_ledger_contracts.decision import Decision, Identity, Situation
from goal_ledger_contracts.envelope import Fact

from goal_ledger_domain.world import World

Command = Any
"""A frozen dataclass whose first field is ``meta``."""


def no_lookups(command: Command) -> tuple[Identity, ...]:
    return ()


def no_neighbours(command: Command, world: World | None) -> tuple[tuple[str, datetime], ...]:
    return ()


def no_folding(world: World, fact: Fact) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Part:
    commands: tuple[type, ...]
    decide: Callable[[World, Command, Situation], Decision]
    folds: tuple[type, ...] = ()
    """The fact classes that ``evolve`` takes; one class may be folded by one part only."""
    evolve: Callable[[World, Fact], None] = no_folding
    lookups: Callable[[Command], tuple[Identity, ...]] = no_lookups
    neighbours: Callable[[Command, World | None], tuple[tuple[str, datetime], ...]] = no_neighbours
    exclusive: tuple[type, ...] = ()
    """Commands that are decided in a batch of their own."""
