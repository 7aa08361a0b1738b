"""The tail of ``ledger.facts``: what it holds behind the offsets of the partitions' marks, as it lies there.

Marks of a topic that is no longer there (another id, or a partition that ends before its mark) mean nothing: such a
partition is read from its start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topic_ids import Described, TopicIds
from goal_ledger_messaging.topics import FACTS
from sqlalchemy.ext.asyncio import AsyncEngine

ASK_TIMEOUT_S = 10.0
STALLED_TIMEOUT_S = 15.0
"""A tail of which nothing arrives for this long is not being read: Kafka is out of reach."""


@dataclass(frozen=True, slots=True)
class PartitionMark:
    """Where a partition ended after the last record that the relay has marked, and in which topic of that name; and
    from which offset on it holds everything from seq 1."""

    topic_id: str
    next_offset: int
    first_offset: int = 0


class KafkaNotRead(Exception):
    """Kafka did not give what it holds in time."""


async def partition_marks(engine: AsyncEngine, topic: str) -> dict[int, PartitionMark]:
    """The marks of a topic's partitions; those without a record have none."""
    async with raw_connection(engine, same=False) as raw:
        rows = await raw.fetch(
            "SELECT partition, topic_id, next_offset, first_offset FROM partition_marks WHERE topic = $1",
            topic,
        )
    return {row[0]: PartitionMark(row[1], row[2], row[3]) for row in rows}


class PublishedTail:
    """One tail, from the marks to where the topic ended when it was opened; it can be read more than once."""

    def __init__(
        self,
        reader: AIOKafkaConsumer,
        starts: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        self._reader, self._starts, self._ends = reader, starts, ends

    async def records(self) -> AsyncIterator[list[ConsumerRecord]]:
        """All of it, a part of one partition at a time, in the order of offsets. Raises KafkaNotRead, KafkaError."""
        for tp, start in self._starts.items():
            self._reader.seek(tp, start)
        left = set(self._ends)
        loop = asyncio.get_running_loop()
        moved_at = loop.time()
        while left:
            fetched = await self._reader.getmany(*left, timeout_ms=200, max_records=5000)
            if not fetched and loop.time() - moved_at > STALLED_TIMEOUT_S:
                raise KafkaNotRead(
                    f"{len(left)} partitions of {FACTS} gave nothing for {STALLED_TIMEOUT_S:g} s"
                )
            for tp, records in fetched.items():
                yield [one for one in records if one.offset < self._ends[tp]]
                moved_at = loop.time()
                if records[-1].offset + 1 >= self._ends[tp]:
                    left.discard(tp)


@asynccontextmanager
async def published_tail(engine: AsyncEngine, kafka: Kafka) -> AsyncIterator[PublishedTail]:
    """The tail as it is now; of a topic that is not there, an empty one. Raises KafkaNotRead, KafkaError, and what the
    database raises."""
    marks = await partition_marks(engine, FACTS)
    ids = TopicIds(kafka)
    reader = consumers.reader(kafka)
    try:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                await ids.start()
                topic = (await ids.describe([FACTS])).get(FACTS)
                if topic is not None:
                    await reader.start()
                found = ({}, {}) if topic is None else await _assigned(reader, marks, topic)
        except TimeoutError:
            raise KafkaNotRead("Kafka did not answer in time") from None
        yield PublishedTail(reader, *found)
    finally:
        await ids.close()
        await consumers.discard(reader)


async def _assigned(
    reader: AIOKafkaConsumer, marks: Mapping[int, PartitionMark], topic: Described
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Start and end of each partition that has something to read; these are the reader's from now on."""
    partitions = [TopicPartition(FACTS, one) for one in range(topic.partitions)]
    starts, ends = await reader.beginning_offsets(partitions), await reader.end_offsets(partitions)
    first = {}
    for tp in partitions:
        mark = marks.get(tp.partition)
        known = mark is not None and mark.topic_id == topic.id and mark.next_offset <= ends[tp]
        first[tp] = max(mark.next_offset, starts[tp]) if mark is not None and known else starts[tp]
    wanted = {tp: ends[tp] for tp in partitions if first[tp] < ends[tp]}
    reader.assign(list(wanted))
    return {tp: first[tp] for tp in wanted}, wanted
