"""Filters of questions about goals: by the cycle that they are in, the unit that they belong to, and their owner."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from goal_ledger_projection.api.choices import need_cycle, need_holder, need_unit
from goal_ledger_projection.api.members import members
from goal_ledger_projection.api.view import View

InCycle = Annotated[str | None, Query(max_length=64)]
InUnit = Annotated[
    str | None, Query(max_length=64, description="Owned by it, a unit beneath it, or a person in one of them")
]
OwnedBy = Annotated[str | None, Query(max_length=80, description="unit/<id> or person/<id>")]


@dataclass(frozen=True, slots=True)
class Owned:
    """Which goals are asked for; None: no matter. ``owners``: who belongs to the unit."""

    cycle: str | None
    owner: str | None
    owners: frozenset[str] | None

    @staticmethod
    async def of(view: View, cycle: str | None, unit: str | None, owner: str | None) -> Owned:
        """Problem 422 `choice_unknown`: a filter that no goal can match."""
        await need_cycle(view, cycle)
        await need_unit(view, unit)
        await need_holder(view, owner, "owner")
        return Owned(cycle, owner, None if unit is None else await members(view, unit))

    def has(self, owners: Collection[str], cycles: Collection[str | None]) -> bool:
        """Whether a goal with one of these owners and in one of these cycles is asked for."""
        return (
            (self.cycle is None or self.cycle in cycles)
            and (self.owner is None or self.owner in owners)
            and (self.owners is None or not self.owners.isdisjoint(owners))
        )
