"""The parts about the organisation and its feeds, for the registries of ``decide`` and ``evolve``."""

from __future__ import annotations

from goal_ledger_domain.part import Part

PARTS: tuple[Part, ...] = ()
