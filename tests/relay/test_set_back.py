"""A store that is set back under a running process: noticed before the next write, whatever is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from goal_ledger_command.write_gate import StoreBehindKafkaGate
from goal_ledger_ledger.store import Database, Unreachable, create_engine, raw_connection
from goal_ledger_ledger.submission import StoreBehindLog
from goal_ledger_local.postgres import Postgres
from support.by_hand import past_the_trigger

from .conftest import Bench, Written, until


@asynccontextmanager
async def opened(bench: Bench) -> AsyncIterator[tuple[Database, StoreBehindKafkaGate]]:
    """A process of its own whose gate has looked once."""
    engine = create_engine(bench.url, application="another")
    gate = StoreBehindKafkaGate(engine, bench.bootstrap)
    await gate.look()
    try:
        yield engine, gate
    finally:
        await engine.dispose()


async def published(bench: Bench, facts: int) -> Written:
    one = bench.store.workspace()
    await bench.store.many(one, facts)
    async with bench.relaying():
        await bench.all_published(one)
    return one


async def swapped(postgres: Postgres, url: str, template: str) -> None:
    """The database of that address is another one now, made from a template, as a dump restored aside and renamed."""
    name = url.rpartition("/")[2]
    admin = await asyncpg.connect(postgres.admin_url)
    try:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.execute(f'ALTER DATABASE "{template}" RENAME TO "{name}"')
    finally:
        await admin.close()


async def copied(postgres: Postgres, url: str) -> str:
    """A copy of the database as it is now; nobody may be connected."""
    name = url.rpartition("/")[2]
    admin = await asyncpg.connect(postgres.admin_url)
    try:
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await admin.execute(f'CREATE DATABASE "{name}_kept" TEMPLATE "{name}" OWNER application')
    finally:
        await admin.close()
    return f"{name}_kept"


async def test_another_database_at_the_same_address_gives_no_connection_until_it_was_compared(
    bench: Bench, postgres: Postgres
):
    one = await published(bench, 5)
    await bench.engine.dispose()
    kept = await copied(postgres, bench.url)
    async with opened(bench) as (engine, gate):
        await bench.store.many(one, 3)
        async with bench.relaying():
            await bench.all_published(one)
        await gate.check(one.workspace)
        await bench.engine.dispose()
        await swapped(postgres, bench.url, kept)
        for _ in range(3):
            with pytest.raises(Unreachable):
                async with raw_connection(engine) as raw:
                    await raw.fetchval("SELECT 1 FROM heads")
        await gate.look()
        async with raw_connection(engine) as raw:
            assert await raw.fetchval("SELECT seq FROM heads WHERE workspace = $1", one.workspace) == 5
        with pytest.raises(StoreBehindLog, match="up to 1-8"):
            await gate.check(one.workspace)


async def test_tables_set_back_in_place_are_noticed_by_the_marks(bench: Bench):
    one = await published(bench, 5)
    async with opened(bench) as (engine, gate), raw_connection(engine) as raw:
        await engine.need_same(raw)
        await past_the_trigger(raw)
        await raw.execute("DELETE FROM facts WHERE seq > 3")
        await raw.execute("UPDATE heads SET seq = 3")
        await raw.execute("UPDATE partition_marks SET next_offset = next_offset - 2 WHERE next_offset > 0")
        with pytest.raises(Unreachable, match="set back"):
            await engine.need_same(raw)
        looking = asyncio.create_task(gate.run())

        async def is_compared() -> bool:
            return one.workspace in gate.behind

        await until(is_compared)
        looking.cancel()
        await engine.need_same(raw)


async def test_a_database_that_goes_on_is_the_same(bench: Bench):
    one = await published(bench, 5)
    async with opened(bench) as (engine, gate):
        await bench.store.many(one, 50)
        async with bench.relaying():
            await bench.all_published(one)
        await asyncio.gather(*(_connected(engine) for _ in range(15)))
        await gate.check(one.workspace)


async def _connected(engine: Database) -> None:
    async with raw_connection(engine) as raw:
        await engine.need_same(raw)
        await raw.execute("SELECT pg_sleep(0.05)")
