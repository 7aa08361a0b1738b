"""The comparison of the projection: plain consumption of the same records and COPY of the same rows.

The rows are those that ours made (as text, fetched before the clock starts), in tables of the same columns, constraints
and indexes; `late`: the indexes are made after the rows, as a rebuild does. Job: ``url`` of the read database,
``bootstrap``, ``topic``, ``workspace`` (null: all), ``schema`` of the live version, ``records`` to expect, ``late``.
Result: ``per_second``.
"""

from __future__ import annotations

import time
from io import BytesIO
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.topics import FACTS_PARTITIONS

from benchmarks.programs.job import run_async

TABLES = ("facts", "definitions", "value_rows", "check_ins", "readings")
SCRATCH = "bench_plain"
AT_ONCE = 2_000


async def work(job: dict[str, Any]) -> dict[str, Any]:
    connection = await asyncpg.connect(job["url"])
    rows = {table: await _rows(connection, job, table) for table in TABLES}
    indexes = await _make_tables(connection, job)
    consumer = AIOKafkaConsumer(bootstrap_servers=job["bootstrap"], enable_auto_commit=False)
    await consumer.start()
    wanted = job["workspace"] and job["workspace"].encode()
    partitions = [partition_of(job["workspace"], FACTS_PARTITIONS)] if wanted else range(FACTS_PARTITIONS)
    places = [TopicPartition(job["topic"], one) for one in partitions]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    seen, total, began = 0, job["records"], time.perf_counter()
    copied = dict.fromkeys(TABLES, 0)
    while seen < total:
        found = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
        count = sum(1 for many in found.values() for one in many if wanted is None or one.key == wanted)
        if not found:
            raise SystemExit(f"{seen} of {total} records are there")
        seen += count
        async with connection.transaction():
            for table, lines in rows.items():
                start, end = copied[table], min(len(lines), len(lines) * seen // total)
                if end > start:
                    source = BytesIO(b"".join(lines[start:end]))
                    await connection.copy_to_table(table, schema_name=SCRATCH, source=source)
                    copied[table] = end
    for statement in indexes:
        await connection.execute(statement)
    took_s = time.perf_counter() - began
    await consumer.stop()
    await connection.execute(f"DROP SCHEMA {SCRATCH} CASCADE")
    await connection.close()
    return {"per_second": total / took_s}


async def _rows(connection: Any, job: dict[str, Any], table: str) -> list[bytes]:
    output, only = BytesIO(), ""
    if job["workspace"]:
        only = f" WHERE workspace = '{job['workspace']}'"
    await connection.copy_from_query(
        f"SELECT * FROM {job['schema']}.{table}{only} ORDER BY seq", output=output
    )
    return output.getvalue().splitlines(keepends=True)


async def _make_tables(connection: Any, job: dict[str, Any]) -> list[str]:
    """Empty tables; the index statements that are left for the end."""
    schema = job["schema"]
    await connection.execute(f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE; CREATE SCHEMA {SCRATCH}")
    like = "INCLUDING DEFAULTS" if job["late"] else "INCLUDING ALL"
    for table in TABLES:
        await connection.execute(f"CREATE TABLE {SCRATCH}.{table} (LIKE {schema}.{table} {like})")
    if not job["late"]:
        return []
    statement = "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = ANY($2)"
    found = await connection.fetch(statement, schema, list(TABLES))
    return [definition.replace(f" {schema}.", f" {SCRATCH}.") for (definition,) in found]


if __name__ == "__main__":
    run_async(work)
