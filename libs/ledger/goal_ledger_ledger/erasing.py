"""Erasing the text of a shredded person: the fact first, then the key; and again at every start, for every such fact.

The fact is what counts: from it on no writer seals a text for that person, whether or not the key is gone yet. The key
is deleted after it, in another database; a process that dies in between leaves that to the next one that starts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.folded import SHREDDING
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.line import Line
from goal_ledger_ledger.snapshots import Snapshots
from goal_ledger_ledger.store import is_passing, transaction
from goal_ledger_ledger.tables import facts

AGAIN_AFTER_S = 5.0
KEYS_LOOK_EVERY_S = 2.0
log = logging.getLogger(__name__)


class Erasing:
    """Deletes keys. ``run`` takes what goes on beside."""

    def __init__(
        self,
        engine: AsyncEngine,
        keyring: Keyring,
        snapshots: Snapshots,
        run: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._engine, self._keyring, self._snapshots, self._run = engine, keyring, snapshots, run

    async def everywhere(self) -> None:
        """Erase again for every shredding fact in the store. Raises Unreachable and asyncpg's errors."""
        by_workspace: dict[str, list[str]] = {}
        shredded = select(facts.c.workspace, facts.c.stream).where(facts.c.type == SHREDDING)
        async with transaction(self._engine) as store:
            for workspace, stream in await store.execute(shredded.order_by(facts.c.workspace, facts.c.seq)):
                by_workspace.setdefault(workspace, []).append(stream)
        for workspace, owners in by_workspace.items():
            await self._erase(workspace, owners)

    async def after_set_backs(self) -> None:
        """For ever: the keys' database may be put back, and with it the keys of those shredded since."""
        while True:
            await asyncio.sleep(KEYS_LOOK_EVERY_S)
            try:
                if await self._keyring.was_set_back():
                    log.error(
                        "the keys' database was set back: keys are put back, what was shredded is erased again"
                    )
                    await self._keyring.put_back()
                    await self.everywhere()
            except Exception as failure:
                if not is_passing(failure):
                    log.exception("it is not known whether the keys' database was set back")

    async def of_line(self, line: Line) -> None:
        """Delete the keys of those shredded since, before the answer goes out; if that fails, go on trying."""
        folded = line.appender.folded
        if folded is None or len(folded.shredded) == len(line.erased):
            return
        gone = folded.shredded - line.erased
        try:
            await self._erase(folded.workspace, gone)
            line.erased |= gone
        except Exception:
            log.exception("keys of %s are still to be deleted", folded.workspace)
            self._run(self._again(line))

    async def _again(self, line: Line) -> None:
        await asyncio.sleep(AGAIN_AFTER_S)
        await self.of_line(line)

    async def _erase(self, workspace: str, owners: Iterable[str]) -> None:
        """And the workspace's snapshot if it is from before. Doing it again changes nothing."""
        await self._keyring.delete(workspace, owners)
        await self._snapshots.drop_older_than_shredding(workspace)
