"""How a command's target is found: what its permission is asked about. Every row names one.

A target is found from fields that the command has, or its row does not import. It is what there is under the name that
is stated there: an unknown one is refused by the finder in the decider's own words. What nobody finds, nobody but those
who may on every target may touch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from goal_ledger_contracts.decision import Situation

from goal_ledger_domain.world import World

References = tuple[str, ...]
"""``objective/<id>``, ``feed/<name>``, or the owner of a goal to be (``unit/<id>``, ``person/<id>``). The actor needs
the relation to each of them."""

Find = Callable[[World, Any, Situation], References]


@dataclass(frozen=True, slots=True)
class Target:
    """``find`` may refuse: there is no such thing. It looks at ``fields`` of the command."""

    fields: tuple[str, ...]
    find: Find

    def need_fields(self, command: type) -> None:
        """Raises TypeError if the command has not all of the fields."""
        missing = set(self.fields) - {one.name for one in fields(command)}
        if missing:
            raise TypeError(f"{command.__name__} has no {', '.join(sorted(missing))} to find its target by")


def found_by(*names: str) -> Callable[[Find], Target]:
    """Makes a target of the finder below; ``names`` are the command's fields that it looks at."""
    return lambda find: Target(names, find)


WORKSPACE = Target((), lambda world, command, situation: ())
"""The workspace itself: for permissions that a role has everywhere or nowhere."""
