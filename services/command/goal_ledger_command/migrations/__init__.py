"""Migrations of the command service's two databases, ``ledger`` and ``keys``: one Alembic environment, two histories.

Instances that start together wait for each other on an advisory lock; only the first has anything to do. Alembic
brings all of a database's revisions in one transaction: a failed migration leaves the database as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from alembic import command
from alembic.config import Config
from goal_ledger_ledger import tables, tables_imports, tables_transport
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from goal_ledger_command.migrations.rights import grants

HERE = Path(__file__).parent
LEDGER = tables.ledger
DECLARED = (tables, tables_transport, tables_imports)
"""Where the tables are declared: importing these is what fills the metadata."""
NO_ROLES: Mapping[str, str | None] = MappingProxyType({})

ADVISORY_LOCK = 0x676C_6564_6765  # "gl edge": any constant of our own


async def migrate(ledger_url: str, keys_url: str, roles: Mapping[str, str | None] = NO_ROLES) -> None:
    """Bring both databases to this release's tables. Addresses are plain ``postgresql://``. Does nothing twice.

    ``roles``: by process (``command``, ``relay``), the database role that is granted what the process needs.
    """
    await _upgrade(ledger_url, "ledger", LEDGER, roles)
    await _upgrade(keys_url, "keys", tables.keys, roles)


async def _upgrade(url: str, history: str, metadata: MetaData, roles: Mapping[str, str | None]) -> None:
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, hide_parameters=True
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
            await connection.run_sync(_to_head, history, metadata)
            for statement in grants(history, roles):
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


def _to_head(connection: Connection, history: str, metadata: MetaData) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(HERE / history))
    config.attributes.update(connection=connection, metadata=metadata)
    command.upgrade(config, "head")
