"""From commit to `goals.changed`: check-ins at 200 a second, each of another value, and how long until Kafka has what they changed."""

from __future__ import annotations

import asyncio
from datetime import datetime

from aiokafka import TopicPartition
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.security import Cluster
from goal_ledger_messaging.topics import CHANGED, FACTS_PARTITIONS

from benchmarks.ground import Ground
from benchmarks.results import Figure

RATE = 200
P99_MS = 500
SETTLED_WITHIN_S = 60


def told(ground: Ground) -> list[Figure]:
    """By the broker's clock, which is this machine's: a record's time of arrival, less its fact's `recorded_at`."""
    ground.only("command", "relay", "worker", "changed")
    workspace = ground.workspace("changed")
    seconds = ground.pick(20, 2)
    job = {
        "head": "POST /v1/key-results/result-1/check-ins HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {workspace.token}\r\nContent-Type: application/json\r\n",
        "before": '{"values":[{"part":"value","value":"',
        "after": '"}]}',
        "targets": [ground.address("command")],
        "connections": 64,
    }
    ground.program("load", {**job, "first": 1, "rate": RATE / 4, "seconds": ground.pick(5, 1)})
    result = ground.program("load", {**job, "first": 10_000, "rate": RATE, "seconds": seconds})
    cluster = Cluster(ground.stack.kafka.bootstrap)
    ground.wait(
        lambda: len(asyncio.run(_delays(cluster, workspace.id))) >= result["total"], SETTLED_WITHIN_S, 1
    )
    delays = sorted(asyncio.run(_delays(cluster, workspace.id))[-result["total"] :])
    p50, p99 = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    note = f"{len(delays):,} changes at {RATE}/s, recorded_at to the topic"
    return [
        Figure("commit to goals.changed p50", p50, "ms", note=note),
        Figure("commit to goals.changed p99", p99, "ms", aim=f"< {P99_MS}", reached=p99 < P99_MS),
    ]


async def _delays(cluster: Cluster, workspace: str) -> list[float]:
    """In ms, of each record of the workspace that a check-in is the cause of, in order."""
    reader, place = (
        consumers.reader(cluster),
        TopicPartition(CHANGED, partition_of(workspace, FACTS_PARTITIONS)),
    )
    found: list[float] = []
    await reader.start()
    try:
        reader.assign([place])
        end = (await reader.end_offsets([place]))[place]
        while await reader.position(place) < end:
            for record in (await reader.getmany(place, timeout_ms=500)).get(place, ()):
                named = dict(record.headers)
                if named["workspace"] == workspace.encode() and b"CheckInRecorded" in record.value:
                    recorded_at = datetime.fromisoformat(named["ce_time"].decode())
                    found.append(record.timestamp - recorded_at.timestamp() * 1000)
    finally:
        await consumers.discard(reader)
    return found
