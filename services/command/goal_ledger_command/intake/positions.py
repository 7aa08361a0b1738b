"""How far each inbox was taken: positions in the ledger database, one row per (topic, generation, partition).

The row is the fence. Who takes a poll's records locks it first and holds it while they are appended; the outcomes are
written and the position moved in that same transaction. So of two processes that were both handed a partition (a
rebalance, a zombie) one takes the records and the other finds the position moved and drops them. The facts themselves
are appended by the ledger in transactions of their own: after a crash between the two, the records are read again and
known by their origin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goal_ledger_ledger.store import raw_connection
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

TAKE_TIMEOUT_S = 20
"""How long the readings of one take may take to be appended; the fence's own connection is idle meanwhile."""

_FIND = """
INSERT INTO inbox_positions (topic, generation, partition, next_offset) VALUES ($1, $2, $3, 0)
ON CONFLICT (topic, generation, partition) DO UPDATE SET partition = EXCLUDED.partition RETURNING next_offset
"""
_LOCK = """
SELECT next_offset FROM inbox_positions WHERE topic = $1 AND generation = $2 AND partition = $3 FOR UPDATE
"""
_PATIENCE = f"SET LOCAL idle_in_transaction_session_timeout = {TAKE_TIMEOUT_S * 1000:d}"
_MOVE = """
UPDATE inbox_positions SET next_offset = $4 WHERE topic = $1 AND generation = $2 AND partition = $3
"""


@dataclass(frozen=True, slots=True)
class Inbox:
    """One partition of one emitter's inbox. ``generation`` is the topic's id: a topic made again starts anew."""

    topic: str
    generation: str
    partition: int


class PositionMoved(Exception):
    """Another process has taken these records; go on at ``next_offset``."""

    def __init__(self, next_offset: int) -> None:
        super().__init__(f"the position is {next_offset}")
        self.next_offset = next_offset


async def find(engine: AsyncEngine, inbox: Inbox) -> int:
    """The next offset to take; 0 for an inbox seen for the first time."""
    async with raw_connection(engine) as raw:
        next_offset: int = await raw.fetchval(_FIND, inbox.topic, inbox.generation, inbox.partition)
    return next_offset


@asynccontextmanager
async def taking(engine: AsyncEngine, inbox: Inbox, expected: int, upto: int) -> AsyncIterator[Raw]:
    """Holds the inbox while what lies from ``expected`` to before ``upto`` is taken; then moves the position.

    The connection is that of the transaction: what is written on it is kept with the new position or not at all.
    Raises PositionMoved if the position is not the expected one.
    """
    async with raw_connection(engine) as raw, raw.transaction():
        await raw.execute(_PATIENCE)
        found = await raw.fetchval(_LOCK, inbox.topic, inbox.generation, inbox.partition)
        if found != expected:
            raise PositionMoved(found or 0)
        yield raw
        await raw.execute(_MOVE, inbox.topic, inbox.generation, inbox.partition, upto)
