"""Applying whatever happens: what passes is tried again, what cannot be applied parks its workspace, the rest goes on.

* Transient (connection lost, server restarting, deadlock, disk full), and whatever else is no fault of the facts (a right
  or a table missing): the same batch again, with growing pauses, for as long as it takes. The rows and positions say
  what was committed, so a commit in doubt needs no thought.
* A batch that fails because of what is in it is applied workspace by workspace, and a workspace that fails fact by fact. The fact
  that cannot be applied parks its workspace, with the reason, loudly; the other workspaces go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg
from goal_ledger_database.sessions import CONNECTION_FAILED
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.applying import Applied, Applier, ReadTo
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.positions import NotOurs, ProjectionSwitched
from goal_ledger_projection.folding.records import Record, by_workspace

log = logger("goal_ledger.projection.retrying")

Result = TypeVar("Result")

_ABOUT_THE_DATA = ("22", "23", "54")
"""SQLSTATE classes: data exception, integrity constraint, program limit. All others say nothing about the facts."""


def is_transient(error: BaseException) -> bool:
    """Whether the same may succeed later, without anything being changed by us."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate)[:2] not in _ABOUT_THE_DATA
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)
    return isinstance(error, (*CONNECTION_FAILED, NotOurs))


class Pauses:
    """How long to wait before the next attempt, in seconds: doubled each time up to the longest."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s

    async def until_done(self, what: str, attempt: Callable[[], Awaitable[Result]], meters: Meters) -> Result:
        """Try until it succeeds or fails for a reason that is not transient."""
        pause_s, said = self._first_s, ""
        while True:
            try:
                return await attempt()
            except Exception as failed:
                if not is_transient(failed):
                    raise
                meters.retries.inc()
                if failure_text(failed) != said:
                    said = failure_text(failed)
                    log.warning("will try again", what=what, error=said, longest_pause_s=self._longest_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, self._longest_s)


class RetryingApplier:
    """Applies batches with the applier, as told above. Raises ProjectionSwitched and cancellation, nothing else."""

    def __init__(self, applier: Applier, database: WorkersDatabase, pauses: Pauses, meters: Meters) -> None:
        self._applier = applier
        self._database = database
        self._pauses = pauses
        self._meters = meters

    async def apply(self, records: Sequence[Record], taken: ReadTo | None = None) -> Applied:
        """Apply a batch; workspaces that cannot go on are parked."""
        with self._meters.apply_seconds.time():
            applied = await self._apply(records, taken)
        self._meters.facts.inc(applied.facts)
        self._meters.dropped.inc(applied.dropped)
        return applied

    async def _apply(self, records: Sequence[Record], taken: ReadTo | None) -> Applied:
        try:
            return await self._once(records, taken)
        except ProjectionSwitched:
            raise
        except Exception as failed:
            log.error("batch failed, its workspaces are applied one by one", error=failure_text(failed))
        applied = Applied()
        for name, many in by_workspace(records).items():
            _add(applied, await self._workspace(name, many))
        if taken is not None:
            await self._once([], taken)
        return applied

    async def _workspace(self, name: str, records: list[Record]) -> Applied:
        try:
            return await self._once(records, None)
        except ProjectionSwitched:
            raise
        except Exception as failed:
            log.error(
                "workspace failed, its facts are applied one by one",
                workspace=name,
                error=failure_text(failed),
            )
        applied = Applied()
        for record in records:
            try:
                _add(applied, await self._once([record], None))
            except ProjectionSwitched:
                raise
            except Exception as failed:
                await self._park(record, failed)
                break
        return applied

    async def _once(self, records: Sequence[Record], taken: ReadTo | None) -> Applied:
        return await self._pauses.until_done(
            "apply", lambda: self._applier.apply(records, taken), self._meters
        )

    async def _park(self, record: Record, failed: Exception) -> None:
        reason = failure_text(failed)
        log.error(
            "workspace parked", workspace=record.workspace, seq=record.seq, reason=reason, exc_info=failed
        )
        self._meters.parkings.inc()
        await self.park(record.workspace, record.seq, reason)

    async def park(self, workspace: str, seq: int, reason: str) -> None:
        """Let the workspace stand still at fact `seq` until `retry`, or a higher epoch."""

        async def note() -> None:
            async with self._database.transaction() as connection:
                await positions.park(connection, self._database.projection, workspace, seq, reason)

        await self._pauses.until_done("park", note, self._meters)


def _add(total: Applied, more: Applied) -> None:
    total.facts += more.facts
    total.dropped += more.dropped
    total.folded.update(more.folded)
    total.gaps |= more.gaps
    total.discarded |= more.discarded
    total.foreign = {**more.foreign, **total.foreign}
    total.epochs_claimed |= more.epochs_claimed
