"""All facts that an objective's scores depend on, at any moment up to a position, as they were stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache

from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_contracts.objective import KeyResultAdded, ObjectiveDrafted, PartBound
from goal_ledger_history.from_facts import NEEDED

from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.facts import OF_STREAMS

FACTS_BEHIND_MAX = 20_000
FACTS_KEPT_MAX = 10_000
_OF_NO_DEFINITION = ["CommentAdded", "KudosGiven", "ChangeEndorsed"]
_OF_NO_NUMBER = [*_OF_NO_DEFINITION, "ObjectiveReworded", "KeyResultReworded"]


class TooManyFacts(Exception):
    """More than ``FACTS_BEHIND_MAX``."""


FactWithBytes = tuple[Fact, bytes]


async def facts_behind(snapshot: Snapshot, context: Context, objective: str, known_to: int) -> list[Fact]:
    """In seq order. Raises TooManyFacts."""
    behind = _FactsBehind(snapshot, known_to, _OF_NO_NUMBER)
    await _read_goals(behind, context, {objective})
    await behind.read(_around(snapshot, context, behind.facts, known_to))
    return sorted(behind.facts, key=lambda fact: fact.seq)


async def stored_behind(
    snapshot: Snapshot, context: Context, objectives: set[str], known_to: int
) -> list[FactWithBytes]:
    """Those that the answers about these objectives depend on, titles, all cycles and the owners' leaves too, with their
    bytes, in seq order. Raises TooManyFacts."""
    return await _stored(_FactsBehind(snapshot, known_to, _OF_NO_DEFINITION), context, objectives)


async def whole_streams_behind(
    snapshot: Snapshot, context: Context, objective: str, known_to: int
) -> list[FactWithBytes]:
    """As :func:`stored_behind`, with all facts of these streams, so that each can be checked to lack none; of the workspace's
    own what numbers depend on, and its epochs. Raises TooManyFacts."""
    of_workspace = [*NEEDED["workspace"], "StoreRestored"]
    return await _stored(_FactsBehind(snapshot, known_to, [], of_workspace), context, {objective})


async def _stored(behind: _FactsBehind, context: Context, objectives: set[str]) -> list[FactWithBytes]:
    snapshot, known_to = behind.snapshot, behind.known_to
    await _read_goals(behind, context, objectives)
    cycles = {f"cycle/{id}" for id in context.ids("cycle", known_to)}
    owners = {getattr(fact.data, "owner", None) or "" for fact in behind.facts}
    people = {one for one in owners if one.startswith("person/")}
    await behind.read(cycles | people | _around(snapshot, context, behind.facts, known_to))
    return sorted(zip(behind.facts, behind.stored, strict=True), key=lambda one: one[0].seq)


async def _read_goals(behind: _FactsBehind, context: Context, objectives: set[str]) -> None:
    """These, and all that were ever beneath them."""
    waiting, seen = objectives, set(objectives)
    while waiting:
        facts = await behind.read(f"objective/{id}" for id in waiting)
        key_results = {one.data.key_result for one in facts if isinstance(one.data, KeyResultAdded)}
        parents = [f"objective/{id}" for id in waiting] + [f"key-result/{id}" for id in key_results]
        waiting = {id for parent in parents for id in context.ever_aligned_with(parent)} - seen
        seen |= waiting


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
    def __init__(
        self,
        snapshot: Snapshot,
        known_to: int,
        left_out: list[str],
        of_workspace: Sequence[str] = NEEDED["workspace"],
    ) -> None:
        """``left_out``: types of facts; ``of_workspace``: those that are read of the workspace's stream."""
        self.snapshot, self.known_to, self._left_out = snapshot, known_to, left_out
        self._of_workspace = list(of_workspace)
        self.facts: list[Fact] = []
        self.stored: list[bytes] = []

    async def read(self, streams: Iterable[str]) -> list[Fact]:
        left = FACTS_BEHIND_MAX - len(self.facts)
        rows = await self.snapshot.fetch(
            OF_STREAMS, sorted(streams), self.known_to, self._left_out, self._of_workspace, left + 1
        )
        if len(rows) > left:
            raise TooManyFacts
        stored = [row["bytes"] for row in rows]
        found = await asyncio.to_thread(_facts, stored)
        self.facts += found
        self.stored += stored
        return found


_fact = lru_cache(maxsize=FACTS_KEPT_MAX)(from_bytes)
"""A fact never changes, and who asks about a goal asks about those beneath it next."""


def _facts(stored: Sequence[bytes]) -> list[Fact]:
    return [_fact(one) for one in stored]
