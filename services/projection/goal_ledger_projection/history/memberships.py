"""Which units and pilot waves the owners of goals were in, at several moments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from goal_ledger_history.background import Versions
from goal_ledger_history.participation import Groups

from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.snapshots import Snapshot

ALL, PILOTS, REST = "all", "pilots", "rest"

_UNITS_OF_PEOPLE = """
SELECT id, seq, effective_at, body->'units' AS units FROM definitions
WHERE workspace = $1 AND kind = 'person' AND seq <= $2 ORDER BY id, seq
"""

_units = lru_cache(maxsize=4096)(
    lambda text: tuple(f"unit/{one.removeprefix('unit/')}" for one in json.loads(text))
)


class Memberships:
    """At each of some moments the groups of an owner: everybody's `all`, the units it is in and those above, their pilot
    waves (`wave/<name>`), and `pilots` or `rest`."""

    def __init__(
        self,
        context: Context,
        people: dict[str, Versions[tuple[str, ...]]],
        times: Sequence[datetime],
        seq: int,
    ) -> None:
        self._people, self._times, self._seq = people, times, seq
        self._above = [_above(context, at, seq) for at in times]
        self._waves = [
            {f"unit/{id}": body["waves"] for id, _, body in context.all("unit", seq, at) if body["waves"]}
            for at in times
        ]
        self._of_units: dict[tuple[tuple[str, ...], int], Groups] = {}

    def groups_of(self, owner: str, n: int) -> Groups:
        """At the moment of that number."""
        units = (owner,) if owner.startswith("unit/") else self._units_of(owner, n)
        found = self._of_units.get((units, n))
        if found is None:
            found = self._of_units[units, n] = self._groups(units, n)
        return found

    def _units_of(self, owner: str, n: int) -> tuple[str, ...]:
        versions = self._people.get(owner.removeprefix("person/"))
        return () if versions is None else versions.at(self._seq, self._times[n]) or ()

    def _groups(self, units: tuple[str, ...], n: int) -> Groups:
        above, waves_of = self._above[n], self._waves[n]
        there = sorted({one for unit in units for one in above.get(unit, (unit,))})
        waves = sorted({f"wave/{wave}" for unit in there for wave in waves_of.get(unit, ())})
        return (ALL, PILOTS if waves else REST, *there, *waves)


async def memberships(
    snapshot: Snapshot, context: Context, times: Sequence[datetime], seq: int
) -> Memberships:
    """By the facts up to `seq`."""
    people: dict[str, Versions[tuple[str, ...]]] = {}
    for row in await snapshot.fetch(_UNITS_OF_PEOPLE, seq):
        people.setdefault(row["id"], Versions()).add(row["seq"], row["effective_at"], _units(row["units"]))
    return Memberships(context, people, times, seq)


def _above(context: Context, at: datetime, seq: int) -> dict[str, tuple[str, ...]]:
    """Each unit with all those above it, itself first."""
    parents = {
        f"unit/{id}": f"unit/{body['parent'].removeprefix('unit/')}" if body.get("parent") else None
        for id, _, body in context.all("unit", seq, at)
    }
    found = {}
    for unit in parents:
        chain: list[str] = []
        one: str | None = unit
        while one is not None and one not in chain:
            chain.append(one)
            one = parents.get(one)
        found[unit] = tuple(chain)
    return found
