"""The domain as the ledger asks for it: how a workspace's state follows from its facts."""

from __future__ import annotations

from goal_ledger_contracts.envelope import Fact
from goal_ledger_domain import evolve
from goal_ledger_domain.world import World


class FoldOfGoals:
    """Implements :class:`goal_ledger_ledger.submission.Domain`."""

    fold_version: str = evolve.FOLD_VERSION
    folded: frozenset[str] = evolve.FOLDED

    def empty(self) -> World:
        return World()

    def evolve(self, world: World, fact: Fact) -> None:
        evolve.evolve(world, fact)
