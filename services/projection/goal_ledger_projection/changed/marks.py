"""What was told, durably: the mark of each workspace, each goal's last record, and where the topic's partitions end.

All of it is written on one connection that holds an advisory lock: whoever holds the lock is the one process that tells,
and a connection that is lost takes the right to write with it. Marks move by compare-and-set besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg
from goal_ledger_contracts.position import Position

from goal_ledger_projection.changed.deriving import DerivedStep, Mark
from goal_ledger_projection.changed.record import ToldChange
from goal_ledger_projection.projections import LIVE

_LOCK = 0x60A1_C4A6
_TRY = "SELECT pg_try_advisory_lock($1)"
_MARKS = "SELECT workspace, epoch, seq, looked_at FROM public.goals_told_to"
_FOLDED = 'SELECT workspace, epoch, next_seq - 1 FROM "{}".positions WHERE projection = $1 AND NOT rebuilding'
_TOLD = "SELECT record FROM public.goals_told WHERE workspace = $1 ORDER BY goal"
_BEGIN = """
INSERT INTO public.goals_told_to (workspace, epoch, seq, looked_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING seq
"""
_MOVE = """
UPDATE public.goals_told_to SET epoch = $2, seq = $3, looked_at = $4
WHERE workspace = $1 AND epoch = $5 AND seq = $6 AND looked_at = $7 RETURNING seq
"""
_TELL = """
INSERT INTO public.goals_told (workspace, goal, record)
SELECT $1, t.goal, t.record FROM unnest($2::text[], $3::bytea[]) AS t (goal, record)
ON CONFLICT (workspace, goal) DO UPDATE SET record = excluded.record
"""
_LOST = "DELETE FROM public.goals_told WHERE workspace = $1 AND goal = ANY ($2::text[])"
_OFFSETS = "SELECT partition, topic_id, next_offset FROM public.goals_told_offsets"
_END = """
INSERT INTO public.goals_told_offsets (partition, topic_id, next_offset) VALUES ($1, $2, $3)
ON CONFLICT (partition) DO UPDATE SET topic_id = excluded.topic_id, next_offset = excluded.next_offset
"""

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]


class NotTheOne(OSError):
    """Another process has moved the mark."""


class Marks:
    """On a connection of its own, which nobody else uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def become_the_one(self) -> bool:
        """Whether this connection may tell from now on; False while another does."""
        return bool(await self._connection.fetchval(_TRY, _LOCK))

    async def all(self) -> dict[str, Mark]:
        """By workspace."""
        return {row[0]: Mark(*row[1:]) for row in await self._connection.fetch(_MARKS)}

    async def folded(self) -> dict[str, Position]:
        """By workspace, how far the live projection version is; those that are folded anew are left out."""
        live = await self._connection.fetchval(LIVE)
        rows = [] if live is None else await self._connection.fetch(_FOLDED.format(live), live)
        return {row[0]: Position(row[1], row[2]) for row in rows}

    async def told(self, workspace: str) -> list[ToldChange]:
        """Each goal's last record."""
        return [ToldChange.read(row[0]) for row in await self._connection.fetch(_TOLD, workspace)]

    async def ends(self) -> dict[int, tuple[str, int]]:
        """By partition, the topic's id and the offset that follows the last record."""
        return {row[0]: (row[1], row[2]) for row in await self._connection.fetch(_OFFSETS)}

    async def end(self, partition: int, topic_id: str, next_offset: int) -> None:
        """Where the partition ends."""
        await self._connection.execute(_END, partition, topic_id, next_offset)

    async def move(self, workspace: str, before: Mark | None, step: DerivedStep) -> None:
        """The step is told; in the caller's transaction. Raises NotTheOne."""
        mark = (workspace, step.mark.epoch, step.mark.seq, step.mark.looked_at)
        if before is None:
            moved = await self._connection.fetchval(_BEGIN, *mark)
        else:
            moved = await self._connection.fetchval(_MOVE, *mark, before.epoch, before.seq, before.looked_at)
        if moved is None:
            raise NotTheOne(f"the mark of {workspace} is not {before}")
        last = {one.goal: one for one in step.changes}
        there = [one for one in last.values() if one.after is not None]
        await self._remember(workspace, there)
        lost = [one.goal for one in last.values() if one.after is None]
        if lost:
            await self._connection.execute(_LOST, workspace, lost)

    async def _remember(self, workspace: str, changes: Sequence[ToldChange]) -> None:
        if changes:
            goals, values = [one.goal for one in changes], [one.value for one in changes]
            await self._connection.execute(_TELL, workspace, goals, values)

    def transaction(self) -> Any:
        """A transaction, committed at the end of the block."""
        return self._connection.transaction()
