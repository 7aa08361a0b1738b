"""The parts about goals, for the registries of ``decide`` and ``evolve``."""

from __future__ import annotations

from goal_ledger_domain import alignment, binding, check_in, comment, key_result, lifecycle, objective
from goal_ledger_domain.part import Part

PARTS: tuple[Part, ...] = (
    objective.PART,
    key_result.PART,
    binding.PART,
    alignment.PART,
    lifecycle.PART,
    check_in.PART,
    comment.PART,
)
