"""Waiting until the read side has folded a position.

Requests that wait share one look at the positions every few milliseconds, however many they are; nobody waiting,
nobody looks.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import asyncpg
from goal_ledger_contracts.position import Position
from goal_ledger_database.sessions import CONNECTION_FAILED
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_projection.history.snapshots import ReadDatabase

log = logger("goal_ledger.query.waiting")


class Waiting:
    """Wakes those who wait for a workspace's position."""

    def __init__(self, database: ReadDatabase, poll_ms: int) -> None:
        self._database, self._poll_s = database, poll_ms / 1000
        self._waiters: defaultdict[str, dict[asyncio.Event, Position]] = defaultdict(dict)
        self._seen: dict[str, Position] = {}
        self._looking: asyncio.Task[None] | None = None

    async def until(self, workspace: str, wanted: Position, wait_ms: int) -> bool:
        """True when the workspace has come to `wanted` (or to a later epoch); False after `wait_ms`."""
        woken = asyncio.Event()
        try:
            async with asyncio.timeout(wait_ms / 1000):
                while not self._has(workspace, wanted):
                    self._waiters[workspace][woken] = wanted
                    self._look()
                    await woken.wait()
                    woken.clear()
                return True
        except TimeoutError:
            return False
        finally:
            waiters = self._waiters.get(workspace)
            if waiters is not None:
                waiters.pop(woken, None)
                if not waiters:
                    del self._waiters[workspace]
                    self._seen.pop(workspace, None)

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _has(self, workspace: str, wanted: Position) -> bool:
        seen = self._seen.get(workspace)
        return seen is not None and seen >= wanted

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        while self._waiters:
            try:
                found = await self._database.positions(list(self._waiters))
            except (*CONNECTION_FAILED, asyncpg.PostgresError) as away:
                log.warning("positions cannot be read", error=failure_text(away))
                found = {}
            for workspace, position in found.items():
                if self._seen.get(workspace) != position:
                    self._seen[workspace] = position
                    for waiter, wanted in self._waiters.get(workspace, {}).items():
                        if position >= wanted:
                            waiter.set()
            await asyncio.sleep(self._poll_s)
