"""Decide a command on the folded state: facts to record, nothing new, or a refusal."""

from __future__ import annotations

from datetime import datetime

from goal_ledger_contracts.decision import Decision, Identity, Situation

from goal_ledger_domain.access import admins
from goal_ledger_domain.decider import Command
from goal_ledger_domain.deciders import RULES
from goal_ledger_domain.evolve import evolve
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World

COMMANDS: frozenset[type] = frozenset(RULES)
"""Every command class."""


def decide(world: World, command: Command, situation: Situation) -> Decision:
    """Raises :class:`goal_ledger_domain.refusals.Refusal`. Changes nothing."""
    rule = RULES[type(command)]
    decision = rule.decide(world, command, situation)
    if rule.ends_access and command.meta.actor != "operator":
        _need_admin_left(world, decision, situation)
    return decision


def _need_admin_left(world: World, decision: Decision, situation: Situation) -> None:
    """Somebody can still grant roles: an admin who can sign in. The operator's command line needs none."""
    if not decision.drafts or not admins(world):
        return
    after = world.branch()
    for draft in decision.drafts:
        evolve(after, draft.as_fact(situation.now))
    if not admins(after):
        raise Refusal(
            "last_admin", "No admin would be left who can sign in: grant the role to another first."
        )


def lookups(command: Command) -> tuple[Identity, ...]:
    """What must be looked up for the decision (``Situation.found``)."""
    return RULES[type(command)].lookups(command)


def neighbours(command: Command, world: World | None = None) -> tuple[tuple[str, datetime], ...]:
    """(series, time) of the points whose neighbours the decision needs (``Situation.neighbours``).

    With ``world``, as it was lately, what it shows not to be needed is left out.
    """
    return RULES[type(command)].neighbours(command, world)


def exclusive(command: Command) -> bool:
    """Whether the command is decided in a batch of its own."""
    return RULES[type(command)].exclusive
