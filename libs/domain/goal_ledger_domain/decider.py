"""One file of the domain as two tables: a row per command, and how each fact that it folds changes the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Any

from goal_ledger_contracts.decision import Decision, Identity, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.permission import Permission, depends_on_target

from goal_ledger_domain.target import Target
from goal_ledger_domain.world import World

Command = Any
"""A frozen dataclass whose first field is ``meta``."""

Fold = Callable[[World, Fact], None]
"""Puts what the fact changes into the world."""


def no_lookups(command: Command) -> tuple[Identity, ...]:
    return ()


def no_neighbours(command: Command, world: World | None) -> tuple[tuple[str, datetime], ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """All there is to know of one command but its fields."""

    decide: Callable[[World, Command, Situation], Decision]
    """Facts to record, nothing new, or a refusal. Changes nothing."""
    _: KW_ONLY
    may: Permission
    on: Target
    """What the permission is asked about."""
    shows: str
    """The kind of thing that the answer's id names."""
    creates: bool = False
    """There is one more thing afterwards."""
    lookups: Callable[[Command], tuple[Identity, ...]] = no_lookups
    """What must be looked up for the decision (``Situation.found``)."""
    neighbours: Callable[[Command, World | None], tuple[tuple[str, datetime], ...]] = no_neighbours
    """(series, time) of the points whose neighbours the decision needs (``Situation.neighbours``)."""
    exclusive: bool = False
    """Decided in a batch of its own."""
    ends_access: bool = False
    """Somebody may not sign in, or not as an admin, afterwards: refused if no admin were left."""

    def need_fits(self, command: type) -> None:
        """Raises TypeError if the row is not one of this command."""
        self.on.need_fields(command)
        if depends_on_target(self.may) and not self.on.fields:
            raise TypeError(f"{command.__name__} needs {self.may.value}: its target is not stated")


@dataclass(frozen=True, slots=True)
class Decider:
    """The commands and the folded facts of one file; each of them stands in one file only."""

    commands: Mapping[type, Rule]
    folds: Mapping[type, Fold] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for command, rule in self.commands.items():
            rule.need_fits(command)
