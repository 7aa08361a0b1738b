"""The policy in force for a goal: what its own scope sets, else the unit that owns it, the units above, the workspace.

A person's goal takes no unit's policy: the person may be in several.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from goal_ledger_contracts.workspace import Policy

from goal_ledger_scoring.inputs import KEY_RESULTS


@dataclass(frozen=True, slots=True)
class Rules:
    """A policy with nothing left open. ``anchor_weekday`` counts 1 (Monday) to 7 (Sunday), as ISO 8601 does."""

    time_zone: str = "UTC"
    on_track_points: Decimal = Decimal(5)
    behind_points: Decimal = Decimal(25)
    roll_up: str = KEY_RESULTS
    cadence_weeks: int = 1
    anchor_weekday: int = 5
    grace_days: int = 2
    feeds_count_as_word: bool = False


DEFAULTS = Rules()
_FIELDS = tuple(field.name for field in dataclasses.fields(Rules))


def in_force(nearest_first: Iterable[Policy], time_zone: str) -> Rules:
    """The rules from the policies that apply, the nearest scope first; ``time_zone`` is the workspace's own."""
    found: dict[str, object] = {}
    for policy in nearest_first:
        for name in _FIELDS:
            value = getattr(policy, name)
            if value is not None:
                found.setdefault(name, value)
    found.setdefault("time_zone", time_zone)
    return dataclasses.replace(DEFAULTS, **found)  # type: ignore[arg-type]
