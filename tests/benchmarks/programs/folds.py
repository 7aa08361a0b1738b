"""Loading a cold workspace: a fresh ledger reads it, without a snapshot and with the one made of it.

Job: ``workspace``, ``url`` of the ledger database. Result: ``facts``, ``per_second`` without, ``snapshot_s`` with.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import open_for_operator

from benchmarks.programs.job import run_async

SNAPSHOT_WITHIN_S = 60


async def work(job: dict[str, Any]) -> dict[str, Any]:
    settings, workspace = Settings(), job["workspace"]  # type: ignore[call-arg]
    connection = await asyncpg.connect(job["url"])
    await connection.execute("DELETE FROM snapshots WHERE workspace = $1", workspace)
    async with open_for_operator(settings) as ledger:
        began = time.perf_counter()
        _, position = await ledger.read(workspace)
        took_s = time.perf_counter() - began
        await _snapshot(connection, workspace)
    async with open_for_operator(settings) as ledger:
        began = time.perf_counter()
        await ledger.read(workspace)
        snapshot_s = time.perf_counter() - began
    await connection.close()
    return {"facts": position.seq, "per_second": position.seq / took_s, "snapshot_s": snapshot_s}


async def _snapshot(connection: Any, workspace: str) -> None:
    """Wait for the one that the reading began behind; small workspaces get none."""
    until = time.monotonic() + SNAPSHOT_WITHIN_S
    head = await connection.fetchval("SELECT seq FROM heads WHERE workspace = $1", workspace)
    while head >= 20_000 and time.monotonic() < until:
        if await connection.fetchval("SELECT true FROM snapshots WHERE workspace = $1", workspace):
            return
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    run_async(work)
