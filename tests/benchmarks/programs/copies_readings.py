"""The comparison of readings in bulk: json.loads of the same events, COPY of the same rows, 500 to a transaction.

The rows are those that ours made of these events, fetched before the clock starts; the tables have the same columns,
constraints and indexes, and hold what ours held before these events. Job: ``url`` of the ledger database, ``workspace``, ``run``, ``readings``. Result:
``per_second``.
"""

from __future__ import annotations

import json
import time
from typing import Any

import asyncpg

from benchmarks.programs.events import PIECE, event
from benchmarks.programs.job import run_async

TABLES = ("facts", "identities")
ROWS = {
    "facts": "SELECT * FROM public.facts WHERE workspace = $1 AND type = 'ReadingRecorded' ORDER BY seq DESC LIMIT $2",
    "identities": "SELECT * FROM public.identities WHERE workspace = $1 ORDER BY seq DESC LIMIT $2",
}
BEFORE = """
INSERT INTO bench_copy.{table} SELECT * FROM public.{table} WHERE workspace <> $1 OR seq < $2
"""
SEQ = 1
"""The column of ``facts``."""


async def work(job: dict[str, Any]) -> dict[str, Any]:
    connection = await asyncpg.connect(job["url"])
    events = [event(job["run"], number) for number in range(job["readings"])]
    rows = {
        table: [tuple(row) for row in await connection.fetch(ROWS[table], job["workspace"], len(events))][
            ::-1
        ]
        for table in TABLES
    }
    await connection.execute("DROP SCHEMA IF EXISTS bench_copy CASCADE; CREATE SCHEMA bench_copy")
    for table in TABLES:
        await connection.execute(f"CREATE TABLE bench_copy.{table} (LIKE public.{table} INCLUDING ALL)")
        await connection.execute(BEFORE.format(table=table), job["workspace"], rows["facts"][0][SEQ])
    began = time.perf_counter()
    for start in range(0, len(events), PIECE):
        for one in events[start : start + PIECE]:
            json.loads(one)
        async with connection.transaction():
            for table in TABLES:
                await connection.copy_records_to_table(
                    table, schema_name="bench_copy", records=rows[table][start : start + PIECE]
                )
    took_s = time.perf_counter() - began
    await connection.execute("DROP SCHEMA bench_copy CASCADE")
    await connection.close()
    return {"per_second": len(events) / took_s}


if __name__ == "__main__":
    run_async(work)
