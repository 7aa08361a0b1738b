"""The read database's migration to this release's tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

MIGRATION_LOCK = 0x60A1_1ED6
"""Advisory lock: one migration at a time."""


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(read_database_url: str) -> None:
    """Bring the read database to this release's tables. Any number of processes may ask at once."""
    engine = create_async_engine(engine_url(read_database_url), hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def engine_url(plain: str) -> str:
    """SQLAlchemy's address of a plain `postgresql://` one."""
    return "postgresql+asyncpg://" + plain.partition("://")[2]
