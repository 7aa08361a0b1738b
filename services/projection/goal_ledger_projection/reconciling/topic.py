"""Kafka's records against the store's hashes: every record of the topic is read, from the first to the last.

Of each seq the last record counts, so that a record that was published again makes good what came before it; records of
epochs that are over, and those behind the head that the pass began with, are not judged. A byte for each fact is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from goal_ledger_ledger.merkle import leaf_hash
from goal_ledger_messaging import consumer as messaging
from goal_ledger_messaging.records import read_place
from goal_ledger_messaging.topic_ids import TopicIds

from goal_ledger_projection.command_feed import HeadTold
from goal_ledger_projection.reconciling.findings import KAFKA, NAMED_MAX, Mismatch
from goal_ledger_projection.reconciling.hashes import PAGE_FACTS, StoreHashes, hash_in
from goal_ledger_projection.settings import WorkerSettings

ASK_TIMEOUT_S = 10.0
STALLED_TIMEOUT_S = 15.0
MISSING, RIGHT, OTHER = 0, 1, 2

KafkaRecord: TypeAlias = "ConsumerRecord[Any, Any]"


class TopicNotRead(OSError):
    """Kafka did not give what it holds in time, or there is no such topic."""


class TopicSeen:
    """What a reading of the topic showed: of each workspace and seq, nothing, the right bytes, or others."""

    def __init__(self, heads: Sequence[HeadTold]) -> None:
        self._heads = {head.workspace: head for head in heads}
        self._seen = {head.workspace: bytearray(head.position.seq) for head in heads}

    def place(self, record: KafkaRecord) -> tuple[HeadTold, int] | None:
        """The head and seq that a record is judged by; None: it is not."""
        named = read_place(record.headers)
        head = None if named is None else self._heads.get(named[0])
        if head is None or named is None or named[1] != head.position.epoch or named[2] > head.position.seq:
            return None
        return head, named[2]

    async def take(self, records: Sequence[KafkaRecord], hashes: StoreHashes) -> None:
        """Raises FeedUnavailable."""
        for record in records:
            judged = self.place(record)
            if judged is None:
                continue
            head, seq = judged
            number, index = divmod(seq - 1, PAGE_FACTS)
            right = hash_in(await hashes.page(head, number), index)
            self._seen[head.workspace][seq - 1] = RIGHT if leaf_hash(record.value or b"") == right else OTHER

    def missing_from(self, workspace: str) -> int:
        """The seq from which on nothing was there yet: published within moments, if the relay works."""
        return len(self._seen[workspace].rstrip(b"\0")) + 1

    def found(self, topic: str, missing_before: Mapping[str, int]) -> Iterator[Mismatch]:
        """What is not right. What the topic lacks at its end counts from where it did so in the pass before."""
        for workspace, seen in self._seen.items():
            if seen.count(RIGHT) == len(seen):
                continue
            end = self.missing_from(workspace)
            late = max(end, missing_before.get(workspace, len(seen) + 1))
            wrong = [
                seq for seq in chain(range(1, end), range(late, len(seen) + 1)) if seen[seq - 1] != RIGHT
            ]
            for seq in wrong[:NAMED_MAX]:
                what = "is in no record" if seen[seq - 1] == MISSING else "has other bytes in its last record"
                yield Mismatch(KAFKA, topic, workspace, f"seq={seq}", f"{what} ({len(wrong)} facts in all)")


async def read_topic(settings: WorkerSettings, heads: Sequence[HeadTold], hashes: StoreHashes) -> TopicSeen:
    """Read all that the topic holds now. Raises TopicNotRead, FeedUnavailable, KafkaError."""
    seen = TopicSeen(heads)
    ids, reader = TopicIds(settings.kafka), messaging.reader(settings.kafka)
    try:
        ends = await _assigned(reader, ids, settings.facts_topic)
        async for records in _records(reader, ends):
            await seen.take(records, hashes)
    finally:
        await ids.close()
        await messaging.discard(reader)
    return seen


async def _assigned(reader: AIOKafkaConsumer, ids: TopicIds, topic: str) -> dict[TopicPartition, int]:
    """Where each partition that holds something ends; they are the reader's from now on."""
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            await ids.start()
            described = (await ids.describe([topic])).get(topic)
            if described is None:
                raise TopicNotRead(f"there is no topic {topic}")
            await reader.start()
            places = [TopicPartition(topic, number) for number in range(described.partitions)]
            starts, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    except TimeoutError:
        raise TopicNotRead("Kafka did not answer in time") from None
    wanted = {place: ends[place] for place in places if starts[place] < ends[place]}
    reader.assign(list(wanted))
    for place in wanted:
        reader.seek(place, starts[place])
    return wanted


async def _records(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[Sequence[KafkaRecord]]:
    left, loop = set(ends), asyncio.get_running_loop()
    moved_at = loop.time()
    while left:
        fetched = await reader.getmany(*left, timeout_ms=200, max_records=5000)
        if not fetched and loop.time() - moved_at > STALLED_TIMEOUT_S:
            raise TopicNotRead(f"{len(left)} partitions gave nothing for {STALLED_TIMEOUT_S:g} s")
        for place, records in fetched.items():
            yield [one for one in records if one.offset < ends[place]]
            moved_at = loop.time()
            if records[-1].offset + 1 >= ends[place]:
                left.discard(place)
