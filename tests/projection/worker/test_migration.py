"""The read database is made by one command that may run any number of times."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from goal_ledger_local.postgres import Postgres
from goal_ledger_projection.database import NoVersionOfOurShape, live_projection
from goal_ledger_projection.projections import (
    BUILT_LATE,
    LIVE,
    late_indexes_dropped,
    late_indexes_made,
    migrate,
)
from goal_ledger_projection.shapes import SHAPE

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


async def test_tables_of_this_release_are_those_of_its_shape() -> None:
    """A change of the tables is a new shape: processes of it wait for `rebuild`, and the changelog says so."""
    assert SHAPE == "2-e8420c21bbcd", (
        "say in CHANGELOG.md that this release needs `rebuild`, then write the new shape here"
    )


async def test_a_version_of_an_older_shape_gets_an_index_more_by_a_migration_and_goes_on(
    postgres: Postgres,
) -> None:
    url = await postgres.create("read")
    await migrate(url)
    connection = await asyncpg.connect(url)
    try:
        indexes = await connection.fetch(INDEXES)
        await connection.execute("DROP INDEX read_v1.check_ins_by_time")
        await connection.execute("UPDATE public.projection_versions SET shape = '2-928a39b75f8e'")
        await connection.execute("UPDATE alembic_version SET version_num = '0003'")
        await connection.execute(
            "INSERT INTO read_v1.positions (projection, workspace, epoch, next_seq) VALUES ('read_v1', 'shop', 1, 5)"
        )
        await migrate(url)
        versions = await connection.fetch("SELECT name, shape, live FROM public.projection_versions")
        assert [tuple(row) for row in versions] == [("read_v1", "2-7665b2a9cc7d", True)]
        assert await connection.fetch(INDEXES) == indexes
        assert await connection.fetchval("SELECT count(*) FROM read_v1.positions") == 1
    finally:
        await connection.close()


async def test_a_version_that_holds_facts_is_left_as_it_is(postgres: Postgres) -> None:
    url = await postgres.create("read")
    await migrate(url)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE public.projection_versions SET shape = 'another'")
        await connection.execute(
            "INSERT INTO read_v1.positions (projection, workspace, epoch, next_seq) VALUES ('read_v1', 'shop', 1, 5)"
        )
        await migrate(url)
        versions = await connection.fetch("SELECT name, shape, live FROM public.projection_versions")
        assert versions == [("read_v1", "another", True)]
        with pytest.raises(NoVersionOfOurShape, match="rebuild"):
            await live_projection(url)
    finally:
        await connection.close()
