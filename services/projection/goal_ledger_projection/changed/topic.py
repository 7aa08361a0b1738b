"""`goals.changed` as the one process that tells finds it and writes it.

Kafka gives no word when a topic was deleted and made anew, nor when a process that was thought dead wrote once more what it
had in hand, which on a compacted topic would bring an old state back. Both are seen by one comparison: nobody but us writes,
so each partition ends where we left it. Where it ends elsewhere, or is of another topic id, each goal's last record is told
once more, behind whatever is there: the same bytes under the same `ce_id`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging import producer as producers
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import changed_topic, ensure_topics

from goal_ledger_projection.changed.record import ToldChange

LOOK_EVERY_S = 10.0
ASK_TIMEOUT_S = 20.0


class WrittenByAnother(OSError):
    """A partition does not end where this process left it."""


class ChangedTopic:
    """One life: a producer and what it knows of the ends. Open it before use, close it after."""

    def __init__(self, kafka: Kafka, name: str) -> None:
        self._kafka, self.name = kafka, name
        self._producer: AIOKafkaProducer = producers.reliable(kafka)
        self._reader: AIOKafkaConsumer = consumers.reader(kafka)
        self._ids = TopicIds(kafka)
        self._partitions = 0
        self._look_at = 0.0
        self.id = ""
        self.next_offset: dict[int, int] = {}

    async def open(self) -> None:
        """Makes the topic if it is missing. Raises KafkaError, TopicNotMade, PartitionsChanged, TimeoutError."""
        async with asyncio.timeout(ASK_TIMEOUT_S):
            spec = changed_topic(self.name)
            self._partitions = (await ensure_topics(self._kafka, [spec]))[self.name]
            await self._ids.start()
            self.id = (await self._ids.of([self.name]))[self.name]
            await self._reader.start()
            await self._producer.start()
            self.next_offset = await self._ends()
        self._look_at = asyncio.get_running_loop().time() + LOOK_EVERY_S

    async def close(self) -> None:
        await producers.discard(self._producer)
        await consumers.discard(self._reader)
        await self._ids.close()

    def partition_of(self, workspace: str) -> int:
        return partition_of(workspace, self._partitions)

    async def tell(self, workspace: str, changes: Sequence[ToldChange]) -> None:
        """Returns when all are acknowledged. Raises WrittenByAnother, KafkaError, TimeoutError."""
        partition = self.partition_of(workspace)
        async with asyncio.timeout(producers.ROUND_TIMEOUT_S):
            acks = [
                await self._producer.send(
                    self.name,
                    key=one.key(workspace),
                    value=one.value,
                    headers=one.headers(),
                    partition=partition,
                )
                for one in changes
            ]
            for ack in acks:
                self._acknowledged(partition, (await ack).offset)

    def _acknowledged(self, partition: int, offset: int) -> None:
        if offset != self.next_offset[partition]:
            expected = self.next_offset[partition]
            raise WrittenByAnother(f"partition {partition} acknowledged {offset} and not {expected}")
        self.next_offset[partition] = offset + 1

    async def look(self) -> None:
        """Every ten seconds: whether it is still the same topic, and ends where it should. Raises WrittenByAnother."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._look_at:
            return
        async with asyncio.timeout(ASK_TIMEOUT_S):
            found = (await self._ids.of([self.name])).get(self.name)
            if found != self.id:
                raise WrittenByAnother(f"the topic's id was {self.id}, now {found}")
            if await self._ends() != self.next_offset:
                raise WrittenByAnother("partitions end elsewhere than they were left")
        self._look_at = loop.time() + LOOK_EVERY_S

    async def _ends(self) -> dict[int, int]:
        places = [TopicPartition(self.name, one) for one in range(self._partitions)]
        return {place.partition: end for place, end in (await self._reader.end_offsets(places)).items()}
