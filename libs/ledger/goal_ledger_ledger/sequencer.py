"""The ledger of a process: the commands of each workspace wait in line, and one task per workspace records them.

*One line per workspace*, so that what spans goals is decided one after another, and a repeat of a command waits for the
first of its kind simply by standing behind it. Whatever has gathered while a batch was being committed goes into the
next: group commit needs no timer.

*Bulk and single commands share each batch* (``line.py``), so that neither waits for the other.

*A caller that goes away cancels nothing*: its command stays in line and is recorded. A line's task ends when its line
is empty. Folded states are kept for the workspaces used last (:data:`MAX_WORKSPACES`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from goal_ledger_contracts.position import Position
from goal_ledger_database.pulse import Now, own_clock
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.ahead import DecidesAhead, Following, nothing_follows
from goal_ledger_ledger.append import Appender, Counts
from goal_ledger_ledger.batch import Settled
from goal_ledger_ledger.epoch import DecidesFork, begin_epoch, workspaces
from goal_ledger_ledger.erasing import Erasing
from goal_ledger_ledger.folded import Folded
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.line import Bulk, Line, Single
from goal_ledger_ledger.snapshots import EVERY_FACTS, Snapshots
from goal_ledger_ledger.store import Unreachable, is_passing, leaves_in_doubt, require_durability
from goal_ledger_ledger.submission import (
    CommandAnswer,
    CuredByNewEpoch,
    Domain,
    FoldedState,
    LogForked,
    NotRecorded,
    OutcomeUnknown,
    StoreBehindLog,
    Submission,
    UnknownWorkspace,
    WriteGate,
)

MAX_WORKSPACES = 256
"""Workspaces whose folded state is kept in memory; more only while they are in use."""

READ_FRESH_S = 0.8
"""How old the last look at the head may be for a read: with the look itself, within a second."""

UNKNOWN_REMEMBERED_S = 1.0
MAX_UNKNOWN_REMEMBERED = 1_000
SAY_AWAY_EVERY_S = 5.0
FAILURE_REMEMBERED_S = 30.0
"""So long after the server said no a process calls itself not ready, unless it records something."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stop:
    """Why nothing is written, and the epoch that was folded then (None: only resume_writing ends it)."""

    reason: str
    epoch: int | None
    looked_at: float = field(default_factory=time.monotonic)


class Ledger:
    """The one way to record facts, and to read the state that decisions are taken on. One per process."""

    def __init__(
        self,
        engine: AsyncEngine,
        keyring: Keyring,
        domain: Domain,
        gate: WriteGate,
        *,
        allow_unsafe_durability: bool = False,
        now: Now = own_clock,
    ) -> None:
        self.counts = Counts()
        self._engine, self._keyring, self._domain, self._gate = engine, keyring, domain, gate
        self._allow_unsafe_durability = allow_unsafe_durability
        self._now = now
        self._snapshots = Snapshots(engine, keyring, domain.fold_version)
        self._decides_ahead = DecidesAhead(engine, keyring, domain, now)
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._unknown: dict[str, float] = {}
        self._stopped: dict[str | None, Stop] = {}
        self._behind: set[asyncio.Task[None]] = set()
        self._erasing = Erasing(engine, keyring, self._snapshots, self._run)
        self._closing = False
        self._away_said_at = -SAY_AWAY_EVERY_S
        self._failed: tuple[float, str] | None = None

    async def start(self) -> None:
        """Look at the servers' durability, and erase again what was shredded.

        Raises:
            UnsafeDurability: a server may lose what it acknowledged.
            Unreachable: a database is away.
        """
        if not self._allow_unsafe_durability:
            await require_durability(self._engine)
            await require_durability(self._keyring.engine)
        await self._erasing.everywhere()
        self._run(self._erasing.after_set_backs())

    async def erase_again(self) -> None:
        """After facts came by another way than :meth:`submit`. Raises Unreachable and asyncpg's errors."""
        await self._erasing.everywhere()

    async def close(self) -> None:
        """Take nothing new, record what waits, end. The engines are the caller's to dispose of."""
        self._closing = True
        drains = [line.task for line in self._lines.values() if line.task is not None]
        if drains:
            await asyncio.wait(drains)
        for task in self._behind:
            task.cancel()
        if self._behind:
            await asyncio.wait(self._behind)

    async def submit(self, submission: Submission) -> CommandAnswer:
        """Record one command. What its ``decide`` raises is raised here.

        Raises:
            UnknownWorkspace, KeyReused, FactTooLarge, OwnerShredded: refused; nothing was recorded.
            NotRecorded, StoreBehindLog: nothing was recorded.
            OutcomeUnknown: it may or may not have been recorded.
        """
        line = self._line_for(submission)
        future: asyncio.Future[CommandAnswer] = asyncio.get_running_loop().create_future()
        line.singles.append(Single(submission, future))
        self._wake(line)
        return await future

    async def submit_all(self, submissions: Sequence[Submission]) -> list[Settled]:
        """Record many commands of one workspace, in their order; what became of each. Raises as ``submit`` does,
        but only for the workspace as a whole."""
        if not submissions:
            return []
        line = self._line_for(submissions[0])
        future: asyncio.Future[list[Settled]] = asyncio.get_running_loop().create_future()
        line.bulk.append(Bulk(submissions, future))
        self._wake(line)
        return await future

    async def workspaces(self) -> list[str]:
        """All that the store holds. Raises Unreachable and asyncpg's errors."""
        return await workspaces(self._engine)

    async def begin_epoch(self, workspace: str, above: int, decide: DecidesFork) -> CommandAnswer:
        """Raise the workspace's epoch, above ``above`` too: see ``epoch.py``. Raises as :meth:`submit` does."""
        line = self._line(workspace)
        async with line.lock:
            try:
                with contextlib.suppress(CuredByNewEpoch):
                    await self._gate.check(workspace)
                kept = (self._engine, self._keyring, self._domain, self._snapshots)
                return await begin_epoch(*kept, workspace, above, decide, self._now())
            except Exception as failure:
                if leaves_in_doubt(failure) and is_passing(failure) and not isinstance(failure, Unreachable):
                    raise OutcomeUnknown from failure
                raise self._as_outcome(workspace, failure) from failure
            finally:
                line.appender.folded = None

    async def read(self, workspace: str) -> tuple[FoldedState, Position]:
        """The folded state, known to have stood at the head at most a second ago. It goes on changing: use it
        before the next ``await``.

        Raises:
            UnknownWorkspace
            NotRecorded: the store cannot be reached.
            StoreBehindLog: the head is below what this process has folded, or than what Kafka holds.
        """
        await self._need_not_behind(workspace)
        self._refuse_unknown(workspace)
        line = self._line(workspace)
        folded = line.appender.folded
        if folded is None or time.monotonic() - folded.checked_at >= READ_FRESH_S:
            async with line.lock:
                folded = await self._refreshed(line)
            self._snapshot_if_due(line)
        return folded.world, folded.position

    async def _need_not_behind(self, workspace: str) -> None:
        """What is read of a store that is behind may be gone when it is recovered."""
        with contextlib.suppress(NotRecorded):  # then writes alone are closed
            await self._gate.check(workspace)

    def at_hand(self, workspace: str) -> FoldedState | None:
        """What :meth:`read` would answer without asking the store; None: it would have to."""
        line = self._lines.get(workspace)
        folded = None if line is None else line.appender.folded
        if folded is None or time.monotonic() - folded.checked_at >= READ_FRESH_S:
            return None
        return folded.world

    async def _refreshed(self, line: Line) -> Folded:
        workspace = line.appender.workspace
        try:
            return await line.appender.refreshed(READ_FRESH_S)
        except Exception as failure:
            outcome = self._as_outcome(workspace, failure)
            if outcome is failure:
                raise
            raise outcome from failure
        finally:
            if line.appender.folded is None and line.task is None:
                self._lines.pop(workspace, None)

    def stop_writing(self, workspace: str | None, reason: str) -> None:
        """Refuse every write with StoreBehindLog: to this workspace, until it is recovered; or (None) to all, until
        :meth:`resume_writing`."""
        log.error("writing is stopped (workspace: %s): %s", workspace or "all", reason)
        line = None if workspace is None else self._lines.get(workspace)
        folded = None if line is None else line.appender.folded
        self._stopped[workspace] = Stop(reason, None if folded is None else folded.epoch)

    def resume_writing(self, workspace: str | None) -> None:
        """Take a stop back. What was folded of that workspace before is void."""
        self._stopped.pop(workspace, None)
        for name, line in self._lines.items():
            if workspace in (None, name):
                line.appender.folded = None

    @property
    def stopped(self) -> dict[str | None, str]:
        """The stops in force, with their reasons."""
        return {workspace: stop.reason for workspace, stop in self._stopped.items()}

    @property
    def failing_because(self) -> str | None:
        """What the server last said instead of recording (disk full, read-only), if nothing was recorded since."""
        if self._failed is None or time.monotonic() - self._failed[0] > FAILURE_REMEMBERED_S:
            return None
        return self._failed[1]

    @property
    def waiting(self) -> int:
        """Commands in line, of all workspaces."""
        return sum(line.waiting for line in self._lines.values())

    def _line_for(self, submission: Submission) -> Line:
        if self._closing:
            raise NotRecorded("This process is shutting down; nothing was recorded.")
        if submission.creates_workspace:
            self._unknown.pop(submission.workspace, None)
        else:
            self._refuse_unknown(submission.workspace)
        return self._line(submission.workspace)

    def _line(self, workspace: str) -> Line:
        line = self._lines.get(workspace)
        if line is not None:
            self._lines.move_to_end(workspace)
            return line
        appender = Appender(
            workspace,
            self._engine,
            self._keyring,
            self._domain,
            self._snapshots,
            self.counts,
            self._decides_ahead,
            self._now,
        )
        line = self._lines[workspace] = Line(appender)
        if len(self._lines) > MAX_WORKSPACES:
            for name, oldest in self._lines.items():
                if oldest.idle and oldest is not line:
                    del self._lines[name]
                    break
        return line

    def _refuse_unknown(self, workspace: str) -> None:
        until = self._unknown.get(workspace)
        if until is None:
            return
        if time.monotonic() < until:
            raise UnknownWorkspace(workspace)
        del self._unknown[workspace]

    def _wake(self, line: Line) -> None:
        if line.task is None:
            line.task = asyncio.create_task(self._drain(line))

    async def _drain(self, line: Line) -> None:
        while line.singles or line.bulk:
            submissions = line.take()
            async with line.lock:
                outcomes = await self._record(line, submissions, line.following)
            line.settle(outcomes)
            self._snapshot_if_due(line)
        line.task = None
        self._forget_if_unfolded(line)

    def _forget_if_unfolded(self, line: Line) -> None:
        """A name that is no workspace takes no place among those that are."""
        workspace = line.appender.workspace
        if line.appender.folded is None and line.idle and self._lines.get(workspace) is line:
            del self._lines[workspace]

    async def _record(
        self, line: Line, submissions: list[Submission], following: Following = nothing_follows
    ) -> list[Settled]:
        """What became of the first submissions, at least one."""
        try:
            await self._may_write(line)
            outcomes = await line.appender.record(submissions, following)
            if self._failed is not None and any(
                isinstance(one, CommandAnswer) and one.facts for one in outcomes
            ):
                self._failed = None
            await self._erasing.of_line(line)
            return outcomes
        except Exception as failure:
            outcome = self._as_outcome(line.appender.workspace, failure)
            if outcome is not failure or isinstance(
                failure, UnknownWorkspace | StoreBehindLog | LogForked | NotRecorded
            ):
                return [outcome] * len(submissions)
            log.exception("a batch of %s failed", line.appender.workspace)
        if len(submissions) == 1:
            return [outcome]
        return [(await self._record(line, [one]))[0] for one in submissions]

    async def _may_write(self, line: Line) -> None:
        """Raises what the gate raises, or StoreBehindLog while writing is stopped."""
        workspace = line.appender.workspace
        if self._stopped:
            stop = self._stopped.get(workspace)
            if stop is not None and await self._is_recovered(line, stop):
                self.resume_writing(workspace)
                stop = None
            stop = stop or self._stopped.get(None)
            if stop is not None:
                raise StoreBehindLog(stop.reason)
        await self._gate.check(workspace)

    async def _is_recovered(self, line: Line, stop: Stop) -> bool:
        """A recovery raises the epoch; looked at once a second at most."""
        if stop.epoch is None or time.monotonic() - stop.looked_at < READ_FRESH_S:
            return False
        stop.looked_at = time.monotonic()
        return await line.appender.epoch_in_store() > stop.epoch

    def _as_outcome(self, workspace: str, failure: Exception) -> Exception:
        """What a caller is told of a failure that is not of its command."""
        if isinstance(failure, UnknownWorkspace):
            if len(self._unknown) >= MAX_UNKNOWN_REMEMBERED:
                self._unknown.clear()
            self._unknown[workspace] = time.monotonic() + UNKNOWN_REMEMBERED_S
        elif isinstance(failure, StoreBehindLog):
            if failure.is_own_finding and workspace not in self._stopped:
                self.stop_writing(workspace, failure.sentence)
        elif is_passing(failure):
            if isinstance(failure, asyncpg.PostgresError):
                self._failed = (time.monotonic(), type(failure).__name__)
            if time.monotonic() - self._away_said_at > SAY_AWAY_EVERY_S:
                self._away_said_at = time.monotonic()
                log.warning("the store is away: %r", failure)
            return NotRecorded("The store cannot be reached; nothing was recorded.")
        return failure

    def _snapshot_if_due(self, line: Line) -> None:
        """Start a snapshot when enough was recorded since the last."""
        appender = line.appender
        if appender.folded is None or line.snapshot_runs:
            return
        if appender.folded.seq - appender.snapshot_seq >= EVERY_FACTS:
            line.snapshot_runs = True
            self._run(self._snapshot(line))

    async def _snapshot(self, line: Line) -> None:
        try:
            folded = line.appender.folded
            if folded is not None:
                line.appender.snapshot_seq = folded.seq
                await self._snapshots.save(folded)
        except Exception:
            log.exception("no snapshot of %s", line.appender.workspace)
        finally:
            line.snapshot_runs = False

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)
