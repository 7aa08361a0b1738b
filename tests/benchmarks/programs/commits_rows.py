"""Raw one-row commits: the same fact-sized row into a copy of the facts table, one transaction each, many at a time.

Job: ``url`` of the ledger database, ``clients``, ``seconds``. Result: ``per_second``.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import asyncpg

from benchmarks.programs.job import run_async

CONNECTIONS = 20
INSERT = """INSERT INTO bench_commits.facts (workspace, seq, stream, version, type, event_id, recorded_at, hash, bytes)
VALUES ($1, $2::bigint, $3, $2::bigint::int, 'CheckInRecorded', $4, $5, $6, $7)"""


async def work(job: dict[str, Any]) -> dict[str, Any]:
    pool = await asyncpg.create_pool(job["url"], min_size=CONNECTIONS, max_size=CONNECTIONS)
    async with pool:
        await pool.execute("CREATE SCHEMA bench_commits")
        await pool.execute("CREATE TABLE bench_commits.facts (LIKE public.facts INCLUDING ALL)")
        numbers, stored, digest = itertools.count(1), os.urandom(800), os.urandom(32)
        until = time.perf_counter() + job["seconds"]

        async def client() -> int:
            done = 0
            while time.perf_counter() < until:
                number, now = next(numbers), datetime.now(UTC)
                await pool.execute(
                    INSERT, "bench", number, "objective/goal", uuid.uuid4(), now, digest, stored
                )
                done += 1
            return done

        began = time.perf_counter()
        done = sum(await asyncio.gather(*(client() for _ in range(job["clients"]))))
        took_s = time.perf_counter() - began
        await pool.execute("DROP SCHEMA bench_commits CASCADE")
    return {"per_second": done / took_s}


if __name__ == "__main__":
    run_async(work)
