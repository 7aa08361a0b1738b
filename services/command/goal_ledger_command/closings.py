"""The score of a goal that is being closed, from the facts of the ledger's own store: it suggests the grade (SPEC 3).

The facts of the goal, of all that were ever beneath it, and of units, cycles, policies, moments and the feeds bound are
read by their streams and asked by the one set of rules (``goal_ledger_history``); the readings of feeds are summed up
by the database (``stored_readings.py``).

Known limits: a feed with more than ``stored_readings.MAX_JUDGED`` readings quarantined, corrected or retracted suggests nothing, nor
does one whose readings cannot be summed up within the database's time limit (some millions).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_contracts.objective import PartBound
from goal_ledger_domain.carry_over import LastValue
from goal_ledger_domain.workspace import workspace as workspace_of
from goal_ledger_domain.world import World
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.from_facts import NEEDED, history_of
from goal_ledger_ledger.store import raw_connection
from goal_ledger_scoring.numbers import shown_mean
from goal_ledger_scoring.results import GoalScore
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.stored_readings import StoredReadings, TooManyReadings

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

LAST_SEQ = 2**63 - 1
READ_AT_ONCE_FACTS = 500
"""Facts that are taken apart before other requests get their turn."""

_OF_STREAMS = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = ANY($2::text[]) AND ($3::text[] IS NULL OR type = ANY($3))
ORDER BY seq
"""
_VERSIONS = """
SELECT s.stream, (SELECT max(version) FROM facts f WHERE f.workspace = $1 AND f.stream = s.stream) AS version
FROM unnest($2::text[]) AS s (stream)
"""


class Closings:
    """Scores goals of one workspace, which is at ``world`` now."""

    def __init__(self, workspace: str, world: World, engine: AsyncEngine) -> None:
        self._workspace, self._engine = workspace, engine
        self._world = world.copy()
        self.seen: dict[str, int] = {}
        """The versions of the streams that the score depends on, as they were before they were read."""

    async def score(self, objective: str, at: datetime | None = None) -> Decimal | None:
        """The objective's score as amended at ``at`` (None: now), as known now; None if there is none, or it is not
        known."""
        found = await self._scored(objective, at)
        return None if found is None else found.score

    async def last_values(self, objective: str, at: datetime | None = None) -> list[LastValue]:
        """The values of its parts in force at ``at`` (None: now), as known now, rounded half-even to 6 places; none if
        they are not known."""
        found = await self._scored(objective, at)
        return [
            LastValue(one.id, part, shown_mean(score.input.value, score.input.divisor))
            for one in (() if found is None else found.key_results.values())
            for part, score in one.parts.items()
            if score.input.value is not None
        ]

    async def _scored(self, objective: str, at: datetime | None) -> GoalScore | None:
        try:
            async with raw_connection(self._engine) as raw:
                facts = await self._facts(raw, objective)
                history = history_of(facts, StoredReadings(raw, self._workspace))
                now = max((datetime.now(UTC), *(fact.recorded_at for fact in facts)))
                return await history.score(AsOf(now if at is None else at, LAST_SEQ), objective)
        except (TooManyReadings, asyncpg.QueryCanceledError):
            return None

    async def _facts(self, raw: Raw, objective: str) -> list[Fact]:
        """What the score depends on, save readings, in seq order."""
        objectives = [f"objective/{id}" for id in _ever_beneath(self._world, objective)]
        begun = [workspace_of(self._world).stream]
        found = await self._read(raw, objectives, None)
        fed = {f"feed/{fact.data.feed}" for fact in found if isinstance(fact.data, PartBound)}
        found += await self._read(raw, sorted(fed), NEEDED["feed"])
        found += await self._read(raw, begun, NEEDED["workspace"])
        for kind in ("unit", "cycle"):
            streams = [f"{kind}/{id}" for id, _ in self._world.all(kind)]
            found += await self._read(raw, streams, NEEDED[kind], noted=False)
        return sorted(found, key=lambda fact: fact.seq)

    async def _read(
        self, raw: Raw, streams: Sequence[str], types: Sequence[str] | None, *, noted: bool = True
    ) -> list[Fact]:
        if not streams:
            return []
        if noted:
            for row in await raw.fetch(_VERSIONS, self._workspace, streams):
                self.seen[row["stream"]] = row["version"] or 0
        return await _parsed(await raw.fetch(_OF_STREAMS, self._workspace, streams, types))


def _ever_beneath(world: World, objective: str) -> Iterable[str]:
    """The objective and all that were ever linked beneath it, by whatever link."""
    children: defaultdict[str, set[str]] = defaultdict(set)
    for _, (child, link) in world.all("link"):
        kind, _, parent = link.parent.partition("/")
        children[parent if kind == "objective" else world.get("key-result", parent)].add(child)
    found, waiting = {objective}, [objective]
    while waiting:
        more = children.get(waiting.pop(), set()) - found
        found |= more
        waiting.extend(more)
    return sorted(found)


async def _parsed(rows: Sequence[Any]) -> list[Fact]:
    found: list[Fact] = []
    for number, row in enumerate(rows):
        found.append(from_bytes(row[0]))
        if number % READ_AT_ONCE_FACTS == 0:
            await asyncio.sleep(0)
    return found
