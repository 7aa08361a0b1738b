"""Heads: is what was folded the log that the command service keeps?

Chains show that a record follows the one before it; they do not show that it is the command service's. The head does:
its root is the Merkle tree's over every fact up to its seq. For each head that a workspace has passed the bytes since
the head checked before are hashed into the frontier kept with it, and the roots are compared. So each fact is read once
more, in the background, and folding waits for nothing.

A head that contradicts parks the workspace (`log_contradicted`): a foreign record was believed, or somebody changed the
rows. `retry` folds it anew from the command service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from goal_ledger_ledger.merkle import Frontier, leaf_hash
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_projection.command_feed import HeadTold
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.positions import LOG_CONTRADICTED
from goal_ledger_projection.folding.retrying import RetryingApplier, is_transient
from goal_ledger_projection.folding.writing import Connection
from goal_ledger_projection.read_models import facts

log = logger("goal_ledger.projection.head_check")

PAGE_FACTS = 2_000

_CHECKED = "SELECT epoch, seq, frontier FROM checked_heads WHERE workspace = $1"
_NOTE = """
INSERT INTO checked_heads (workspace, epoch, seq, frontier) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, frontier = excluded.frontier,
    checked_at = now()
WHERE (checked_heads.epoch, checked_heads.seq) < (excluded.epoch, excluded.seq)
"""


class HeadCheck:
    """Compares the roots of heads that were passed, one workspace after another."""

    def __init__(self, database: WorkersDatabase, retrying: RetryingApplier, meters: Meters) -> None:
        self._database = database
        self._retrying = retrying
        self._meters = meters
        self._heads: dict[str, HeadTold] = {}
        self._done: dict[str, HeadTold] = {}
        self._more = asyncio.Event()

    def look_at(self, heads: Iterable[HeadTold]) -> None:
        """Check these as soon as they are passed; of a workspace only the last counts."""
        self._heads.update({head.workspace: head for head in heads if self._done.get(head.workspace) != head})
        self._more.set()

    async def run(self) -> None:
        """Check for ever what is given to :meth:`look_at`."""
        while True:
            await self._more.wait()
            self._more.clear()
            for head in list(self._heads.values()):
                try:
                    done = await self.check(head)
                except Exception as failed:
                    if not is_transient(failed):
                        log.error(
                            "checking a head failed", workspace=head.workspace, error=failure_text(failed)
                        )
                    done = False
                if done and self._heads.get(head.workspace) == head:
                    self._done[head.workspace] = self._heads.pop(head.workspace)

    async def check(self, head: HeadTold) -> bool:
        """Whether the head needs no further look: its root is the rows' own, or the workspace was parked for it."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            standing = await positions.standing(connection, self._database.projection, head.workspace)
            if standing is None or standing.folded.epoch < head.position.epoch:
                return False
            if standing.parked is not None or standing.folded.epoch > head.position.epoch:
                return True
            if standing.folded.next_seq <= head.position.seq:
                return False
            before = await _checked(connection, head)
            frontier = await _extended(connection, head, before)
        if frontier.root.hex() != head.root:
            await self._park(head, before.size)
        elif frontier.size > before.size:
            await self._note(head, frontier)
        return True

    async def _park(self, head: HeadTold, good: int) -> None:
        reason = f"{LOG_CONTRADICTED}: the root at {head.position} is another; it was right at {good}"
        log.error(LOG_CONTRADICTED, workspace=head.workspace, head=str(head.position), right_at=good)
        self._meters.contradicted.inc()
        await self._retrying.park(head.workspace, good + 1, reason)

    async def _note(self, head: HeadTold, frontier: Frontier) -> None:
        self._meters.heads_checked.inc()
        async with self._database.transaction() as connection:
            place = (head.workspace, head.position.epoch, head.position.seq)
            await connection.execute(_NOTE, *place, frontier.to_bytes())


async def _checked(connection: Connection, head: HeadTold) -> Frontier:
    """The tree at the last head that was right; empty if none is at or below this one."""
    row = await connection.fetchrow(_CHECKED, head.workspace)
    if row is None or row[0] != head.position.epoch or row[1] > head.position.seq:
        return Frontier()
    return Frontier.from_bytes(row[1], row[2])


async def _extended(connection: Connection, head: HeadTold, frontier: Frontier) -> Frontier:
    """The tree up to the head, over the rows' bytes. Rows that are missing make another root."""
    seq = frontier.size
    while seq < head.position.seq:
        upto = min(seq + PAGE_FACTS, head.position.seq)
        rows = await connection.fetch(facts.BYTES_BETWEEN, head.workspace, seq, upto)
        frontier = frontier.append(leaf_hash(row[0]) for row in rows)
        seq = upto
    return frontier
