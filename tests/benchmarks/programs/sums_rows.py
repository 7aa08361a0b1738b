"""The comparison of the whole tree: SQL of the rows it follows from, and json.dumps of the very body that was answered.

No arithmetic, no cache, nothing parsed but what the driver gives. Job: ``url`` of the read database, ``schema``,
``workspace``, ``body`` (path of the answer). Result: ``ms`` (the median of some times), ``rows``.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from benchmarks.programs.job import run_async

TIMES = 5
ROWS = (
    "SELECT DISTINCT ON (id) id, seq, effective_at, body FROM definitions "
    "WHERE workspace = $1 AND kind = 'objective' ORDER BY id, seq DESC",
    "SELECT DISTINCT ON (key_result, part) key_result, part, effective_at, seq, value, unit, check_in FROM value_rows "
    "WHERE workspace = $1 AND ended_seq IS NULL ORDER BY key_result, part, effective_at DESC, seq DESC",
    "SELECT DISTINCT ON (objective, key_result) objective, key_result, effective_at, status, confidence FROM check_ins "
    "WHERE workspace = $1 AND ended_seq IS NULL ORDER BY objective, key_result, effective_at DESC, seq DESC",
)


async def work(job: dict[str, Any]) -> dict[str, Any]:
    connection = await asyncpg.connect(job["url"], server_settings={"search_path": job["schema"]})
    body = json.loads(Path(job["body"]).read_bytes())  # noqa: ASYNC240
    took_ms, rows = [], 0
    for _ in range(TIMES):
        began = time.perf_counter()
        rows = sum([len(await connection.fetch(statement, job["workspace"])) for statement in ROWS])
        json.dumps(body, separators=(",", ":"))
        took_ms.append((time.perf_counter() - began) * 1e3)
    await connection.close()
    return {"ms": median(took_ms), "rows": rows}


if __name__ == "__main__":
    run_async(work)
