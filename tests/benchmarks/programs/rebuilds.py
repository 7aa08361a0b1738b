"""A rebuild of the projection in a process of its own, as `goal_ledger_projection rebuild` does it, but for the
comparison at the end: from an empty version to one with all its indexes. Settings: those of the worker. Result:
``per_second`` of the records read, ``records``."""

from __future__ import annotations

import time
from typing import Any

from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding.garbage import collect_rarely
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.rebuilding import Rebuild, new_version
from goal_ledger_projection.settings import WorkerSettings

from benchmarks.programs.job import run_async


async def work(_: dict[str, Any]) -> dict[str, Any]:
    collect_rarely()
    settings = WorkerSettings()  # type: ignore[call-arg]
    read = 0

    def told(records: int, _: int) -> None:
        nonlocal read
        read += records

    database = await WorkersDatabase.open_new(
        settings.read_database_url, await new_version(settings.read_database_url)
    )
    feed = CommandFeed(settings.command_url, settings.service_token_file, settings.command_timeout_s)
    rebuild = Rebuild(settings, database, feed, Meters(new_registry("bench")), told)
    try:
        began = time.perf_counter()
        await rebuild.fill()
        took_s = time.perf_counter() - began
    finally:
        await rebuild.close()
        await feed.close()
        await database.close()
    return {"per_second": read / took_s, "records": read}


if __name__ == "__main__":
    run_async(work)
