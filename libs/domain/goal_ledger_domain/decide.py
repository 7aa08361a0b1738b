"""Decide a command on the folded state: facts to record, nothing new, or a refusal."""

from __future__ import annotations

from datetime import datetime

from goal_ledger_contracts.decision import Decision, Identity, Situation

from goal_ledger_domain import goals, organisation
from goal_ledger_domain.part import Command, Part
from goal_ledger_domain.world import World

_PART_OF: dict[type, Part] = {
    command: part for part in (*organisation.PARTS, *goals.PARTS) for command in part.commands
}

COMMANDS: frozenset[type] = frozenset(_PART_OF)
"""Every command class."""


def decide(world: World, command: Command, situation: Situation) -> Decision:
    """Raises :class:`goal_ledger_domain.refusals.Refusal`. Changes nothing."""
    return _PART_OF[type(command)].decide(world, command, situation)


def lookups(command: Command) -> tuple[Identity, ...]:
    """What must be looked up for the decision (``Situation.found``)."""
    return _PART_OF[type(command)].lookups(command)


def neighbours(command: Command, world: World | None = None) -> tuple[tuple[str, datetime], ...]:
    """(series, time) of the points whose neighbours the decision needs (``Situation.neighbours``).

    With ``world``, as it was lately, what it shows not to be needed is left out.
    """
    return _PART_OF[type(command)].neighbours(command, world)


def exclusive(command: Command) -> bool:
    """Whether the command is decided in a batch of its own."""
    return type(command) in _PART_OF[type(command)].exclusive
