"""The relay's main work: every fact of every workspace to ``ledger.facts``, in seq order, at least once.

One *life* is one idempotent producer. A life begins by looking whether the topic is still the one that the marks speak
of (``topic_watch``) and whether Kafka holds more than the store (``beyond_store``: such workspaces are left out, nothing
of theirs may be published over what is there). Then rounds: read a page, build batches of the stored bytes with an
explicit partition, send, and only when **every** record of the round is acknowledged move the marks. The next round is
read and sent while one is under way; a partition's batches leave one after the other, so order holds.

Any error ends the life: the producer is thrown away (one refusal poisons it for good) and the next life starts again
from the marks. What was sent and not marked is sent twice; readers drop it by (epoch, seq).
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from goal_ledger_contracts.strict_json import parse
from goal_ledger_messaging import producer as producers
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.records import fact_headers
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topics import FACTS, Emitter
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.beyond_store import BeyondStore, Tail, still_behind
from goal_ledger_command.relay.marks import PublishedTo, WorkspaceEpoch
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.pages import Pages
from goal_ledger_command.relay.pauses import Pause
from goal_ledger_command.relay.topic_watch import FactsTopic, TopicLost, TopicWatch

RECHECK_BLOCKED_S = 5.0
GATHER_S = 0.025
"""Small rounds begin at least so far apart. Each costs a statement, a commit and a request to Kafka, and one for every
reader after it, whatever it holds: under single commands, larger rounds leave the machine half as busy."""
FULL_ROUND_FACTS = 500
"""A backlog is not made to wait."""

log = logger("relay.facts")


class StoreWentBack(Exception):
    """The marks are behind what this life has published: the database was set back under it."""


@dataclass(slots=True)
class _Round:
    """Records under way: where each workspace ends, and the acknowledgements awaited (future, partition, records)."""

    last: dict[WorkspaceEpoch, int] = field(default_factory=dict)
    acks: list[tuple[asyncio.Future[Any], int, int]] = field(default_factory=list)
    emitters: list[Emitter] = field(default_factory=list)
    facts: int = 0


class FactsPublisher:
    """Publishes while the lease's term lasts; :meth:`live` is one life."""

    def __init__(
        self,
        engine: AsyncEngine,
        kafka: Kafka,
        marks: PublishedTo,
        watch: TopicWatch,
        metrics: RelayMetrics,
        registered: asyncio.Event,
    ) -> None:
        self._engine, self._kafka, self._marks, self._watch = engine, kafka, marks, watch
        self._metrics, self._registered = metrics, registered
        self._pages = Pages(engine)
        self._partitions = 0
        self._topic = FactsTopic("", {})
        self._next_offset: dict[int, int] = {}
        self._sent: dict[WorkspaceEpoch, int] = {}
        self._beyond = BeyondStore(engine, kafka)
        self._blocked: dict[str, Tail] = {}

    async def run(self) -> None:
        """Publish until an error. Raises it; the caller pauses and starts the next life."""
        producer = producers.reliable(self._kafka)
        try:
            await self._begin()
            await producer.start()
            await self._rounds(producer)
        except TopicLost as lost:
            count = await self._marks.forget(lost.partitions, self._partitions)
            self._metrics.topic_lost.inc()
            log.error(
                "topic lost: published again from seq 1",
                reason=str(lost),
                partitions=sorted(lost.partitions),
                workspaces=count,
            )
        finally:
            await producers.discard(producer)
            await self._watch.close()

    async def _begin(self) -> None:
        self._partitions = await self._marks.partitions()
        self._topic = await self._watch.begin(self._partitions)
        marks = await self._marks.of_topic(FACTS)
        self._sent.clear()
        self._next_offset = {partition: mark.next_offset for partition, mark in marks.items()}
        foreign = self._beyond.foreign_records
        self._blocked = await self._beyond.look()
        self._metrics.foreign.inc(self._beyond.foreign_records - foreign)
        self._report_blocked()

    async def _rounds(self, producer: AIOKafkaProducer) -> None:
        loop = asyncio.get_running_loop()
        pause = Pause(shortest_s=0.005, longest_s=0.05)
        under_way: _Round | None = None
        recheck_at = loop.time() + RECHECK_BLOCKED_S
        while True:
            asked = time.perf_counter()
            rows = await self._pages.next(under_way.last if under_way else {}, self._blocked)
            took_s = time.perf_counter() - asked
            sent = None
            async with asyncio.timeout(producers.ROUND_TIMEOUT_S):
                if rows:
                    sent = await self._send(producer, rows)
                if under_way:
                    await self._settle(under_way)
            if not sent and not under_way:
                self._metrics.lag_seen.set_to_current_time()
                if loop.time() >= recheck_at:
                    await self._recheck()
                    recheck_at = loop.time() + RECHECK_BLOCKED_S
                await self._watch.look(self._next_offset, self._topic)
                await pause.idle(at_least_s=took_s)
            else:
                pause.reset()
                await self._watch.look(self._next_offset, self._topic)
            under_way = sent
            if sent and sent.facts < FULL_ROUND_FACTS:
                await asyncio.sleep(max(0.0, GATHER_S - (time.perf_counter() - asked)))

    async def _send(self, producer: AIOKafkaProducer, rows: list[Any]) -> _Round:
        sending = _Round(facts=len(rows))
        batches: dict[int, Any] = {}
        now_ms = int(time.time() * 1000)
        for workspace, epoch, seq, stream, kind, event_id, recorded_at, stored, traceparent in rows:
            partition = partition_of(workspace, self._partitions)
            headers = fact_headers(
                workspace=workspace,
                epoch=epoch,
                seq=seq,
                type=kind,
                event_id=event_id,
                stream=stream,
                recorded_at=recorded_at,
                traceparent=traceparent,
            )
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = producer.create_batch()
            key = workspace.encode()
            if batch.append(key=key, value=stored, timestamp=now_ms, headers=headers) is None:
                await self._send_batch(producer, batch, partition, sending)
                batch = batches[partition] = producer.create_batch()
                batch.append(key=key, value=stored, timestamp=now_ms, headers=headers)
            self._need_forward((workspace, epoch), seq, sending)
            sending.last[workspace, epoch] = seq
            if kind == "SystemRegistered":
                sending.emitters.append(Emitter(workspace, parse(stored, len(stored))["data"]["system"]))
        for partition, batch in batches.items():
            await self._send_batch(producer, batch, partition, sending)
        self._sent.update(sending.last)
        return sending

    def _need_forward(self, place: WorkspaceEpoch, seq: int, sending: _Round) -> None:
        """Within a life a workspace only goes forward. Raises StoreWentBack: the next life looks at Kafka first."""
        if place not in sending.last and seq <= self._sent.get(place, 0):
            raise StoreWentBack(f"{place[0]} is at {seq} again after {self._sent[place]}")

    @staticmethod
    async def _send_batch(producer: AIOKafkaProducer, batch: Any, partition: int, sending: _Round) -> None:
        records = batch.record_count()
        batch.close()
        acknowledged = await producer.send_batch(batch, FACTS, partition=partition)
        sending.acks.append((acknowledged, partition, records))

    async def _settle(self, sent: _Round) -> None:
        """Every acknowledgement, then the marks. Raises TopicLost on an offset below the mark's."""
        moved: dict[int, int] = {}
        for acknowledged, partition, records in sent.acks:
            offset = (await acknowledged).offset
            if offset < 0:  # written, and the broker no longer knows where (a repeated batch)
                continue
            if offset < self._next_offset.get(partition, 0):
                raise TopicLost(
                    frozenset({partition}),
                    f"partition {partition} acknowledged offset {offset}, below the mark",
                )
            self._next_offset[partition] = moved[partition] = offset + records
        first = self._topic.first_offsets
        await self._marks.advance(sent.last, self._topic.id, moved, first, sent.emitters)
        self._metrics.facts.inc(sent.facts)
        if sent.emitters:
            self._registered.set()

    async def _recheck(self) -> None:
        if self._blocked:
            self._blocked = await still_behind(self._engine, self._blocked)
            self._report_blocked()

    def _report_blocked(self) -> None:
        self._metrics.blocked.set(len(self._blocked))
        for workspace, tail in self._blocked.items():
            log.error("store_behind_log: not published", workspace=workspace, epoch=tail.epoch, seq=tail.seq)
