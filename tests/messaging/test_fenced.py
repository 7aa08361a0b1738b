"""The fenced consumer hands on what belongs to a known place, and nothing else: whatever Kafka remembers or sends again."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from faststream.kafka import TestKafkaBroker
from goal_ledger_local.kafka import Kafka
from goal_ledger_messaging import fenced
from goal_ledger_messaging import producer as producers
from goal_ledger_messaging.fenced import FencedConsumer, PartitionPlace, Polled, Subscribed
from goal_ledger_messaging.topics import TopicSpec, ensure_topics


class Kept:
    """Places in memory, as a database would keep them; ``away`` as it may be."""

    def __init__(self) -> None:
        self.offsets: dict[tuple[str, int], int] = {}
        self.taken: list[bytes] = []
        self.away = 0
        self.refused = 0
        self.consumer: FencedConsumer[PartitionPlace] | None = None

    async def find(self, topic_ids: Mapping[TopicPartition, str]) -> list[PartitionPlace]:
        if self.away:
            self.away -= 1
            raise ConnectionError("the database is away")
        return [
            PartitionPlace(tp, id, self.offsets.get((id, tp.partition), 0)) for tp, id in topic_ids.items()
        ]

    async def take(self, polled: Polled[PartitionPlace]) -> None:
        for place, records in polled.items():
            if self.refused:
                self.refused -= 1
                assert self.consumer is not None
                self.consumer.wait(place, "not now")
                continue
            fresh = [one for one in records if one.offset >= place.next_offset]
            self.taken += [one.value for one in fresh]
            place.next_offset = max(place.next_offset, records[-1].offset + 1)
            self.offsets[place.topic_id, place.partition.partition] = place.next_offset


@asynccontextmanager
async def reading(
    kafka: Kafka | str, topic: str, kept: Kept, **more: Any
) -> AsyncIterator[FencedConsumer[PartitionPlace]]:
    bootstrap = kafka if isinstance(kafka, str) else kafka.bootstrap
    subscribed = Subscribed(group=topic, max_records=100, timeout_ms=20, topic=topic, **more)
    kept.consumer = FencedConsumer(bootstrap, subscribed, kept, kept.take)
    task = asyncio.create_task(kept.consumer.run())
    try:
        yield kept.consumer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def send(kafka: Kafka, topic: str, *values: bytes) -> None:
    producer = producers.reliable(kafka.bootstrap)
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value)
    await producers.discard(producer)


async def until_taken(kept: Kept, *values: bytes) -> None:
    async with asyncio.timeout(60):
        while kept.taken != list(values):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    name = f"fenced-{uuid.uuid4().hex}"
    await ensure_topics(kafka.bootstrap, [TopicSpec(name, 1)])
    return name


async def test_it_reads_on_from_where_our_own_database_says(kafka: Kafka, topic: str) -> None:
    kept = Kept()
    await send(kafka, topic, b"0", b"1", b"2")
    async with reading(kafka, topic, kept):
        await until_taken(kept, b"0", b"1", b"2")
    kept.taken.clear()
    ((place, _),) = kept.offsets.items()
    kept.offsets[place] = 1  # the database was set back: Kafka has no say in it
    async with reading(kafka, topic, kept):
        await until_taken(kept, b"1", b"2")


async def test_a_database_away_and_a_take_that_cannot_be_cost_nothing_but_time(
    kafka: Kafka, topic: str
) -> None:
    kept = Kept()
    kept.away, kept.refused = 2, 2
    await send(kafka, topic, b"0", b"1")
    async with reading(kafka, topic, kept):
        await until_taken(kept, b"0", b"1")


@pytest.mark.parametrize("look_at_ids", [True, False])
async def test_a_topic_made_again_is_read_from_its_beginning(
    kafka: Kafka, topic: str, look_at_ids: bool
) -> None:
    kept = Kept()
    await send(kafka, topic, b"0", b"1", b"2")
    async with reading(kafka, topic, kept, look_at_ids=look_at_ids):
        await until_taken(kept, b"0", b"1", b"2")
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        await admin.delete_topics([topic])
        while topic in await admin.list_topics():
            pass
        await admin.close()
        await ensure_topics(kafka.bootstrap, [TopicSpec(topic, 1)])
        await send(kafka, topic, b"a", b"b", b"c", b"d")
        await until_taken(kept, b"0", b"1", b"2", b"a", b"b", b"c", b"d")


async def test_without_a_topic_or_a_broker_it_waits_and_says_so_once(
    kafka: Kafka, topic: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fenced, "NEXT_LIFE_AFTER_S", 0.05)
    kept = Kept()
    async with reading("127.0.0.1:1", topic, kept) as consumer, asyncio.timeout(30):
        while "not reading" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert not consumer.is_running
    assert caplog.text.count("not reading") == 1


async def test_in_memory_what_comes_for_an_unknown_place_is_dropped_whatever_its_headers_hold() -> None:
    kept = Kept()
    consumer = FencedConsumer("nowhere:9092", Subscribed("g", 10, 10, topic="t"), kept, kept.take)
    broker = consumer._declared()
    async with TestKafkaBroker(broker) as memory:
        await memory.publish_batch(b"before", topic="t")
        consumer._places[TopicPartition("t", 0)] = PartitionPlace(TopicPartition("t", 0), "id", 0)
        await memory.publish_batch(
            b"after", b"more", topic="t", headers={"odd": "\ud83d\udcff".encode("utf-8", "replace").decode()}
        )
    assert kept.taken == [b"after", b"more"]
