"""The subscription to `ledger.facts`: FastStream, a consumer group, and where to begin reading.

Kafka's offsets vouch for nothing here. When partitions are assigned they are paused before anything is awaited (else the
consumer reads on from wherever it likes while the database answers), the hints are read from our database however long
that takes, each partition is set to its hint, and goes on. A hint of a topic with another id is of a topic that was
deleted and made again: that one is read from its beginning. Whatever arrives wrongly all the same (records fetched
before a seek, a zombie's last batch, everything twice) is judged by the consumer rule under the lock of the positions.

A listener that raises is only logged by aiokafka, which then reads on: this one never raises.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber
from goal_ledger_messaging import consumer as messaging
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.security import explained
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_projection.meters import Meters
from goal_ledger_projection.positions import Hint
from goal_ledger_projection.settings import WorkerSettings

log = logger("goal_ledger.projection.subscription")

_GROUP = messaging.GROUP_SETTINGS

LOOK_FOR_BROKER_EVERY_S = 0.5
ASK_AGAIN_AFTER_S = 0.5
LET_GO_AFTER_S = 1.0
"""How long stopping waits for a poll's records to be handed on; they will be read again."""

Records = Sequence[ConsumerRecord[Any, Any]]
Take = Callable[[Records, str], Awaitable[None]]
"""Gets the records of a poll, and the id of the topic they are from."""


class Subscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reads the topic and hands every poll's records on, in order. One per process."""

    def __init__(
        self,
        settings: WorkerSettings,
        read_hints: Callable[[], Awaitable[dict[int, Hint]]],
        take: Take,
        meters: Meters,
    ) -> None:
        self._settings = settings
        self._topic = settings.facts_topic
        self._read_hints = read_hints
        self._take = take
        self._meters = meters
        self._broker: KafkaBroker | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._topic_id = ""
        self._read: dict[int, int] = {}
        """By partition, the offset after the last record handed on."""
        self._handed_on_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self._consumer is not None

    async def start(self) -> None:
        """Returns when subscribed; with the broker or the topic away it tries until they are there."""
        said = ""
        while True:
            try:
                self._topic_id = await self._present_topic_id()
                await self._subscribe()
            except (KafkaError, OSError) as failed:
                await self.stop()
                why = await explained(self._settings.kafka, failed)
                if why != said:
                    log.warning("cannot subscribe yet, will try again", error=why)
                said = why
                await asyncio.sleep(LOOK_FOR_BROKER_EVERY_S)
            else:
                log.info("subscribed", topic=self._topic, topic_id=self._topic_id)
                return

    async def stop(self) -> None:
        """Leave the group. Never hangs, whatever state Kafka is in."""
        broker, self._broker = self._broker, None
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await messaging.discard(consumer)
        if broker is not None:
            stopping = asyncio.ensure_future(broker.stop())
            await asyncio.wait([stopping], timeout=messaging.STOP_TIMEOUT_S)
            stopping.cancel()
            await asyncio.wait([stopping], timeout=messaging.STOP_TIMEOUT_S)

    def is_anothers(self, workspace: str) -> bool:
        """Whether this process has partitions, but not the workspace's: another worker should have it."""
        assigned = set() if self._consumer is None else self._consumer.assignment()
        return bool(assigned) and self._place(workspace) not in assigned

    def has_unread(self, workspace: str) -> bool:
        """Whether records of the workspace's partition wait in Kafka, as far as the last fetch told."""
        place = self._place(workspace)
        if place is None or self._consumer is None or place not in self._consumer.assignment():
            return False
        end = self._consumer.highwater(place)
        return end is not None and end > self._read.get(place.partition, 0)

    @property
    def silent_s(self) -> float:
        """Seconds since records last came."""
        return time.monotonic() - self._handed_on_at

    async def seek_to_hints(self) -> None:
        """Begin at the hints again: another projection version is folded now."""
        if self._consumer is not None:
            await self.on_partitions_assigned(self._consumer.assignment())

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing: what was read and not applied is judged by the positions, here or at the next owner."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Set each partition to its hint before anything of it is read."""
        consumer = self._consuming()
        if not assigned or consumer is None:
            return
        consumer.pause(*assigned)
        while True:
            try:
                hints = await self._read_hints()
                self._topic_id = await self._present_topic_id()
                break
            except Exception as failed:
                log.warning("cannot tell where to begin, will ask again", error=failure_text(failed))
                await asyncio.sleep(ASK_AGAIN_AFTER_S)
        for place in assigned & consumer.assignment():
            hint = hints.get(place.partition)
            offset = hint.next_offset if hint is not None and hint.topic_id == self._topic_id else 0
            self._read[place.partition] = offset
            consumer.seek(place, offset)
            consumer.resume(place)
        log.info("reading", topic=self._topic, topic_id=self._topic_id, partitions=len(assigned))

    def _consuming(self) -> AIOKafkaConsumer | None:
        if self._consumer is None and self._broker is not None:
            self._consumer = cast(BatchSubscriber, self._broker.subscribers[0]).consumer
        return self._consumer

    async def _subscribe(self) -> None:
        kafka = self._settings.kafka
        self._broker = broker = KafkaBroker(
            kafka.servers,
            security=kafka.security.of_broker(),
            sasl_oauth_token_provider=kafka.security.token_provider(),
            allow_auto_create_topics=False,
            consumer_only=True,
            apply_types=False,
            metadata_max_age_ms=_GROUP["metadata_max_age_ms"],
            graceful_timeout=LET_GO_AFTER_S,
            logger=logging.getLogger("goal_ledger.projection.faststream"),
            log_level=logging.DEBUG,  # its two lines per batch; warnings and errors keep their level
        )
        subscriber = broker.subscriber(
            self._topic,
            group_id=self._settings.consumer_group,
            batch=True,
            max_records=self._settings.batch_records,
            batch_timeout_ms=self._settings.batch_timeout_ms,
            listener=self,
            ack_policy=AckPolicy.MANUAL,  # nothing is ever committed to Kafka: positions are in our database
            auto_offset_reset=_GROUP["auto_offset_reset"],
            session_timeout_ms=_GROUP["session_timeout_ms"],
            heartbeat_interval_ms=_GROUP["heartbeat_interval_ms"],
            max_poll_interval_ms=_GROUP["max_poll_interval_ms"],
        )
        subscriber(self._handle, parser=_as_they_are, decoder=_records)
        await broker.start()
        consumer = self._consuming()
        assert consumer is not None
        self._watch_polls(consumer)

    async def _handle(self, records: Records) -> None:
        for record in records:
            self._read[record.partition] = record.offset + 1
        self._handed_on_at = time.monotonic()
        await self._take(records, self._topic_id)

    async def _present_topic_id(self) -> str:
        """Raises KafkaError or OSError when the broker or the topic is not there."""
        ids = TopicIds(self._settings.kafka)
        await ids.start()
        try:
            async with asyncio.timeout(messaging.STOP_TIMEOUT_S):
                found = await ids.of([self._topic])
        finally:
            await ids.close()
        if self._topic not in found:
            raise KafkaError(f"there is no topic {self._topic}")
        return found[self._topic]

    def _place(self, workspace: str) -> TopicPartition | None:
        partitions = None if self._consumer is None else self._consumer.partitions_for_topic(self._topic)
        return TopicPartition(self._topic, partition_of(workspace, len(partitions))) if partitions else None

    def _watch_polls(self, consumer: AIOKafkaConsumer) -> None:
        """Note every return of a poll, also an empty one, which FastStream keeps to itself."""
        getmany = consumer.getmany

        async def watched(*partitions: Any, **limits: Any) -> Any:
            found = await getmany(*partitions, **limits)
            self._meters.polled()
            return found

        consumer.getmany = watched


async def _as_they_are(records: Any) -> KafkaMessage:
    """FastStream's parser decodes every header of every record; the few that matter are read where they are needed."""
    return KafkaMessage(body=b"", raw_message=records, headers={}, message_id="", consumer=FAKE_CONSUMER)


async def _records(message: KafkaMessage) -> Any:
    return message.raw_message
