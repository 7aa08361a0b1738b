"""The migrations make the tables that the code declares."""

from __future__ import annotations

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from goal_ledger_command.migrations import migrate
from goal_ledger_ledger import tables
from goal_ledger_ledger.store import create_engine
from goal_ledger_local.postgres import Postgres
from sqlalchemy import Connection, MetaData


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_two_instances_may_migrate_at_once_and_the_tables_are_those_declared(postgres: Postgres):
    urls = await postgres.create("ledger"), await postgres.create("keys")
    await asyncio.gather(migrate(*urls), migrate(*urls))
    await migrate(*urls)
    for url, metadata in zip(urls, (tables.ledger, tables.keys), strict=True):
        engine = create_engine(url, application="tests")
        async with engine.connect() as connection:
            assert await connection.run_sync(differences, metadata) == []
        await engine.dispose()
