"""A store that was set back gets from Kafka what it lacks: looked at first, written then, one workspace like another.

Looking reads all of Kafka's tail and follows each workspace that is behind, without writing: how far its log continues, with which
signed heads it agrees, what cannot follow. Writing reads the tail again and appends up to there, some hundred facts in one
transaction; the last of them, and the new epoch's ``StoreRestored``, in one. So a recovery that is killed leaves the workspace
behind (nobody writes to it), and another run goes on from where it was.

Of several epochs in the tail the highest that continues the store is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from aiokafka import ConsumerRecord
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from goal_ledger_domain.command import Meta
from goal_ledger_ledger.checkpoint import Checkpoint
from goal_ledger_ledger.epoch import folded_at_head, raise_epoch
from goal_ledger_ledger.folded import Folded, head_of
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.snapshots import Snapshots
from goal_ledger_ledger.statements import create_head
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import Domain, NotRecorded
from goal_ledger_messaging.records import read_place
from goal_ledger_messaging.security import Kafka
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.beyond_store import BeyondStore, Tail
from goal_ledger_command.published_tail import PublishedTail, published_tail
from goal_ledger_command.recovery.appending import append, batches
from goal_ledger_command.recovery.continuing import Continuation, NextFact
from goal_ledger_command.recovery.heads import published_heads
from goal_ledger_command.restoring import Lost, store_restored, workspace_and_epoch

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

FACTS_PER_TRANSACTION = 500
WORKSPACES_AT_ONCE = 50
"""Each is folded in memory; the tail is read twice for so many."""

Says = Callable[[str, int, int], None]
"""Told of a workspace how many of how many facts are back."""


@dataclass(frozen=True, slots=True)
class Recoverable:
    """One workspace that is behind. Facts ``kept + 1`` to ``reaches`` can be put back.

    ``stopped_because``: why nothing is put back unless it is asked for; None: all that Kafka holds continues the log.
    """

    workspace: str
    epoch: int
    kept: int
    reaches: int
    highest: int
    signed_to: int
    foreign: int
    heads: tuple[Checkpoint, ...]
    stopped_because: str | None

    @property
    def facts(self) -> int:
        return self.reaches - self.kept

    @property
    def lost_heads(self) -> list[Checkpoint]:
        """Signed over facts that are not in Kafka, or cannot follow."""
        return [one for one in self.heads if one.size > self.reaches]

    def signed_only(self) -> Recoverable:
        """The same without the facts that no signed head says are ours; nothing of a workspace without a signed fact."""
        reaches = max(self.kept, self.signed_to)
        return self if reaches == 0 else replace(self, reaches=reaches)


class Recovery:
    """On the databases directly; several at once harm nobody: the head guards what is written."""

    def __init__(
        self,
        engine: AsyncEngine,
        kafka: Kafka,
        keyring: Keyring,
        domain: Domain,
        key: Ed25519PublicKey | None,
        origin: str,
        erase: Callable[[], Awaitable[None]],
    ) -> None:
        """``erase``: deletes the keys of all who are shredded."""
        self._erase = erase
        self._engine, self._kafka, self._keyring, self._domain = engine, kafka, keyring, domain
        self._key, self._origin = key, origin
        self._snapshots = Snapshots(engine, keyring, domain.fold_version)

    async def look(self, wanted: Collection[str] = ()) -> AsyncIterator[list[Recoverable]]:
        """The workspaces that are behind (of those wanted, if any are named), some at a time.

        Raises KafkaNotRead, KafkaError, and what the database raises.
        """
        behind = await BeyondStore(self._engine, self._kafka).look()
        names = sorted(name for name in behind if not wanted or name in wanted)
        for at in range(0, len(names), WORKSPACES_AT_ONCE):
            some = names[at : at + WORKSPACES_AT_ONCE]
            yield await self._looked({name: behind[name] for name in some})

    async def _looked(self, behind: Mapping[str, Tail]) -> list[Recoverable]:
        heads = await published_heads(self._kafka, self._key, self._origin, behind)
        logs, kept = {}, {}
        for name, tail in behind.items():
            async with raw_connection(self._engine) as raw:
                folded = await self._at_head(raw, name)
            kept[name], logs[name] = folded.seq, _continuation(folded, heads[name], tail.epoch)
        async with published_tail(self._engine, self._kafka) as tail_of_all:
            async for record, place in _of(tail_of_all, behind):
                logs[place[0]].see(place[2], record.value or b"", None)
        return [_found(logs[name], kept[name], tail.epoch, heads[name]) for name, tail in behind.items()]

    async def recover(
        self, found: Sequence[Recoverable], meta: Meta, now: datetime, says: Says
    ) -> dict[str, int]:
        """Put back what was found, and begin a new epoch in each; by workspace which.

        Raises NotRecorded where somebody else has written meanwhile, KafkaNotRead, KafkaError, and what the database raises.
        """
        epochs: dict[str, int] = {}
        writers = {one.workspace: _Writer(self, one, meta, now, says) for one in found}
        targets = {one.workspace: Tail(one.epoch, one.reaches) for one in found}
        for writer in writers.values():
            await writer.begin()
        async with published_tail(self._engine, self._kafka) as tail:
            async for record, place in _of(tail, targets):
                await writers[place[0]].see(place[2], record)
        for name, writer in writers.items():
            epochs[name] = await writer.end()
        await self._erase()
        return epochs

    async def _at_head(self, raw: Raw, workspace: str) -> Folded:
        """A workspace that the store does not know: before its first fact."""
        head = await head_of(raw, workspace)
        if head is None or not head[1]:
            return Folded(workspace, self._domain.empty(), 1)
        return await folded_at_head(raw, self._keyring, self._domain, self._snapshots, workspace)

    async def append(self, folded: Folded, facts: Sequence[NextFact]) -> None:
        """One transaction."""
        async with raw_connection(self._engine) as raw, raw.transaction():
            await self._append(raw, folded, facts)

    async def _append(self, raw: Raw, folded: Folded, facts: Sequence[NextFact]) -> None:
        """Behind the head, which stays locked. Raises NotRecorded if it is not where ``folded`` is."""
        if not folded.seq:
            await create_head(raw, folded.workspace)
        head = await head_of(raw, folded.workspace, lock=True)
        if head is None or (head[0], head[1], head[4]) != (folded.epoch, folded.seq, folded.root):
            raise _moved(folded)
        await append(raw, self._keyring, self._domain, folded, facts)

    async def finish(
        self, folded: Folded, facts: Sequence[NextFact], lost: Lost, meta: Meta, now: datetime
    ) -> int:
        """The last facts and the new epoch, in one transaction; which epoch."""
        async with raw_connection(self._engine) as raw, raw.transaction():
            await self._append(raw, folded, facts)
            decide = store_restored(meta, lost)
            answer = await raise_epoch(raw, folded, self._domain, lost.epoch, decide, now)
        return answer.position.epoch

    async def folded(self, workspace: str) -> Folded:
        """At the head as it is now."""
        async with raw_connection(self._engine) as raw:
            return await self._at_head(raw, workspace)


class _Writer:
    """Appends one workspace's facts as they come. Facts recorded together stay together."""

    def __init__(self, recovery: Recovery, found: Recoverable, meta: Meta, now: datetime, says: Says) -> None:
        self._recovery, self._found, self._meta, self._now, self._says = recovery, found, meta, now, says
        self._waiting: list[NextFact] = []
        self._folded: Folded
        self._log: Continuation

    async def begin(self) -> None:
        """Raises NotRecorded if the head is not where it was when it was looked at."""
        self._folded = await self._recovery.folded(self._found.workspace)
        if self._folded.seq != self._found.kept:
            raise _moved(self._folded)
        self._log = _continuation(self._folded, self._found.heads, self._found.epoch)

    async def see(self, seq: int, record: ConsumerRecord) -> None:
        if seq > self._found.reaches:
            return
        taken = self._log.see(seq, record.value or b"", _traceparent(record))
        if taken is not None:
            self._waiting.append(taken)
        if len(self._waiting) >= FACTS_PER_TRANSACTION:
            *whole, last = batches(self._waiting)
            if whole:
                await self._write([one for some in whole for one in some])
                self._waiting = last

    async def _write(self, facts: list[NextFact]) -> None:
        await self._recovery.append(self._folded, facts)
        self._says(self._found.workspace, self._folded.seq - self._found.kept, self._found.facts)
        await asyncio.sleep(0)

    async def end(self) -> int:
        """Raises NotRecorded if Kafka gave less than when it was looked at: the epoch would lose what was found."""
        if self._log.seq < self._found.reaches:
            reached, wanted = self._log.seq, self._found.reaches
            raise NotRecorded(
                f"{self._found.workspace}: of {wanted} facts Kafka now gave {reached}. No epoch was begun; run it again."
            )
        lost = Lost(epoch=self._found.epoch)
        for head in self._found.lost_heads:
            lost.add_head(head)
        epoch = await self._recovery.finish(self._folded, self._waiting, lost, self._meta, self._now)
        self._says(self._found.workspace, self._found.facts, self._found.facts)
        return epoch


def _moved(folded: Folded) -> NotRecorded:
    return NotRecorded(f"Somebody else has written to {folded.workspace}. Run it again.")


def _continuation(folded: Folded, heads: Sequence[Checkpoint], epoch: int) -> Continuation:
    roots = {one.size: one.root for one in heads if workspace_and_epoch(one)[1] == epoch}
    tips = dict(folded.tips)
    return Continuation(folded.workspace, folded.epoch, folded.frontier, tips, folded.recorded_at, roots)


def _found(log: Continuation, kept: int, epoch: int, heads: Sequence[Checkpoint]) -> Recoverable:
    """Where a signed head contradicts, no fact behind the last one that agreed is put back."""
    reaches = log.seq if log.contradicts_at is None else max(kept, log.signed_to)
    return Recoverable(
        log.workspace,
        epoch,
        kept,
        reaches,
        log.highest,
        log.signed_to,
        log.foreign,
        tuple(heads),
        _stopped_because(log, epoch),
    )


def _stopped_because(log: Continuation, epoch: int) -> str | None:
    if log.contradicts_at is not None:
        return f"a signed head over {log.contradicts_at} facts has another root than Kafka's facts"
    if log.epoch != epoch:
        return f"the store holds facts that the log of epoch {epoch} does not: put back a dump from before it"
    if log.highest > log.seq:
        return f"Kafka holds facts up to {log.highest}, and none after {log.seq} that continues the log"
    return None


async def _of(
    tail: PublishedTail, targets: Mapping[str, Tail]
) -> AsyncIterator[tuple[ConsumerRecord, tuple[str, int, int]]]:
    """The records of these workspaces in the epochs that are followed, with workspace, epoch and seq."""
    async for records in tail.records():
        for record in records:
            place = read_place(record.headers)
            if place is not None and place[0] in targets and targets[place[0]].epoch == place[1]:
                yield record, place


def _traceparent(record: ConsumerRecord) -> str | None:
    found: bytes | None = dict(record.headers).get("traceparent")
    return None if found is None else found.decode("ascii", "replace")
