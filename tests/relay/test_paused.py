"""A relay that is stopped in its tracks while the server works for it, with the lease's row locked: another takes over.

It has no transaction but its statements: what the server was told is done and let go, whether or not anybody listens.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from goal_ledger_ledger.store import raw_connection
from goal_ledger_local.ports import free_ports
from goal_ledger_local.processes import Owned, ProcessOwner

from .conftest import Bench, until

MARKED_IN_ANOTHER_TOPIC = (
    "INSERT INTO partition_marks VALUES ('ledger.facts', 0, 'of a topic that is lost', 9)"
)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def paused_log(tmp_path: Path) -> Path:
    return tmp_path / "relay.log"


@asynccontextmanager
async def paused_as_it_forgets(bench: Bench, process_owner: ProcessOwner, log: Path) -> AsyncIterator[Owned]:
    """A process that forgets the marks of a lost topic: it was stopped as it held the lease's row and waited for another."""
    keeper = await asyncpg.connect(bench.url)
    holding = keeper.transaction()
    await holding.start()
    await keeper.execute("SELECT FROM published FOR UPDATE")
    relay = process_owner.spawn(
        [sys.executable, "-m", "goal_ledger_command", "relay"], log, env={**os.environ, **settings(bench)}
    )

    async def waits() -> bool:
        assert relay.returncode is None, relay.said(lines=15)
        async with raw_connection(bench.engine) as raw:
            return bool(await raw.fetchval(WAITING))

    try:
        await until(waits)
        os.kill(relay.pid, signal.SIGSTOP)
        await holding.rollback()
        yield relay
    finally:
        os.kill(relay.pid, signal.SIGCONT)
        await keeper.close()
        await asyncio.to_thread(relay.stop, signal.SIGTERM, 10.0)


def settings(bench: Bench) -> dict[str, str]:
    return {
        "LEDGER_DATABASE_URL": bench.url,
        "KAFKA_BOOTSTRAP_SERVERS": bench.bootstrap,
        "HTTP_PORT": str(free_ports(1)[0]),
        "ALLOW_UNSAFE_DURABILITY": "true",
    }


async def test_a_relay_paused_with_the_lease_locked_stops_no_other(
    bench: Bench, process_owner: ProcessOwner, paused_log: Path
):
    one = bench.store.workspace()
    await bench.store.many(one, 5)
    async with raw_connection(bench.engine) as raw:
        await raw.execute(MARKED_IN_ANOTHER_TOPIC)
        await raw.execute("INSERT INTO published VALUES ($1, 1, 5)", one.workspace)
    async with paused_as_it_forgets(bench, process_owner, paused_log) as paused, bench.relaying():
        await bench.all_published(one)
        os.kill(paused.pid, signal.SIGCONT)
        await until(lambda: gives_up(paused))
        await bench.store.many(one, 5)
        await bench.all_published(one)
    records = await bench.facts(one)
    assert [seq for _, seq, _ in records] == list(range(1, 11))


async def gives_up(relay: Owned) -> bool:
    """It was told that its session is gone, or that its lease is."""
    said = relay.said(lines=50)
    return "lease lost" in said or "starts again" in said
