"""Who can own a goal or work on it: a unit that is open, a person who is there."""

from __future__ import annotations

from goal_ledger_domain import limits, text
from goal_ledger_domain.person import present_person
from goal_ledger_domain.unit_tree import open_unit
from goal_ledger_domain.world import World


def need_owner(world: World, reference: str, field: str) -> str:
    """The reference ``unit/<id>`` or ``person/<id>``. Refuses a unit that is closed and a person who is there no more."""
    kind, id = text.reference(reference, field, "unit", "person")
    if kind == "unit":
        open_unit(world, id, field)
    else:
        present_person(world, id, field)
    return reference


def need_contributors(world: World, given: tuple[str, ...], already: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Each once, in order of reference; ``already`` ones may have left since."""
    text.at_most(given, "contributors", limits.CONTRIBUTORS_MAX_ITEMS)
    for number, one in enumerate(given):
        if one not in already:
            need_owner(world, one, f"contributors/{number}")
    return tuple(sorted(set(given)))
