"""Anti-entropy: every few seconds, are we where the store's heads are?

Kafka may be gone, a topic empty, a rebalance stuck: the read side must come to the head all the same. So a worker asks
the command service for the heads that moved (from a minute before the latest move it has seen, by the store's clock; all
of them at start and every ten minutes), and a workspace that stays behind for ten seconds with nothing arriving is healed from the feed. Lag is measured
against these heads.

Positions are read before the heads are asked for. A head then below the position of the same epoch means that the
store was set back behind what we have folded: the workspace stands still, `store_behind_reader`, until a recovery
raises its epoch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from goal_ledger_contracts.position import Position
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_projection.command_feed import CommandFeed, HeadTold
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.consumer_rule import FoldedUpTo
from goal_ledger_projection.folding.head_check import HeadCheck
from goal_ledger_projection.folding.heal import Healer
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.positions import STORE_BEHIND_READER, FoldedTo
from goal_ledger_projection.folding.retrying import RetryingApplier, is_transient
from goal_ledger_projection.projections import LIVE
from goal_ledger_projection.settings import WorkerSettings

log = logger("goal_ledger.projection.anti_entropy")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Since when a workspace is behind at the same position (monotonic seconds)."""

    folded: FoldedUpTo | None
    since: float


class AntiEntropy:
    """Compares heads and positions, and sees to it that they meet."""

    def __init__(
        self,
        settings: WorkerSettings,
        database: WorkersDatabase,
        feed: CommandFeed,
        healer: Healer,
        retrying: RetryingApplier,
        head_check: HeadCheck,
        meters: Meters,
        *,
        patience_s: Callable[[str], float | None],
        follow: Callable[[str], Awaitable[None]],
    ) -> None:
        """`patience_s` tells how long a workspace may be behind before it is healed; None: its records are arriving.

        `follow` is told when another projection version is live.
        """
        self._settings = settings
        self._database = database
        self._feed = feed
        self._healer = healer
        self._retrying = retrying
        self._head_check = head_check
        self._meters = meters
        self._patience_s = patience_s
        self._follow = follow
        self._heads: dict[str, HeadTold] = {}
        self._moved_at: datetime | None = None
        """The latest move seen, by the store's clock."""
        self._all_asked_at = float("-inf")
        self._waiting: dict[str, _Waiting] = {}
        self._out_of_reach = False

    async def run(self) -> None:
        """Look every few seconds, for ever. The service being away is no error here, only lag that grows."""
        while True:
            try:
                await self.look()
            except Exception as failed:
                if not is_transient(failed):
                    log.error("looking at the heads failed", error=failure_text(failed))
                elif not self._out_of_reach:
                    log.warning("the heads are out of reach", error=failure_text(failed))
                self._out_of_reach = True
            else:
                self._out_of_reach = False
            await asyncio.sleep(self._settings.heads_poll_s)

    async def look(self) -> None:
        """Compare once."""
        live = await self._live()
        if live is not None and live != self._database.projection:
            await self._follow(live)
        async with self._database.connection() as connection:
            standings = await positions.all_positions(connection, self._database.projection)
        await self._ask()
        self._measure(standings)
        await self._set_back(standings)
        await self._caught_up(standings)
        self._heal_waiting(standings)
        self._head_check.look_at(self._heads.values())

    async def _live(self) -> str | None:
        async with self._database.connection() as connection:
            live: str | None = await connection.fetchval(LIVE)
        return live

    async def _ask(self) -> None:
        now = time.monotonic()
        everything = now - self._all_asked_at >= self._settings.all_heads_every_s
        since = None
        if not everything and self._moved_at is not None:
            since = self._moved_at - timedelta(seconds=self._settings.heads_overlap_s)
        heads = await self._feed.heads(since)
        if everything:
            self._heads.clear()
            self._all_asked_at = now
        self._heads.update({head.workspace: head for head in heads})
        self._moved_at = max((head.moved_at for head in self._heads.values()), default=None)
        self._meters.heads_read()

    def _measure(self, standings: Mapping[str, FoldedTo]) -> None:
        missing = [_missing(head.position, standings.get(name)) for name, head in self._heads.items()]
        self._meters.lag.set(sum(missing))
        self._meters.lag_max.set(max(missing, default=0))
        self._meters.behind.set(sum(1 for one in missing if one))
        parked = [standing.parked for standing in standings.values() if standing.parked is not None]
        self._meters.parked.set(len(parked))
        self._meters.store_behind.set(parked.count(STORE_BEHIND_READER))

    async def _set_back(self, standings: Mapping[str, FoldedTo]) -> None:
        for name, head in self._heads.items():
            standing = standings.get(name)
            if standing is None or standing.parked == STORE_BEHIND_READER:
                continue
            folded = Position(standing.folded.epoch, standing.folded.next_seq - 1)
            if folded.seq > 0 and head.position < folded and await self._is_set_back(name, folded):
                log.error(STORE_BEHIND_READER, workspace=name, folded=str(folded), head=str(head.position))
                await self._retrying.park(name, standing.folded.next_seq, STORE_BEHIND_READER)

    async def _is_set_back(self, workspace: str, folded: Position) -> bool:
        """Asked directly, for the heads in hand may be older than what was folded since."""
        page = await self._feed.after(workspace, folded, 1)
        return page is not None and page.head < folded

    async def _caught_up(self, standings: Mapping[str, FoldedTo]) -> None:
        done = [
            name
            for name, standing in standings.items()
            if standing.rebuilding
            and name in self._heads
            and not _missing(self._heads[name].position, standing)
        ]
        if done:
            async with self._database.transaction() as connection:
                await positions.caught_up(connection, self._database.projection, done)

    def _heal_waiting(self, standings: Mapping[str, FoldedTo]) -> None:
        now = time.monotonic()
        waiting: dict[str, _Waiting] = {}
        for name, head in self._heads.items():
            standing = standings.get(name)
            if not _missing(head.position, standing) or _stands_still(head, standing):
                continue
            folded = None if standing is None else standing.folded
            before = self._waiting.get(name)
            waiting[name] = (
                before if before is not None and before.folded == folded else _Waiting(folded, now)
            )
            patience_s = self._patience_s(name)
            if patience_s is not None and now - waiting[name].since >= patience_s:
                self._healer.begin(name, "behind, and nothing arrives")
        self._waiting = waiting


def _missing(head: Position, standing: FoldedTo | None) -> int:
    """How many facts up to the head are not folded; all of them if the epoch is another."""
    if standing is None or standing.folded.epoch < head.epoch:
        return head.seq
    return max(0, head.seq - standing.folded.next_seq + 1) if standing.folded.epoch == head.epoch else 0


def _stands_still(head: HeadTold, standing: FoldedTo | None) -> bool:
    """Parked, and no higher epoch to replace its log."""
    return (
        standing is not None and standing.parked is not None and head.position.epoch <= standing.folded.epoch
    )
