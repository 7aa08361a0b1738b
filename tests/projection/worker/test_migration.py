"""The read database is made by one command that may run any number of times."""

from __future__ import annotations

import asyncio

import asyncpg
from goal_ledger_local.postgres import Postgres
from goal_ledger_projection.projections import (
    BUILT_LATE,
    LIVE,
    late_indexes_dropped,
    late_indexes_made,
    migrate,
)

INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'read_v1' ORDER BY 1"


async def test_migrating_twice_at_once_makes_the_first_version_and_it_is_live(postgres: Postgres) -> None:
    url = await postgres.create("read")
    await asyncio.gather(migrate(url), migrate(url))
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval(LIVE) == "read_v1"
        await connection.fetch("SELECT * FROM read_v1.positions")
    finally:
        await connection.close()


async def test_indexes_made_late_are_those_made_at_once(postgres: Postgres) -> None:
    url = await postgres.create("read")
    await migrate(url)
    connection = await asyncpg.connect(url, server_settings={"search_path": "read_v1"})
    try:
        before = await connection.fetch(INDEXES)
        made = [statement for table in BUILT_LATE for statement in late_indexes_made(table)]
        for statement in late_indexes_dropped() + made:
            await connection.execute(statement)
        assert await connection.fetch(INDEXES) == before
    finally:
        await connection.close()


async def test_a_version_of_an_earlier_release_gets_the_index_of_last_words(postgres: Postgres) -> None:
    url = await postgres.create("read")
    await migrate(url)
    connection = await asyncpg.connect(url, server_settings={"search_path": "read_v1"})
    try:
        now = await connection.fetch(INDEXES)
        await connection.execute("DROP INDEX check_ins_last_words")
        await connection.execute("UPDATE public.alembic_version SET version_num = '0001'")
        await migrate(url)
        assert await connection.fetch(INDEXES) == now
    finally:
        await connection.close()
