"""How fast facts are folded, live and in a rebuild, beside plain consumption + COPY of the same rows in the same run.

    PYTHONPATH=tests .venv/bin/python -m projection.worker.throughput [facts] [workspaces]

Half of the facts are readings, half check-ins (two rows more each). The plain one polls the same records and copies the
same rows, taken from the tables beforehand, into the same tables with their indexes; it parses nothing. DESIGN 8: at least
15,000 a second live and 0.2 of the plain one; 30,000 and 0.4 for a rebuild.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import uvloop
from aiokafka import TopicPartition
from goal_ledger_contracts.feed import FeedRegistered, ReadingRecorded
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import (
    CheckInRecorded,
    KeyResultAdded,
    ObjectiveActivated,
    ObjectiveDrafted,
    PartValue,
)
from goal_ledger_contracts.workspace import WorkspaceCreated
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner
from goal_ledger_messaging import consumer as messaging
from goal_ledger_messaging.topics import FACTS
from goal_ledger_observability.logs import configure_logging
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection import rebuilding
from goal_ledger_projection.collector import spare_the_collector
from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.database import ReadDatabase
from goal_ledger_projection.meters import Meters
from goal_ledger_projection.projections import migrate
from goal_ledger_projection.settings import WorkerSettings
from goal_ledger_projection.writing import TABLES
from projection.worker.given import PARTITIONS, START, Feed, Log, Topic, feed_server, worker_settings, working

Read: TypeAlias = "asyncpg.Connection[Any]"

OBJECTIVES, KEY_RESULTS_EACH = 20, 4
ROUNDS = 3


def busy_workspace(name: str, facts: int) -> Log:
    """Readings and check-ins in turn."""
    log = Log(name)
    log.add(f"workspace/{name}", WorkspaceCreated("Shop", "UTC"), actor="operator")
    log.add("feed/visits", FeedRegistered("webshop", "event_count"))
    for number in range(OBJECTIVES):
        stream = f"objective/o{number}"
        log.add(stream, ObjectiveDrafted("Grow", "unit/sales"))
        for key_result in range(KEY_RESULTS_EACH):
            measure = Increase(Decimal(100), Decimal(0))
            log.add(stream, KeyResultAdded(f"o{number}k{key_result}", "more", measure))
        log.add(stream, ObjectiveActivated())
    for n in range(facts - len(log.facts)):
        at = START + timedelta(seconds=n)
        if n % 2:
            reading = ReadingRecorded("shop", f"v{n}", at, Decimal(n), "increment")
            log.add("feed/visits", reading, at, actor="system/webshop")
        else:
            value, goal = PartValue("value", Decimal(n % 100)), n // 2 % OBJECTIVES
            key_result = f"o{goal}k{n % KEY_RESULTS_EACH}"
            said = CheckInRecorded(f"c{n}", key_result, (value,), Decimal("0.5"), "on_track")
            log.add(f"objective/o{goal}", said, at)
    return log


@asynccontextmanager
async def seeing(url: str, schema: str = "read_v1") -> Any:
    read = await asyncpg.connect(url, server_settings={"search_path": schema})
    try:
        yield read
    finally:
        await read.close()


async def live(settings: WorkerSettings, facts: int) -> float:
    """Facts a second from the first commit to the last."""
    began, at_first, done = 0.0, 0, 0
    async with seeing(settings.read_database_url) as read, working(settings):
        while done < facts:
            await asyncio.sleep(0.01)
            done = await read.fetchval("SELECT coalesce(sum(next_seq - 1), 0)::bigint FROM positions")
            if done and not began:
                began, at_first = time.perf_counter(), done
        return (facts - at_first) / (time.perf_counter() - began)


async def rebuilt(settings: WorkerSettings, facts: int) -> tuple[float, float]:
    """Facts a second of folding alone, and with the indexes made."""
    url = settings.read_database_url
    database = await ReadDatabase.open_new(url, await rebuilding.new_version(url))
    feed = CommandFeed(settings.command_url, None, 1.0)
    began = folded_at = time.perf_counter()
    read_in_all = 0

    def told(count: int, _: int) -> None:
        nonlocal folded_at, read_in_all
        read_in_all += count
        folded_at = time.perf_counter()

    work = rebuilding.Rebuild(settings, database, feed, Meters(new_registry("throughput")), told)
    try:
        await work.fill()
        return facts / (folded_at - began), facts / (time.perf_counter() - began)
    finally:
        await work.close()
        await feed.close()
        await database.close()


async def plain(topic: Topic, url: str, facts: int) -> float:
    """Facts a second of polling, and copying rows that are there already."""
    async with seeing(url) as read:
        rows = {table: await _dumped(read, table) for table in TABLES}
        await read.execute(f"TRUNCATE {', '.join(TABLES)}, positions, hints")
        consumer = messaging.reader(topic.bootstrap)
        await consumer.start()
        consumer.assign([TopicPartition(topic.name, n) for n in range(PARTITIONS)])
        await consumer.seek_to_beginning()
        began, seen = time.perf_counter(), 0
        while seen < facts:
            found = await consumer.getmany(timeout_ms=500, max_records=2000)
            before, seen = seen, seen + sum(map(len, found.values()))
            await _copied(read, rows, before / facts, seen / facts)
        rate = facts / (time.perf_counter() - began)
        await messaging.discard(consumer)
        await read.execute(f"TRUNCATE {', '.join(TABLES)}, positions, hints")
    return rate


async def _dumped(read: Read, table: str) -> Sequence[bytes]:
    dump = BytesIO()
    await read.copy_from_table(table, output=dump)
    return dump.getvalue().splitlines(keepends=True)


async def _copied(read: Read, rows: dict[str, Sequence[bytes]], begin: float, end: float) -> None:
    """The rows between two parts of the whole, in one transaction."""
    async with read.transaction():
        for table, lines in rows.items():
            piece = lines[round(len(lines) * begin) : round(len(lines) * end)]
            if piece:
                await read.copy_to_table(table, source=BytesIO(b"".join(piece)))


async def measure(topic: Topic, url: str, feed: Feed, facts: int) -> None:
    settings = worker_settings(url, topic, feed, heads_poll_s=5.0)
    for number in range(ROUNDS):
        one = settings.model_copy(update={"consumer_group": f"throughput-{number}"})
        folded = await live(one, facts)
        fold, whole = await rebuilt(one, facts)
        beside = await plain(topic, url, facts)
        print(
            f"live {folded:,.0f}/s, ratio {folded / beside:.2f}; rebuild {fold:,.0f}/s (with indexes {whole:,.0f}/s), "
            f"ratio {whole / beside:.2f}; plain {beside:,.0f}/s",
            flush=True,
        )


async def main(facts: int, workspaces: int) -> None:
    configure_logging("throughput", "ERROR")
    logs = [busy_workspace(f"throughput-{n}", facts // workspaces) for n in range(workspaces)]
    with ProcessOwner() as owner, tempfile.TemporaryDirectory(prefix="projection-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # noqa: ASYNC240
        postgres = Postgres(directory / "postgres", owner)
        kafka = Kafka(directory / "kafka", owner, heap_mb=256)
        postgres.start()
        kafka.start()
        topic, url = Topic(kafka.bootstrap, FACTS), await postgres.create("read")
        await topic.make()
        for log in logs:
            await topic.publish(log)
        await migrate(url)
        spare_the_collector()
        async with feed_server() as feed:
            await measure(topic, url, feed, sum(len(log.facts) for log in logs))
        kafka.stop()
        postgres.stop()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*(numbers + [100_000, 8][len(numbers) :])))
