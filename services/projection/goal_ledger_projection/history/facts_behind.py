"""All facts that an objective's scores depend on, at any moment up to a position, as they were stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_contracts.objective import KeyResultAdded, ObjectiveDrafted, PartBound
from goal_ledger_history.from_facts import NEEDED

from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.facts import OF_STREAMS

FACTS_BEHIND_MAX = 20_000
_OF_NO_NUMBER = ["CommentAdded", "KudosGiven", "ChangeEndorsed", "ObjectiveReworded", "KeyResultReworded"]


class TooManyFacts(Exception):
    """More than ``FACTS_BEHIND_MAX``."""


async def facts_behind(snapshot: Snapshot, context: Context, objective: str, known_to: int) -> list[Fact]:
    """In seq order. Raises TooManyFacts."""
    behind = _FactsBehind(snapshot, known_to)
    waiting, seen = {objective}, {objective}
    while waiting:
        facts = await behind.read(f"objective/{id}" for id in waiting)
        key_results = {one.data.key_result for one in facts if isinstance(one.data, KeyResultAdded)}
        parents = [f"objective/{id}" for id in waiting] + [f"key-result/{id}" for id in key_results]
        waiting = {id for parent in parents for id in context.ever_aligned_with(parent)} - seen
        seen |= waiting
    await behind.read(_around(snapshot, context, behind.facts, known_to))
    return sorted(behind.facts, key=lambda fact: fact.seq)


def _around(snapshot: Snapshot, context: Context, facts: Sequence[Fact], known_to: int) -> set[str]:
    """The streams of the workspace, of units, of the cycles that these goals were in and of the feeds they were bound to."""
    streams = {f"workspace/{snapshot.workspace}", *(f"unit/{id}" for id in context.ids("unit", known_to))}
    for fact in facts:
        if isinstance(fact.data, PartBound):
            streams.add(f"feed/{fact.data.feed}")
        elif isinstance(fact.data, ObjectiveDrafted) or hasattr(fact.data, "cycle"):
            streams.add(f"cycle/{fact.data.cycle}")
    return streams


class _FactsBehind:
    def __init__(self, snapshot: Snapshot, known_to: int) -> None:
        self._snapshot, self._known_to = snapshot, known_to
        self.facts: list[Fact] = []

    async def read(self, streams: Iterable[str]) -> list[Fact]:
        left = FACTS_BEHIND_MAX - len(self.facts)
        rows = await self._snapshot.fetch(
            OF_STREAMS, sorted(streams), self._known_to, _OF_NO_NUMBER, list(NEEDED["workspace"]), left + 1
        )
        if len(rows) > left:
            raise TooManyFacts
        found = await asyncio.to_thread(_facts, [row["bytes"] for row in rows])
        self.facts += found
        return found


def _facts(stored: Sequence[bytes]) -> list[Fact]:
    return [from_bytes(one) for one in stored]
