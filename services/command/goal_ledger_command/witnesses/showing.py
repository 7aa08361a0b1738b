"""Which signed head is shown: in the checkpoint that is served, and in proofs.

With witnesses it is the newest head that the policy's quorum has cosigned. Where none is made good for :data:`SHOWN_AFTER_S`
while the log grows, the newest signed head is shown, with the cosignatures that it has: readers see what is missing, and go
on. What is shown never goes back. Without witnesses it is the newest signed head.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from goal_ledger_ledger.checkpoint import Checkpoint
from goal_ledger_ledger.store import raw_connection
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

SHOWN_AFTER_S = 30.0

_COSIGN = """
UPDATE checkpoints SET note = $4 WHERE workspace = $1 AND epoch = $2 AND seq = $3 AND starts_with(note, $5)
"""
_COSIGN_SHOWN = """
UPDATE checkpoints SET shown_note = $4 WHERE workspace = $1 AND epoch = $2 AND shown_seq = $3 AND starts_with(shown_note, $5)
"""
_SHOW = """
UPDATE checkpoints SET shown_seq = $3, shown_root = $4, shown_note = $5
WHERE workspace = $1 AND epoch = $2 AND coalesce(shown_seq, seq) <= $3
"""
_LATE = """
SELECT workspace, epoch, shown_seq FROM checkpoints
WHERE shown_seq IS NULL OR shown_seq < seq OR split_part(shown_note, chr(10), 1) <> split_part(note, chr(10), 1)
"""
_SHOW_NEWEST = """
UPDATE checkpoints SET shown_seq = seq, shown_root = root, shown_note = note WHERE workspace = $1 AND epoch = $2
"""
_SHOW_NONE = """
UPDATE checkpoints SET shown_seq = NULL, shown_root = NULL, shown_note = NULL WHERE shown_seq IS NOT NULL
"""


class LogName(NamedTuple):
    """One log: a workspace in one epoch."""

    workspace: str
    epoch: int


class ShownHeads:
    """Moves what is shown; of the active relay."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._late: dict[LogName, tuple[int | None, float]] = {}
        """What is shown of a log whose newest head is another, and since when."""

    async def newest(self) -> None:
        """There are no witnesses."""
        async with raw_connection(self._engine) as raw:
            await raw.execute(_SHOW_NONE)

    @staticmethod
    async def cosign(raw: Raw, log: LogName, head: Checkpoint, bare: str, note: str, *, good: bool) -> None:
        """``note``: the head with all cosignatures that it has, ``bare``: without; ``good``: they are enough."""
        for statement in (_COSIGN, _COSIGN_SHOWN):
            await raw.execute(statement, *log, head.size, note, bare)
        if good:
            await raw.execute(_SHOW, *log, head.size, head.root, note)

    async def overdue(self) -> list[LogName]:
        """Show the newest heads of the logs that have waited long enough; which these are."""
        now = asyncio.get_running_loop().time()
        async with raw_connection(self._engine) as raw:
            found = {LogName(row[0], row[1]): row[2] for row in await raw.fetch(_LATE)}
            since = {
                log: now
                if self._late.get(log, (None, now))[0] != shown
                else self._late.get(log, (shown, now))[1]
                for log, shown in found.items()
            }
            overdue = [log for log, at in since.items() if at <= now - SHOWN_AFTER_S]
            for log in overdue:
                await raw.execute(_SHOW_NEWEST, *log)
        self._late = {log: (found[log], at) for log, at in since.items() if log not in overdue}
        return overdue
