"""Migrations of the command service's two databases, ``ledger`` and ``keys``: one Alembic environment, two histories.

Instances that start together wait for each other on an advisory lock; only the first has anything to do. Alembic
brings all of a database's revisions in one transaction: a failed migration leaves the database as it was.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from goal_ledger_ledger import tables, tables_imports, tables_transport
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

HERE = Path(__file__).parent
LEDGER = tables.ledger
DECLARED = (tables, tables_transport, tables_imports)
"""Where the tables are declared: importing these is what fills the metadata."""

ADVISORY_LOCK = 0x676C_6564_6765  # "gl edge": any constant of our own


async def migrate(ledger_url: str, keys_url: str) -> None:
    """Bring both databases to this release's tables. Addresses are plain ``postgresql://``. Does nothing twice."""
    await _upgrade(ledger_url, "ledger", LEDGER)
    await _upgrade(keys_url, "keys", tables.keys)


async def _upgrade(url: str, history: str, metadata: MetaData) -> None:
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, hide_parameters=True
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
            await connection.run_sync(_to_head, history, metadata)
    finally:
        await engine.dispose()


def _to_head(connection: Connection, history: str, metadata: MetaData) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(HERE / history))
    config.attributes.update(connection=connection, metadata=metadata)
    command.upgrade(config, "head")
