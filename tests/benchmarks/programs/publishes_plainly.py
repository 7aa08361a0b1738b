"""The comparison of the relay: the same rows fetched page by page, and sent by a plain idempotent producer with the same
key, partition and headers; no marks, no lease, no watch over the topic.

Job: ``url`` of the ledger database, ``bootstrap``, ``workspace``, ``topic``. Result: ``per_second``.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.records import fact_headers
from goal_ledger_messaging.topics import FACTS_PARTITIONS, TopicSpec, ensure_topics

from benchmarks.programs.job import run_async

PAGE = 3_000
ROWS = """SELECT seq, stream, type, event_id::text, recorded_at, bytes, traceparent FROM facts
WHERE workspace = $1 AND seq > $2 ORDER BY seq LIMIT $3"""


async def work(job: dict[str, Any]) -> dict[str, Any]:
    workspace, topic = job["workspace"], job["topic"]
    await ensure_topics(job["bootstrap"], [TopicSpec(topic, FACTS_PARTITIONS)])
    connection = await asyncpg.connect(job["url"])
    producer = AIOKafkaProducer(
        bootstrap_servers=job["bootstrap"], enable_idempotence=True, acks="all", linger_ms=5
    )
    await producer.start()
    key, partition = workspace.encode(), partition_of(workspace, FACTS_PARTITIONS)
    began, after = time.perf_counter(), 0
    while rows := await connection.fetch(ROWS, workspace, after, PAGE):
        acknowledged = [
            await producer.send(
                topic,
                key=key,
                value=stored,
                partition=partition,
                headers=fact_headers(
                    workspace=workspace,
                    epoch=1,
                    seq=seq,
                    type=kind,
                    event_id=event_id,
                    stream=stream,
                    recorded_at=recorded_at,
                    traceparent=trace,
                ),
            )
            for seq, stream, kind, event_id, recorded_at, stored, trace in rows
        ]
        await asyncio.gather(*acknowledged)
        after = rows[-1][0]
    took_s = time.perf_counter() - began
    await producer.stop()
    await connection.close()
    return {"per_second": after / took_s}


if __name__ == "__main__":
    run_async(work)
