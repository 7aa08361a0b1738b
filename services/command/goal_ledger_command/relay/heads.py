"""Signed tree heads: kept for ``/v1/log/checkpoint`` and published on ``ledger.heads``, key = workspace.

What is signed is a head that was committed, root and seq read from one row; within an epoch the log only grows, so no
two signed heads are ever inconsistent. A head is signed once everything up to it is published: a signed head never
speaks of facts that Kafka does not hold. While a log grows it is signed every few seconds, and once more when it rests.
A head is published first and kept then: after a failure it is signed and published again, the same. When the topic is
another one than last time, or was cut at its beginning since (both are looked at every ten seconds), the newest head of
every workspace is published again; older ones that are gone stay gone.
Before a round signs, the tiles under what it signs are kept (``kept_tiles.py``), as far as a second goes: proofs under a
signed head are made from tiles.

Nothing more is signed of a log of which a witness has seen more, or another one (``witnesses``): until the epoch is raised.

The origin is of the settings. Where it was changed, the newest heads are signed again under the new one, the same sizes and
roots; heads that somebody kept stay what they were.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from goal_ledger_ledger.checkpoint import Checkpoint, origin_of, sign
from goal_ledger_ledger.kept_tiles import KeptTiles
from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging import producer as producers
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import HEADS
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.published_tail import PartitionMark
from goal_ledger_command.relay.marks import PublishedTo
from goal_ledger_command.relay.metrics import RelayMetrics

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

LOOK_EVERY_S = 1.0
SIGN_EVERY_S = 5.0
LOOK_AT_TOPIC_EVERY_S = 10.0
ASK_TIMEOUT_S = 5.0
HEADS_PER_ROUND = 500

_GROWN = """
SELECT h.workspace, h.epoch, h.seq, h.root, coalesce(p.seq, 0) AS published,
    coalesce(c.signed_at < clock_timestamp() - make_interval(secs => $1), true) AS due
FROM heads h
LEFT JOIN published p ON p.workspace = h.workspace AND p.epoch = h.epoch
LEFT JOIN checkpoints c ON c.workspace = h.workspace AND c.epoch = h.epoch
WHERE (coalesce(c.seq, 0) < h.seq OR NOT starts_with(c.note, $2 || '/' || h.workspace || '/' || h.epoch || chr(10)))
    AND NOT EXISTS (
        SELECT FROM witnessed w WHERE w.workspace = h.workspace AND w.epoch = h.epoch AND w.stopped IS NOT NULL
    )
"""
_KEEP = """
INSERT INTO checkpoints AS kept (workspace, epoch, seq, root, signed_at, note)
SELECT w, e, s, r, clock_timestamp(), n
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bytea[], $5::text[]) AS u(w, e, s, r, n)
ON CONFLICT (workspace, epoch) DO UPDATE
SET seq = EXCLUDED.seq, root = EXCLUDED.root, signed_at = EXCLUDED.signed_at, note = EXCLUDED.note
WHERE kept.seq < EXCLUDED.seq OR (kept.seq = EXCLUDED.seq AND split_part(kept.note, chr(10), 1) <> split_part(EXCLUDED.note, chr(10), 1))
"""

_SIGNED = """
SELECT coalesce(shown_seq, seq), coalesce(shown_root, root), coalesce(shown_note, note), seq FROM checkpoints
WHERE workspace = $1 AND epoch = $2
"""
_KEPT = "SELECT workspace, epoch, seq, root, note FROM checkpoints ORDER BY workspace, epoch"
_NEW_TOPIC = """
INSERT INTO partition_marks (topic, partition, topic_id, next_offset, first_offset) VALUES ($1, 0, $2, 0, $3)
ON CONFLICT (topic, partition) DO UPDATE SET topic_id = EXCLUDED.topic_id, first_offset = EXCLUDED.first_offset
"""


@dataclass(frozen=True, slots=True)
class CommittedHead:
    """A committed head."""

    workspace: str
    epoch: int
    seq: int
    root: bytes


async def latest_checkpoint(raw: Raw, workspace: str) -> str | None:
    """The signed head of the workspace's present epoch that is shown (a C2SP signed note); None before the first."""
    note: str | None = await raw.fetchval(
        "SELECT coalesce(c.shown_note, c.note) FROM checkpoints c JOIN heads h USING (workspace, epoch) "
        "WHERE c.workspace = $1",
        workspace,
    )
    return note


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The signed head of one epoch that is shown: ``note`` is the checkpoint over the facts 1 to ``seq``.

    ``newest_seq``: of the newest signed head; witnesses have not made it good yet, where that is more.
    """

    seq: int
    root: bytes
    note: str
    newest_seq: int


async def signed_head(raw: Raw, workspace: str, epoch: int) -> SignedHead | None:
    """None: nothing of that epoch was signed yet, or there is no such epoch."""
    row = await raw.fetchrow(_SIGNED, workspace, epoch)
    return None if row is None else SignedHead(*row)


class HeadsPublisher:
    """Signs and publishes while the lease's term lasts; :meth:`live` is one life of its producer."""

    def __init__(
        self,
        engine: AsyncEngine,
        kafka: Kafka,
        marks: PublishedTo,
        key: Ed25519PrivateKey,
        origin: str,
        metrics: RelayMetrics,
        ml_dsa_44: MLDSA44PrivateKey | None = None,
    ) -> None:
        self._engine, self._kafka, self._marks = engine, kafka, marks
        self._key, self._ml_dsa_44, self._origin, self._metrics = key, ml_dsa_44, origin, metrics
        self._tiles = KeptTiles(engine)
        self._partitions = 0
        self._topic_id = ""
        self._look_at_topic = 0.0
        self._waiting: dict[str, CommittedHead] = {}

    async def run(self) -> None:
        """Sign and publish until an error, which it raises."""
        producer = producers.reliable(self._kafka)
        self._partitions = await self._marks.partitions()
        self._waiting.clear()
        self._look_at_topic = 0.0
        ids = TopicIds(self._kafka)
        reader = consumers.reader(self._kafka)
        try:
            await ids.start()
            await producer.start()
            await reader.start()
            while True:
                await self._refill_lost_topic(producer, ids, reader)
                await self.round(producer)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await producers.discard(producer)
            await consumers.discard(reader)
            await ids.close()

    async def round(self, producer: AIOKafkaProducer) -> int:
        """One look; how many heads were signed.

        A growing log's head is always ahead of what is published: the head seen first is kept until Kafka has it.
        """
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_GROWN, SIGN_EVERY_S, self._origin)
        await self._tiles.keep()
        ready = [head for row in rows if (head := self._ready(row)) is not None][:HEADS_PER_ROUND]
        if ready:
            await self._publish(producer, ready)
            for head in ready:
                self._waiting.pop(head.workspace, None)
        return len(ready)

    async def _refill_lost_topic(
        self, producer: AIOKafkaProducer, ids: TopicIds, reader: AIOKafkaConsumer
    ) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._look_at_topic:
            return
        topic_id = (await ids.of([HEADS])).get(HEADS)
        if topic_id is None:
            return  # the facts publisher is about to make it
        async with asyncio.timeout(ASK_TIMEOUT_S):
            starts = await reader.beginning_offsets(
                [TopicPartition(HEADS, one) for one in range(self._partitions)]
            )
        found = PartitionMark(topic_id, 0, sum(starts.values()))
        known = (await self._marks.of_topic(HEADS)).get(0)
        if known != found:
            await self._refill(producer, found)
        self._look_at_topic = now + LOOK_AT_TOPIC_EVERY_S

    async def _refill(self, producer: AIOKafkaProducer, found: PartitionMark) -> None:
        """``found``: the topic as it is now; its ``first_offset`` is how many records were cut off all partitions."""
        async with raw_connection(self._engine) as raw:
            kept = await raw.fetch(_KEPT)
        await self._send_all(producer, [(CommittedHead(*row[:4]), row[4]) for row in kept])
        async with raw_connection(self._engine) as raw:
            await raw.execute(_NEW_TOPIC, HEADS, found.topic_id, found.first_offset)

    def _ready(self, row: Any) -> CommittedHead | None:
        workspace, epoch, seq, root, published, due = row
        if not due:
            return None
        head = self._waiting.get(workspace)
        if head is None or head.epoch != epoch:
            head = self._waiting[workspace] = CommittedHead(workspace, epoch, seq, root)
        return head if head.seq <= published else None

    async def _publish(self, producer: AIOKafkaProducer, heads: list[CommittedHead]) -> None:
        notes = [self._signed(one) for one in heads]
        await self._send_all(producer, list(zip(heads, notes, strict=True)))
        async with raw_connection(self._engine) as raw:
            await raw.execute(
                _KEEP,
                [one.workspace for one in heads],
                [one.epoch for one in heads],
                [one.seq for one in heads],
                [one.root for one in heads],
                notes,
            )
        self._metrics.heads.inc(len(heads))

    def _signed(self, head: CommittedHead) -> str:
        origin = origin_of(self._origin, head.workspace, head.epoch)
        return sign(Checkpoint(origin, head.seq, head.root), self._key, self._ml_dsa_44)

    async def _send_all(self, producer: AIOKafkaProducer, signed: list[tuple[CommittedHead, str]]) -> None:
        async with asyncio.timeout(producers.ROUND_TIMEOUT_S):
            for ack in [await self._send(producer, head, note) for head, note in signed]:
                await ack

    async def _send(self, producer: AIOKafkaProducer, head: CommittedHead, note: str) -> asyncio.Future[Any]:
        acknowledged: asyncio.Future[Any] = await producer.send(
            HEADS,
            key=head.workspace.encode(),
            value=note.encode(),
            partition=partition_of(head.workspace, self._partitions),
            headers=[
                ("content-type", b"text/plain; charset=utf-8"),
                ("workspace", head.workspace.encode()),
                ("epoch", b"%d" % head.epoch),
                ("seq", b"%d" % head.seq),
            ],
        )
        return acknowledged
