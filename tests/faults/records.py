"""Everything that Kafka holds of a topic, read from the start to the end as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_demo.record import FACTS

STALLED_AFTER_S = 20.0


async def read_topics(bootstrap: str, topics: Sequence[str]) -> list[ConsumerRecord]:
    """All records in the order of their partitions. Raises TimeoutError when Kafka gives nothing for 20 s."""
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[ConsumerRecord] = []
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        left = {partition for partition, end in ends.items() if end > 0}
        while left:
            async with asyncio.timeout(STALLED_AFTER_S):
                for partition, records in (await consumer.getmany(*left, timeout_ms=500)).items():
                    found += [one for one in records if one.offset < ends[partition]]
                left = {one for one in left if await consumer.position(one) < ends[one]}
    finally:
        await asyncio.wait_for(consumer.stop(), 5)
    return sorted(found, key=lambda one: (one.topic, one.partition, one.offset))


async def all_topics(bootstrap: str) -> list[str]:
    """The names of all topics but Kafka's own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return sorted(name for name in await admin.list_topics() if not name.startswith("__"))
    finally:
        await admin.close()


async def facts_of(bootstrap: str, workspace: str) -> list[ConsumerRecord]:
    """The records of one workspace in `ledger.facts`."""
    return [one for one in await read_topics(bootstrap, [FACTS]) if one.key == workspace.encode()]


def header(record: ConsumerRecord, name: str) -> str | None:
    """A header as text; None if there is none."""
    for key, raw in record.headers:
        if key == name:
            return str(raw.decode())
    return None
