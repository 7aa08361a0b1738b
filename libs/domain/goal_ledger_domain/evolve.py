"""The fold: the state of a workspace from its facts in seq order.

Facts that no decision needs (check-ins, readings, comments) are not folded; :data:`FOLDED` names those that are, so
that a reader need not even parse the others.
"""

from __future__ import annotations

from goal_ledger_contracts.envelope import Fact

from goal_ledger_domain.deciders import DECIDING, FOLDS
from goal_ledger_domain.fold_version import fold_version
from goal_ledger_domain.world import World

FOLD_VERSION = fold_version(DECIDING)
"""Another one whenever the same facts give another state, or states have another shape."""

FOLDED: frozenset[str] = frozenset(fact_class.__name__ for fact_class in FOLDS)
"""Type names of the facts that :func:`evolve` handles."""


def evolve(world: World, fact: Fact) -> None:
    """Put what the fact changes into ``world``. Facts outside :data:`FOLDED` change nothing."""
    step = FOLDS.get(type(fact.data))
    if step is not None:
        step(world, fact)
