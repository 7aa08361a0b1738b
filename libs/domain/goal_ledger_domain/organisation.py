"""The parts about the organisation and its feeds, for the registries of ``decide`` and ``evolve``."""

from __future__ import annotations

from goal_ledger_domain import access, cycle, feed, moment, person, policy, reading, system, unit, workspace
from goal_ledger_domain.part import Part

PARTS: tuple[Part, ...] = (
    workspace.PART,
    policy.PART,
    moment.PART,
    access.PART,
    system.PART,
    unit.PART,
    person.PART,
    cycle.PART,
    feed.PART,
    reading.PART,
)
