"""How fast readings come in from Kafka, beside json.loads and COPY of the same rows in the same run.

    .venv/bin/python tests/intake/throughput.py [readings]

The comparison is one process that parses the same events and copies the very rows that the intake made (facts,
identities) into the same tables of another database, 500 to a transaction. DESIGN 8: at least 12,000 a second and 0.35.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from goal_ledger_command.fold import Fold
from goal_ledger_command.migrations import migrate
from goal_ledger_edge.server import run
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.store import create_engine, raw_connection
from goal_ledger_ledger.submission import OpenGate
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner
from goal_ledger_messaging import producer as producers
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.intake.conftest import Bench, Shop, event

PIECE = 500
TABLES = ("facts", "identities")


def events(count: int) -> list[bytes]:
    return [
        event(f"r-{n}", str(n % 1000), time=f"2026-05-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z")
        for n in range(count)
    ]


async def send(shop: Shop, sent: list[bytes]) -> None:
    producer = producers.reliable(shop.bench.bootstrap)
    await producer.start()
    await asyncio.gather(*[await producer.send(shop.emitter.readings, one) for one in sent])
    await producers.discard(producer)


async def taken_in(shop: Shop, count: int) -> float:
    """Readings a second from the first take to the last."""
    began, at_first, done = 0.0, 0, 0
    async with shop.bench.intaking():
        while done < count:
            await asyncio.sleep(0.1)
            async with raw_connection(shop.bench.engine) as raw:
                done = await raw.fetchval(
                    "SELECT coalesce(max(next_offset), 0) FROM inbox_positions WHERE topic = $1",
                    shop.emitter.readings,
                )
            if done and not began:
                began, at_first = time.perf_counter(), done
    return (count - at_first) / (time.perf_counter() - began)


async def copied(source: AsyncEngine, target: AsyncEngine, sent: list[bytes], workspace: str) -> float:
    """Rows a second of the comparison."""
    rows: dict[str, list[Any]] = {}
    async with raw_connection(source) as raw:
        for table in TABLES:
            found = await raw.fetch(f"SELECT * FROM {table} WHERE workspace = $1", workspace)
            rows[table] = [tuple(row) for row in found][-len(sent) :]
    began = time.perf_counter()
    for start in range(0, len(sent), PIECE):
        for one in sent[start : start + PIECE]:
            json.loads(one)
        async with raw_connection(target) as raw, raw.transaction():
            for table in TABLES:
                await raw.copy_records_to_table(table, records=rows[table][start : start + PIECE])
    return len(sent) / (time.perf_counter() - began)


async def main(count: int) -> None:
    with ProcessOwner() as owner, tempfile.TemporaryDirectory(prefix="intake-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # noqa: ASYNC240
        postgres, kafka = (
            Postgres(directory / "postgres", owner),
            Kafka(directory / "kafka", owner, heap_mb=256),
        )
        postgres.start()
        kafka.start()
        urls = [await postgres.create(name) for name in ("ledger", "other", "keys")]
        await migrate(urls[0], urls[2])
        await migrate(urls[1], urls[2])
        engine, other, keys = (create_engine(url, application="throughput") for url in urls)
        ledger = Ledger(engine, Keyring(keys, b"m" * 32), Fold(), OpenGate())
        await ledger.start()
        shop = await Bench(ledger, engine, kafka.bootstrap, urls[0]).shop()
        sent = events(count)
        await send(shop, sent)
        ours = await taken_in(shop, count)
        beside = await copied(engine, other, sent, shop.workspace)
        print(
            f"intake {ours:,.0f}/s, json.loads + COPY {beside:,.0f}/s, ratio {ours / beside:.2f}", flush=True
        )
        await ledger.close()
        for one in (engine, other, keys):
            await one.dispose()
        kafka.stop()
        postgres.stop()


if __name__ == "__main__":
    gc.set_threshold(20_000, 20, 50)  # as the command process does
    run(main(*(int(word) for word in sys.argv[1:] or ["50000"])))
