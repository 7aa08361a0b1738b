"""The append: how a batch of commands becomes facts on disk, exactly once, in one order.

**The guarantee.** A command that is answered with success has its facts on disk, dense and chained, at the position in
the answer; a command that is refused has recorded nothing; one of which neither is known is answered
:class:`OutcomeUnknown`, and repeating it with the same key tells. However many processes write, each decision is taken
on exactly the facts before it: there is no write skew within a workspace.

**How.** Each process folds the workspace in memory up to its head. A batch is decided on a branch of that state and
written by *one* statement guarded by the head: ``UPDATE heads … WHERE seq = :old AND root = :old_root``, with the inserts of facts, answers,
identities and points hanging on its row. If the head moved since, no row is updated and nothing is inserted: a lost
race costs nothing but the work. One statement is one transaction, one round trip and one flush for the whole batch.

**Why a lock after one lost race.** The guard alone starves one of two busy writers (1,080 lost races in a row were
measured). So after a lost race a writer takes the head's row lock first, folds what it missed, decides and writes in
that transaction; PostgreSQL queues those who wait for a row, so writers alternate. It goes on that way for some
batches (:data:`LOCKED_BATCHES`), as long as others are seen to write; a writer that finds itself alone returns to the
guard. The reads of a batch (idempotency keys, identities, neighbours) name the head they were made at; the guard or
the lock keeps them valid up to the commit.

**Why the first event id is looked for.** When the connection breaks after the statement was sent, it may be committed,
or never be, or *be committed later* (seen: the fact came two seconds after a look-up had missed it). So a look-up alone
proves nothing. On a new connection the head is locked first: a first attempt that holds the lock is waited for. Is the
batch's first event id there, the batch was committed. If not, it is decided and written again in that very
transaction, which moves the head, so that the first attempt's guard can never match. If neither can be done in
:data:`RESOLVE_WITHIN_S`, the outcome is unknown, and said to be.

**While a batch is written the next is decided** on what it will leave (``ahead.py``), so that neither the process nor the
store waits for the other. It is written only when the one before it is committed.

**No answer leaves early.** Answers, refusals too, are handed out by :meth:`Appender.record` when the batch they were
decided in is committed, or found to hold nothing on an unmoved head; only then does the folded state advance.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Container, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
from goal_ledger_database.pulse import Now
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.ahead import Ahead, DecidesAhead, Following, nothing_follows
from goal_ledger_ledger.batch import Batch, Settled, decide_batch
from goal_ledger_ledger.folded import EpochChanged, Folded, catch_up, head_of
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.lookup import look_up
from goal_ledger_ledger.sealing import TextKeys
from goal_ledger_ledger.snapshots import Snapshots
from goal_ledger_ledger.statements import create_head, is_committed, write
from goal_ledger_ledger.store import (
    Database,
    Unreachable,
    connection_lost,
    is_passing,
    leaves_in_doubt,
    raw_connection,
)
from goal_ledger_ledger.submission import (
    CommandAnswer,
    Domain,
    NotRecorded,
    OutcomeUnknown,
    StoreBehindLog,
    Submission,
    UnknownWorkspace,
)

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

LOCKED_BATCHES = 8
"""Batches that are written under the lock after one that found the head moved by somebody else."""

RESOLVE_WITHIN_S = 4.0
"""With the pulse's patience (``goal_ledger_database``) less than that of a client, which is five seconds."""
TRIES_BEFORE_NOT_RECORDED = 3
RETRY_PAUSE_S = 0.1


class HeadMoved(Exception):
    """Somebody else wrote since the state was folded."""


class NothingCreated(Exception):
    """The command that was to create the workspace recorded nothing: its head is taken back."""


class Unresolved(Exception):
    """A batch was sent, and neither its commit nor its absence could be established."""


@dataclass(slots=True)
class Counts:
    """What was done since the process started: for metrics."""

    batches: int = 0
    facts: int = 0
    lost_races: int = 0
    locked_batches: int = 0
    unknown_commits: int = 0
    decided_ahead: int = 0


class Appender:
    """Writes the batches of one workspace, and holds its folded state. Not to be called by two tasks at once."""

    def __init__(
        self,
        workspace: str,
        engine: AsyncEngine,
        keyring: Keyring,
        domain: Domain,
        snapshots: Snapshots,
        counts: Counts,
        decides_ahead: DecidesAhead,
        now: Now,
    ) -> None:
        self.workspace = workspace
        self.folded: Folded | None = None
        self.snapshot_seq = 0
        """Where the latest snapshot stands."""
        self._engine, self._keyring, self._domain = engine, keyring, domain
        self._snapshots, self._counts = snapshots, counts
        self._locked_batches_left = 0
        self._decides_ahead = decides_ahead
        self._now = now
        self._ahead: Ahead | None = None

    async def record(
        self, submissions: Sequence[Submission], following: Following = nothing_follows
    ) -> list[Settled]:
        """Load, decide, append: what became of the submissions, of the first at least (the rest: call again).

        ``following`` says what will be handed in next if so many of these are decided; it may be decided meanwhile.

        Raises:
            UnknownWorkspace, StoreBehindLog: of the workspace as a whole; nothing was recorded.
            Unreachable, asyncpg's errors: the batch as a whole failed; nothing was recorded.
        """
        doubt: Batch | None = None  # was sent on a connection that broke: committed, or not, or not yet
        tries, until = 0, time.monotonic() + RESOLVE_WITHIN_S
        while True:
            batch: Batch | None = None
            tries += 1
            try:
                async with (
                    raw_connection(self._engine) as raw,
                    self._state(raw, submissions, doubt) as folded,
                ):
                    if doubt is not None and await is_committed(raw, folded, doubt):
                        return doubt.outcomes
                    batch = await self._decided_ahead(folded, submissions)
                    batch = batch or await self._decide(raw, folded, submissions)
                    if not batch.writes:
                        await self._nothing_to_write(raw, folded, doubt)
                    elif not await self._write(raw, folded, batch, following):
                        raise HeadMoved
                return self._committed(folded, batch)
            except HeadMoved:
                self._counts.lost_races += 1
                self._locked_batches_left = LOCKED_BATCHES
            except EpochChanged:
                self.folded = None
            except NothingCreated:
                self.folded = None
                return batch.outcomes if batch is not None else []
            except Unresolved:
                return _unknown(doubt)
            except Exception as failure:
                if batch is not None and batch.sent and leaves_in_doubt(failure):
                    self._counts.unknown_commits += 1
                    doubt = batch
                if not self._try_again(failure, doubt, tries, until):
                    if doubt is None:
                        raise
                    return _unknown(doubt)
                await asyncio.sleep(RETRY_PAUSE_S)

    @asynccontextmanager
    async def _state(
        self, raw: Raw, submissions: Sequence[Submission], doubt: Batch | None
    ) -> AsyncIterator[Folded]:
        """The state to decide on: as it was folded last, trusting the guard; or at the head, locked to the end."""
        creates = submissions[0].creates_workspace
        if doubt is None and not creates and not self._locked_batches_left:
            yield self.folded or await self.load(raw)
            return
        async with raw.transaction():
            if creates:
                await create_head(raw, self.workspace)
            folded = self.folded or await self.load(raw)
            moved = await catch_up(raw, folded, self._domain, self._keyring, lock=True)
            self._counts.locked_batches += 1
            self._locked_batches_left = LOCKED_BATCHES if moved else max(0, self._locked_batches_left - 1)
            yield folded

    async def load(self, raw: Raw) -> Folded:
        """Fold the workspace up to its head, from its snapshot if one fits. Raises :class:`UnknownWorkspace`."""
        if isinstance(self._engine, Database):
            await self._engine.need_same(raw)
        head = await head_of(raw, self.workspace)
        if head is None:
            raise UnknownWorkspace(self.workspace)
        folded = await self._snapshots.load(raw, self.workspace, head[0], head[1])
        self.snapshot_seq = folded.seq if folded is not None else 0
        if folded is None:
            folded = Folded(self.workspace, self._domain.empty(), head[0])
        await catch_up(raw, folded, self._domain, self._keyring)
        self.folded = folded
        return folded

    async def refreshed(self, fresh_s: float) -> Folded:
        """The state, looked at the head within the last ``fresh_s`` seconds."""
        folded = self.folded
        if folded is not None and time.monotonic() - folded.checked_at < fresh_s:
            return folded
        async with raw_connection(self._engine) as raw:
            if folded is None:
                return await self.load(raw)
            try:
                await catch_up(raw, folded, self._domain, self._keyring)
            except EpochChanged:
                return await self.load(raw)
            except Exception as failure:
                self._distrust(failure)
                raise
        return folded

    async def epoch_in_store(self) -> int:
        """0: no such workspace."""
        async with raw_connection(self._engine) as raw:
            head = await head_of(raw, self.workspace)
        return 0 if head is None else int(head[0])

    def _distrust(self, failure: Exception) -> None:
        """After a failure of another kind than a broken connection the state may be half folded: it is dropped.

        Not when the store is behind it: then it is what tells so.
        """
        if not connection_lost(failure) and not isinstance(failure, StoreBehindLog | Unreachable):
            self.folded = None

    async def _decide(self, raw: Raw, folded: Folded, submissions: Sequence[Submission]) -> Batch:
        """Look up, then decide; again if texts need keys that were not in memory: these are committed in between."""
        looked = await look_up(raw, submissions, self.workspace, self._keyring)
        if looked.position is not None and looked.position != folded.position:
            raise HeadMoved
        now, keys = folded.next_recorded_at(self._now()), await self._text_keys()
        while True:
            batch = decide_batch(folded, looked, submissions, now, keys, self._domain)
            if batch.missing_keys:
                keys = await self._text_keys(batch.missing_keys, had_keys=folded.tips)
                continue
            there = await self._keys_are_there(batch)
            if there:
                return batch
            keys = None if there is None else self._keyring.keys(self.workspace)

    async def _decided_ahead(self, folded: Folded, submissions: Sequence[Submission]) -> Batch | None:
        """What was decided while the batch before was written, if it was these, on the state as it is now."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or not ahead.fits(folded, submissions):
            return None
        if not await self._keys_are_there(ahead.batch):
            return None
        self._counts.decided_ahead += 1
        return ahead.batch

    async def _write(self, raw: Raw, folded: Folded, batch: Batch, following: Following) -> bool:
        """Write the batch if the head is where it was decided; meanwhile what follows is decided."""
        submissions = () if self._locked_batches_left else following(len(batch.outcomes))
        if not submissions:
            return await write(raw, folded, batch)
        ahead = asyncio.create_task(self._decides_ahead.after(folded, batch, submissions))
        try:
            moved = await write(raw, folded, batch)
            self._ahead = await ahead
            return moved
        finally:
            ahead.cancel()

    async def _keys_are_there(self, batch: Batch) -> bool | None:
        """Whether the keys that the batch has sealed with are in their database: nobody could read it else. False: others
        are, which are in memory now; None: that database is away."""
        if not batch.sealed_for:
            return True
        try:
            return await self._keyring.confirm(self.workspace, batch.sealed_for)
        except Exception as failure:
            if not is_passing(failure):
                raise
            return None

    async def _text_keys(
        self, missing: Iterable[str] = (), *, had_keys: Container[str] = frozenset()
    ) -> TextKeys | None:
        """The keys in memory, those missing made; None: their database is away. A person whose stream has begun had a key:
        the name in its first fact is sealed."""
        try:
            await self._keyring.ensure(self.workspace, missing, had_keys)
        except Exception as failure:
            if not is_passing(failure):
                raise
            return None
        return self._keyring.keys(self.workspace)

    async def _nothing_to_write(self, raw: Raw, folded: Folded, doubt: Batch | None) -> None:
        """Refusals and repeats are handed out only if they were decided on the head as it is."""
        if not folded.seq:
            raise NothingCreated
        if doubt is not None and doubt.base == folded.position:
            raise Unresolved  # nothing would move the head, so the first attempt may still come through
        head = await head_of(raw, self.workspace)
        if head is None or (head[0], head[1]) != folded.position:
            raise HeadMoved

    def _committed(self, folded: Folded, batch: Batch) -> list[Settled]:
        folded.take(batch)
        self._counts.batches += 1
        self._counts.facts += len(batch.rows)
        return batch.outcomes

    def _try_again(self, failure: Exception, doubt: Batch | None, tries: int, until: float) -> bool:
        """Whether another attempt can help: something is in doubt, the connection broke, or the lock was not free."""
        if isinstance(failure, asyncpg.LockNotAvailableError):
            self._locked_batches_left = LOCKED_BATCHES
        elif not connection_lost(failure):
            self._distrust(failure)
            if doubt is None:
                return False
        return time.monotonic() < until if doubt is not None else tries < TRIES_BEFORE_NOT_RECORDED


def _unknown(doubt: Batch | None) -> list[Settled]:
    """Nobody knows what became of what was sent; the next batch finds out by its guard."""
    return [
        OutcomeUnknown() if isinstance(outcome, CommandAnswer) and not outcome.replayed else _not_recorded()
        for outcome in (doubt.outcomes if doubt is not None else [])
    ]


def _not_recorded() -> NotRecorded:
    return NotRecorded(
        "The connection to the store broke while this was decided; nothing of it was recorded."
    )
