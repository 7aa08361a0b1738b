"""Healing: a workspace that misses facts is drained from the command service's feed, page by page.

While it is healed its records from Kafka are left aside (they will be in the feed); the pages go through the same
consumer rule and the same transaction as everything else, so that healing beside another worker, or beside records
still under way, can do no harm. It ends when the feed has nothing more, or the workspace is parked: because a fact cannot be
applied, or because the feed does not go on from what was folded, which then is not the command service's log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from goal_ledger_contracts.position import Position
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.applying import Applied
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.positions import LOG_CONTRADICTED, FoldedTo, ProjectionSwitched
from goal_ledger_projection.folding.retrying import Pauses, RetryingApplier
from goal_ledger_projection.folding.writing import INDEXED_ROWS, Connection

log = logger("goal_ledger.projection.heal")


class Healer:
    """Heals workspaces in tasks of their own, a few at once."""

    def __init__(
        self,
        database: WorkersDatabase,
        feed: CommandFeed,
        retrying: RetryingApplier,
        pauses: Pauses,
        meters: Meters,
        *,
        page_facts: int,
        at_once: int,
        on_applied: Callable[[Applied], None],
    ) -> None:
        self._database = database
        self._feed = feed
        self._retrying = retrying
        self._pauses = pauses
        self._meters = meters
        self._page_facts = page_facts
        self._turns = asyncio.Semaphore(at_once)
        self._on_applied = on_applied
        self._tasks: dict[str, asyncio.Task[None]] = {}
        meters.healing.set_function(lambda: len(self._tasks))

    def is_healing(self, workspace: str) -> bool:
        """Whether its records from Kafka are to be left aside."""
        return workspace in self._tasks

    def begin(self, workspace: str, why: str) -> None:
        """Heal a workspace, unless that is under way."""
        if workspace not in self._tasks:
            log.warning("healing", workspace=workspace, why=why)
            self._tasks[workspace] = asyncio.create_task(self._heal(workspace), name=f"heal {workspace}")

    async def settled(self) -> None:
        """Wait until nothing is being healed."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def stop(self) -> None:
        """Give up what is under way; it begins anew at the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _heal(self, workspace: str) -> None:
        try:
            async with self._turns:
                healed = await self.drain(workspace)
            log.info("healed", workspace=workspace, facts=healed)
        except ProjectionSwitched:
            log.info("healing ends, another projection version is live", workspace=workspace)
        except Exception as failed:
            log.error("healing failed", workspace=workspace, error=failure_text(failed))
        finally:
            del self._tasks[workspace]

    async def drain(self, workspace: str) -> int:
        """Apply everything the feed has of the workspace; how many facts were applied. Raises ProjectionSwitched."""
        total = 0
        while True:
            applied = await self._pauses.until_done("heal", lambda: self._page(workspace), self._meters)
            if applied is None:
                return total
            total += applied.facts

    async def _page(self, workspace: str) -> Applied | None:
        standing = await self._standing(workspace)
        at = (
            Position(1, 0)
            if standing is None
            else Position(standing.folded.epoch, standing.folded.next_seq - 1)
        )
        page = await self._feed.after(workspace, at, self._page_facts)
        if page is None or not page.records:
            return None
        applied = await self._retrying.apply(page.records)
        self._meters.healed.inc(applied.facts)
        self._on_applied(applied)
        if workspace in applied.foreign:
            seq, reason = applied.foreign[workspace]
            log.error(LOG_CONTRADICTED, workspace=workspace, seq=seq, reason=reason)
            await self._retrying.park(workspace, seq, f"{LOG_CONTRADICTED}: {reason}")
        return applied if applied.facts else None

    async def _standing(self, workspace: str) -> FoldedTo | None:
        async with self._database.connection() as connection:
            return await positions.standing(connection, self._database.projection, workspace)


async def let_go_on(connection: Connection, projection: str, workspace: str, standing: FoldedTo) -> None:
    """Unpark a workspace; one whose rows are not the command service's log is folded anew."""
    if (standing.parked or "").startswith(LOG_CONTRADICTED):
        await fold_anew(connection, projection, workspace, standing)
    else:
        await positions.unpark(connection, projection, workspace)


async def fold_anew(connection: Connection, projection: str, workspace: str, standing: FoldedTo) -> None:
    """Take a workspace's rows away: its log is folded from seq 1, from the feed. Until then its answers are `rebuilding`."""
    await positions.lock(connection, projection, {workspace: standing.folded.epoch})
    await INDEXED_ROWS.discard(connection, workspace)
    await positions.restart(connection, projection, workspace)
    await positions.unpark(connection, projection, workspace)
