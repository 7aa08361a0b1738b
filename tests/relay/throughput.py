"""How fast the relay publishes, beside a plain reader and producer of the same rows in the same run.

    .venv/bin/python tests/relay/throughput.py [facts] [workspaces]

The plain one fetches the same rows page by page and sends each with the same key, partition and headers through an
idempotent producer; it keeps no marks. DESIGN 8: at least 25,000 a second and half of the plain one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaProducer
from goal_ledger_command.migrations import migrate
from goal_ledger_command.relay.facts import FactsPublisher
from goal_ledger_command.relay.lease import Lease
from goal_ledger_command.relay.marks import Marks
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.topic_watch import TopicWatch
from goal_ledger_ledger.store import create_engine, raw_connection
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.records import fact_headers
from goal_ledger_messaging.topics import FACTS_PARTITIONS, TopicSpec, ensure_topics
from goal_ledger_observability.metrics import new_registry
from sqlalchemy.ext.asyncio import AsyncEngine

AT = datetime(2026, 5, 1, tzinfo=UTC)
PAGE = 3_000
PLAIN = "throughput.plain"
ROUNDS = 3

_ROWS = """
SELECT seq, stream, type, event_id::text, recorded_at, bytes, traceparent FROM facts
WHERE workspace = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""


def fact(workspace: str, seq: int) -> bytes:
    """A reading's fact, of the usual size (about 700 bytes)."""
    body = {
        "actor": "system/shop",
        "causation_id": f"progress.readings.{workspace}.shop/0/{seq}",
        "correlation_id": f"progress.readings.{workspace}.shop/0/{seq}",
        "data": {
            "id": f"r-{seq}",
            "mode": "absolute",
            "source": "/shop",
            "time": "2026-05-01T00:00:00.000000Z",
        },
        "effective_at": "2026-05-01T00:00:00.000000Z",
        "event_id": str(uuid.uuid4()),
        "origin": {"generation": str(uuid.uuid4()), "offset": seq, "partition": 0, "via": "kafka"},
        "previous": uuid.uuid4().hex * 2,
        "recorded_at": "2026-05-01T00:00:00.000000Z",
        "schema": 1,
        "seq": seq,
        "stream": "feed/webshop.visitors",
        "type": "ReadingRecorded",
        "version": seq,
        "workspace": workspace,
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


async def fill(engine: AsyncEngine, workspaces: list[str], facts_each: int) -> None:
    async with raw_connection(engine) as raw:
        for one in workspaces:
            rows = [
                (
                    one,
                    seq,
                    "feed/webshop.visitors",
                    seq,
                    "ReadingRecorded",
                    uuid.uuid4(),
                    AT,
                    b"",
                    fact(one, seq),
                )
                for seq in range(1, facts_each + 1)
            ]
            columns = [
                "workspace",
                "seq",
                "stream",
                "version",
                "type",
                "event_id",
                "recorded_at",
                "hash",
                "bytes",
            ]
            await raw.copy_records_to_table("facts", records=rows, columns=columns)
            await raw.execute("INSERT INTO heads VALUES ($1, 1, $2, $3, '', '', now())", one, facts_each, AT)
        await raw.execute("ANALYZE")


async def plain(engine: AsyncEngine, bootstrap: str, workspaces: list[str]) -> float:
    """Seconds that the comparison takes."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=5)
    await producer.start()
    began = time.perf_counter()
    for workspace in workspaces:
        after = 0
        while True:
            async with raw_connection(engine) as raw:
                rows = await raw.fetch(_ROWS, workspace, after, PAGE)
            if not rows:
                break
            acks = [
                await producer.send(
                    PLAIN,
                    key=workspace.encode(),
                    value=stored,
                    partition=partition_of(workspace, FACTS_PARTITIONS),
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
            await asyncio.gather(*acks)
            after = rows[-1][0]
    took_s = time.perf_counter() - began
    await producer.stop()
    return took_s


async def relayed(engine: AsyncEngine, bootstrap: str, facts: int) -> float:
    """Facts a second from the first acknowledged page to the last."""
    async with raw_connection(engine) as raw:
        await raw.execute("DELETE FROM published")
    lease = Lease(engine, seconds=600)
    term = await lease.acquire()
    assert term is not None
    marks, metrics = Marks(engine, term), RelayMetrics(registry := new_registry("throughput"))
    publisher = FactsPublisher(
        engine, bootstrap, marks, TopicWatch(bootstrap, marks), metrics, asyncio.Event()
    )
    living = asyncio.create_task(publisher.live())
    began, at_first, done = 0.0, 0.0, 0.0
    while done < facts:
        await asyncio.sleep(0.01)
        done = registry.get_sample_value("goal_ledger_relay_facts_total") or 0.0
        if done and not began:
            began, at_first = time.perf_counter(), done
    rate = (done - at_first) / (time.perf_counter() - began)
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    await lease.release(term)
    return rate


async def main(facts: int, workspace_count: int) -> None:
    workspaces = [f"throughput-{n}" for n in range(workspace_count)]
    with ProcessOwner() as owner, tempfile.TemporaryDirectory(prefix="relay-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # noqa: ASYNC240
        postgres, kafka = (
            Postgres(directory / "postgres", owner),
            Kafka(directory / "kafka", owner, heap_mb=256),
        )
        postgres.start()
        kafka.start()
        url = await postgres.create("ledger")
        await migrate(url, await postgres.create("keys"))
        engine = create_engine(url, application="throughput")
        await fill(engine, workspaces, facts // workspace_count)
        await ensure_topics(kafka.bootstrap, [TopicSpec(PLAIN, FACTS_PARTITIONS)])
        for _ in range(ROUNDS):
            beside = facts / await plain(engine, kafka.bootstrap, workspaces)
            ours = await relayed(engine, kafka.bootstrap, facts)
            print(f"relay {ours:,.0f}/s, plain {beside:,.0f}/s, ratio {ours / beside:.2f}", flush=True)
        await engine.dispose()
        kafka.stop()
        postgres.stop()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*(numbers + [100_000, 4][len(numbers) :])))
