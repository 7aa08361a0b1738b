"""Whether ``ledger.facts`` is still the topic that the marks speak of.

Nobody tells a producer that its topic was deleted and made again: an idempotent one goes on without an error. So the
topic's id and both ends of its partitions are compared with the marks when a life begins and every ten seconds. Another
id: all is lost. An end before a mark: that partition is. A beginning behind the place from where it was published (somebody
deleted records, or the topic's retention is no longer for ever): that partition is lost too, for a read side cannot be
built from it; publishing everything again behind what is left makes it whole, and moves the place. A topic that is
missing is made again, but only when it was missing twice: whoever deleted it may be about to make it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import FACTS, ensure_topics, facts_topic, heads_topic

from goal_ledger_command.relay.marks import PublishedTo

LOOK_EVERY_S = 10.0
MISSING_PAUSE_S = 3.0
BEGIN_TIMEOUT_S = 20.0
ASK_TIMEOUT_S = 5.0
"""Asked for the ends of a topic that was deleted just now, the client waits for it to come back."""


class TopicLost(Exception):
    """What these partitions held is gone: it has to be published again from seq 1."""

    def __init__(self, partitions: frozenset[int], reason: str) -> None:
        super().__init__(reason)
        self.partitions = partitions


@dataclass(frozen=True, slots=True)
class FactsTopic:
    """The topic as a life finds it. ``first_offsets``: where each partition is published from, if anew then from its
    present end."""

    id: str
    first_offsets: Mapping[int, int]


class TopicWatch:
    """Start it before use, close it after. Raises KafkaError and TimeoutError when Kafka is out of reach."""

    def __init__(self, kafka: Kafka, marks: PublishedTo) -> None:
        self._kafka, self._marks = kafka, marks
        self._look_at = 0.0
        self._ids: TopicIds | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._partitions = 0

    async def begin(self, partitions: int) -> FactsTopic:
        """Makes the topics where they are missing. Raises TopicLost, PartitionsChanged."""
        self._partitions = partitions
        async with asyncio.timeout(BEGIN_TIMEOUT_S):
            await self.close()
            await self._connect()
            assert self._ids is not None
            marks = await self._marks.of_topic(FACTS)
            topic_id = (await self._ids.of([FACTS])).get(FACTS)
            if topic_id is None and marks:
                await asyncio.sleep(MISSING_PAUSE_S)
            await ensure_topics(self._kafka, [facts_topic(partitions), heads_topic(partitions)])
            topic_id = (await self._ids.of([FACTS]))[FACTS]
            remembered = {mark.topic_id for mark in marks.values()}
        if remembered - {topic_id}:
            raise TopicLost(frozenset(range(partitions)), f"the topic was made again: its id is {topic_id}")
        ends = await self._ends(partitions)
        first = {one: marks[one].first_offset if one in marks else ends[one] for one in range(partitions)}
        topic = FactsTopic(topic_id, first)
        await self._compare({partition: mark.next_offset for partition, mark in marks.items()}, topic, ends)
        self._look_at = asyncio.get_running_loop().time() + LOOK_EVERY_S
        return topic

    async def look(self, next_offsets: Mapping[int, int], topic: FactsTopic) -> None:
        """Compares when ten seconds have passed since the last time. Raises TopicLost."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._look_at:
            return
        assert self._ids is not None
        async with asyncio.timeout(ASK_TIMEOUT_S):
            found = (await self._ids.of([FACTS])).get(FACTS)
        if found != topic.id:
            raise TopicLost(frozenset(range(self._partitions)), f"the topic's id was {topic.id}, now {found}")
        await self._compare(next_offsets, topic, await self._ends(self._partitions))
        self._look_at = loop.time() + LOOK_EVERY_S

    async def close(self) -> None:
        if self._ids is not None:
            await self._ids.close()
            self._ids = None
        if self._reader is not None:
            await consumers.discard(self._reader)
            self._reader = None

    async def _connect(self) -> None:
        self._ids = TopicIds(self._kafka)
        await self._ids.start()
        self._reader = consumers.reader(self._kafka)
        await self._reader.start()

    async def _ends(self, partitions: int) -> dict[int, int]:
        assert self._reader is not None
        async with asyncio.timeout(ASK_TIMEOUT_S):
            ends = await self._reader.end_offsets([TopicPartition(FACTS, one) for one in range(partitions)])
        return {tp.partition: end for tp, end in ends.items()}

    async def _compare(
        self, next_offsets: Mapping[int, int], topic: FactsTopic, ends: Mapping[int, int]
    ) -> None:
        short = frozenset(one for one, offset in next_offsets.items() if ends[one] < offset)
        if short:
            raise TopicLost(short, "partitions end before what was acknowledged")
        if not next_offsets:
            return
        assert self._reader is not None
        async with asyncio.timeout(ASK_TIMEOUT_S):
            starts = await self._reader.beginning_offsets(
                [TopicPartition(FACTS, one) for one in next_offsets]
            )
        cut = frozenset(tp.partition for tp, at in starts.items() if at > topic.first_offsets[tp.partition])
        if cut:
            raise TopicLost(
                cut,
                "partitions were cut at their beginning: records were deleted, or retention is not for ever "
                "(retention.ms and retention.bytes of the topic have to be -1)",
            )
