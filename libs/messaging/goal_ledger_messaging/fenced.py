"""The fenced consumer: one member of a group that reads on from where *our* database says, whatever Kafka remembers.

Kafka hands partitions out; where to read on stands beside what the records caused, moved in the same transaction. So:

* A partition that was just assigned is paused before anything else. Records that come before its place is known are those
  of a place that Kafka remembers or guesses, and are dropped.
* Its place is asked for (:class:`Positions`) outside the rebalance: a listener must neither wait for a database nor fail
  (aiokafka logs what it raises, and reads on). With it goes the topic's id: a topic that was deleted and made again under
  the same name has another one, and offsets mean nothing across that line.
* Then the partition is sought to its place and resumed. Records fetched before the seek may still arrive after it; who
  takes them has a fence of its own (an offset under a lock, or a seq), and drops them.
* A partition whose records cannot be taken now is paused, waits with growing pauses, and is sought to again: the others go on.
* A life that ends (no broker, no topic, a loop that stopped) is followed by the next, until cancelled.

FastStream runs the consumer's loop; every delivery setting that matters is given here, for its defaults would acknowledge
before anything is recorded and begin at the end of a new topic. Worked around, in this file alone:

* its parser decodes every header of every record as UTF-8 and drops a poll where one is not: ours hands the records on;
* it keeps empty polls to itself: ``getmany`` is wrapped to see that the loop turns (:meth:`FencedConsumer._watch_polls`);
* its ``stop()`` does not return with the broker gone: the consumer is stopped first, and all within limits;
* nobody is told when its loop ends: its tasks are looked at (:meth:`FencedConsumer._while_alive`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber
from goal_ledger_observability.failures import failure_text

from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging.any_batch import read_any_batch
from goal_ledger_messaging.consumer import GROUP_SETTINGS
from goal_ledger_messaging.security import Kafka, cluster_of, explained
from goal_ledger_messaging.topic_ids import TopicIds

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0
NEXT_LIFE_AFTER_S = 0.5
LET_GO_AFTER_S = 1.0
"""How long stopping waits for a poll's records to be taken; they will be read again."""
LOOK_AT_LOOP_EVERY_S = 1.0

log = logging.getLogger(__name__)
_chatter = logging.getLogger(f"{__name__}.faststream")
_chatter.setLevel(logging.ERROR)  # else a line per poll, and warnings about what is meant to be so


@dataclass(slots=True, eq=False)
class PartitionPlace:
    """Where this process stands in a partition. ``failures`` in a row make it wait longer."""

    partition: TopicPartition
    topic_id: str
    next_offset: int
    failures: int = 0


P = TypeVar("P", bound=PartitionPlace)
P_co = TypeVar("P_co", bound=PartitionPlace, covariant=True)
Polled = Mapping[P, Sequence[ConsumerRecord]]
"""What a poll brought of the partitions whose place is known, in order."""


class Positions(Protocol[P_co]):
    """Where to read on, by our own database."""

    async def find(self, topic_ids: Mapping[TopicPartition, str]) -> Collection[P_co]:
        """The places in these partitions of topics with these ids. One that is left out is not read."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What is read, and in what pieces."""

    group: str
    max_records: int
    timeout_ms: int
    """How long a poll waits for records; an idle consumer sees a new one after at most twice this."""
    topic: str | None = None
    pattern: str | None = None
    committed_only: bool = False
    """What an emitter's transaction took back was never sent."""
    look_at_ids: bool = False
    """Whether each poll's records are known to be of the topic that the place is in: where an offset is the fence."""


class FencedConsumer(ConsumerRebalanceListener, Generic[P]):  # type: ignore[misc]
    """Reads, and hands every poll on. One per process; :meth:`run` is its life."""

    def __init__(
        self,
        kafka: Kafka,
        subscribed: Subscribed,
        positions: Positions[P],
        take: Callable[[Polled[P]], Awaitable[None]],
        polled: Callable[[], None] = lambda: None,
    ) -> None:
        """``take`` returns when the records are taken, or their partitions wait; it never raises. ``polled`` is called
        when the loop turns."""
        self._kafka, self._subscribed, self._positions = kafka, subscribed, positions
        self._take, self._polled = take, polled
        self._subscriber: BatchSubscriber | None = None
        self._ids: TopicIds | None = None
        self._places: dict[TopicPartition, P] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_running = False

    async def run(self) -> None:
        """Until cancelled; never raises anything else: without Kafka, or the topic, it tries until they are there."""
        read_any_batch()
        said = ""
        while True:
            try:
                await self._live()
            except Exception as failed:
                why = await explained(self._kafka, failed)
                if why != said:
                    log.warning("not reading, will try again: %s", why)
                said = why
            await asyncio.sleep(NEXT_LIFE_AFTER_S)

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """Kafka's client; None between two lives."""
        return None if self._subscriber is None else self._subscriber.consumer

    @property
    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions that Kafka gave us."""
        consumer = self.consumer
        return frozenset() if consumer is None else frozenset(consumer.assignment())

    def place(self, partition: TopicPartition) -> P | None:
        """None: the partition is not ours, or its place is not known yet."""
        return self._places.get(partition)

    def is_ours(self, place: P) -> bool:
        """Whether it still is the place in its partition."""
        return self._places.get(place.partition) is place

    def wait(self, place: P, why: str) -> None:
        """Pause the partition for a while that grows with its failures, then go on at its place."""
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**place.failures)
        place.failures = min(place.failures + 1, 10)
        tp = place.partition
        log.warning("%s/%d waits for %g s: %s", tp.topic, tp.partition, wait_s, why)
        self._pause((tp,))
        self._start(self._resume_after(place, wait_s))

    def seek(self, place: P) -> None:
        """Read on at the place, if it is still ours."""
        if (consumer := self._having(place.partition)) is not None:
            consumer.seek(place.partition, place.next_offset)

    def reopen(self, partitions: Iterable[TopicPartition]) -> None:
        """Find their places anew."""
        found = {tp for tp in partitions if self._having(tp) is not None}
        self._pause(found)
        for tp in found:
            self._places.pop(tp, None)
        self._start(self._open(found))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._forget()
        self.reopen(assigned)

    async def _live(self) -> None:
        self._ids = ids = TopicIds(self._kafka)
        broker: KafkaBroker | None = None
        try:
            await ids.start()
            topic = self._subscribed.topic
            if topic is not None and topic not in await ids.of([topic]):
                raise KafkaError(f"there is no topic {topic}")
            broker = self._declared()
            await broker.start()
            self._watch_polls()
            self.is_running = True
            log.info("subscribed to %s", topic or self._subscribed.pattern)
            await self._while_alive()
        finally:
            self.is_running = False
            self._forget()
            await self._end(broker)
            await ids.close()

    def _declared(self) -> KafkaBroker:
        """FastStream's broker, and on it the one subscriber."""
        cluster, subscribed = cluster_of(self._kafka), self._subscribed
        broker = KafkaBroker(
            cluster.servers,
            security=cluster.security.of_broker(),
            sasl_oauth_token_provider=cluster.security.token_provider(),
            allow_auto_create_topics=False,  # topics are made by the relay, with their own settings
            consumer_only=True,
            apply_types=False,  # the handler gets the records themselves
            metadata_max_age_ms=GROUP_SETTINGS["metadata_max_age_ms"],
            graceful_timeout=LET_GO_AFTER_S,
            logger=_chatter,
        )
        self._subscriber = broker.subscriber(
            *([subscribed.topic] if subscribed.topic else []),
            pattern=subscribed.pattern,
            group_id=subscribed.group,
            batch=True,
            max_records=subscribed.max_records,
            batch_timeout_ms=subscribed.timeout_ms,
            listener=self,
            ack_policy=AckPolicy.MANUAL,  # nothing is ever committed to Kafka
            isolation_level="read_committed" if subscribed.committed_only else "read_uncommitted",
            auto_offset_reset=GROUP_SETTINGS["auto_offset_reset"],
            session_timeout_ms=GROUP_SETTINGS["session_timeout_ms"],
            heartbeat_interval_ms=GROUP_SETTINGS["heartbeat_interval_ms"],
            max_poll_interval_ms=GROUP_SETTINGS["max_poll_interval_ms"],
        )
        self._subscriber(self._handle, parser=_as_they_are, decoder=_records)
        return broker

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        by_partition = {
            TopicPartition(*key): list(some)
            for key, some in groupby(records, key=lambda one: (one.topic, one.partition))
        }
        polled = {
            place: some for tp, some in by_partition.items() if (place := self._places.get(tp)) is not None
        }
        if self._subscribed.look_at_ids:
            polled = await self._of_their_topics(polled)
        if polled:
            await self._take(polled)

    async def _of_their_topics(self, polled: dict[P, list[ConsumerRecord]]) -> dict[P, list[ConsumerRecord]]:
        """Asked for after the records arrived, the same id as when the place was found means they are its own."""
        assert self._ids is not None
        try:
            ids = await self._ids.of(sorted({place.partition.topic for place in polled}))
        except Exception as away:
            for place in polled:
                self.wait(place, failure_text(away))
            return {}
        other = {place.partition for place in polled if ids.get(place.partition.topic) != place.topic_id}
        if other:
            self.reopen(other)
        return {place: some for place, some in polled.items() if place.partition not in other}

    async def _open(self, partitions: set[TopicPartition]) -> None:
        wait_s, left = FIRST_WAIT_S, partitions
        while left:
            try:
                left = await self._found(left)
            except Exception as away:
                log.warning("cannot tell where to read on, will ask again: %s", failure_text(away))
            if left:
                await asyncio.sleep(wait_s)
                wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    async def _found(self, partitions: set[TopicPartition]) -> set[TopicPartition]:
        """Go on where places could be found; the partitions whose topic is not there."""
        assert self._ids is not None
        ids = await self._ids.of(sorted({tp.topic for tp in partitions}))
        known = {tp: ids[tp.topic] for tp in partitions if tp.topic in ids}
        for place in await self._positions.find(known):
            self._places[place.partition] = place
            self._resume(place)
        return partitions - known.keys()

    async def _resume_after(self, place: P, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        if self.is_ours(place):
            self._resume(place)

    def _resume(self, place: P) -> None:
        if (consumer := self._having(place.partition)) is not None:
            consumer.seek(place.partition, place.next_offset)
            consumer.resume(place.partition)

    def _pause(self, partitions: Iterable[TopicPartition]) -> None:
        for tp in partitions:
            if (consumer := self._having(tp)) is not None:
                consumer.pause(tp)

    def _having(self, partition: TopicPartition) -> AIOKafkaConsumer | None:
        """The consumer, if it has this partition (seek and pause raise for another)."""
        consumer = self.consumer
        return consumer if consumer is not None and partition in consumer.assignment() else None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self) -> None:
        """Drop all places, and what was on the way to find some."""
        self._places.clear()
        for task in self._tasks:
            task.cancel()

    def _watch_polls(self) -> None:
        consumer = self.consumer
        assert consumer is not None
        getmany = consumer.getmany

        async def watched(*partitions: Any, **limits: Any) -> Any:
            found = await getmany(*partitions, **limits)
            self._polled()
            return found

        consumer.getmany = watched

    async def _while_alive(self) -> None:
        """Raises when FastStream's loop has ended, which it should not."""
        subscriber = self._subscriber
        assert subscriber is not None
        while subscriber.running and any(not task.done() for task in subscriber.tasks):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_AT_LOOP_EVERY_S)
        raise RuntimeError("the consumer's loop has ended")

    async def _end(self, broker: KafkaBroker | None) -> None:
        """Leave the group. Never hangs, whatever state Kafka is in."""
        consumer, self._subscriber = self.consumer, None
        if consumer is not None:
            await consumers.discard(consumer)
        if broker is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(consumers.STOP_TIMEOUT_S):
                    await broker.stop()


async def _as_they_are(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    first, last = records[0], records[-1]
    return KafkaMessage(
        raw_message=records,
        body=b"",
        correlation_id=f"{first.topic}/{first.partition}/{first.offset}-{last.offset}",
        consumer=FAKE_CONSUMER,
    )


async def _records(message: KafkaMessage) -> tuple[ConsumerRecord, ...]:
    records: tuple[ConsumerRecord, ...] = message.raw_message
    return records
