"""The read database's migration to this release's tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from goal_ledger_observability.logs import logger
from sqlalchemy import Connection, exists, func, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import DropSchema

from goal_ledger_projection.projections import make_version
from goal_ledger_projection.rights import grants
from goal_ledger_projection.shapes import SHAPE
from goal_ledger_projection.tables import positions, projection_versions

log = logger("goal_ledger.projection.migration")

FIRST_VERSION = "read_v1"
MIGRATION_LOCK = 0x60A1_1ED6
"""Advisory lock: one migration at a time."""


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _need_a_version(connection)


def _need_a_version(connection: Connection) -> None:
    """Make the first version of this release's shape, live, if nothing has been folded yet; else say what to do."""
    known = connection.execute(select(projection_versions.c.name, projection_versions.c.shape))
    versions = {name: shape for name, shape in known}
    if SHAPE in versions.values():
        return
    if any(_has_facts(connection, name) for name in versions):
        log.warning("no version of this release's shape: run rebuild", shape=SHAPE, versions=versions)
        return
    for name in versions:
        connection.execute(DropSchema(name, cascade=True))
    connection.execute(projection_versions.delete())
    make_version(connection, FIRST_VERSION)
    first = projection_versions.c.name == FIRST_VERSION
    connection.execute(projection_versions.update().where(first).values(live=True, live_since=func.now()))


def _has_facts(connection: Connection, name: str) -> bool:
    there = exists(select(positions.c.workspace)).select()
    return bool(connection.scalar(there, execution_options={"schema_translate_map": {None: name}}))


async def migrate(read_database_url: str, roles: Mapping[str, str | None]) -> None:
    """Bring the read database to this release's tables. Any number of processes may ask at once.

    `roles`: by process (`worker`, `query`, `reconciler`), the database role that is granted what the process needs.
    """
    engine = create_async_engine(engine_url(read_database_url), hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            await connection.run_sync(_upgrade)
            versions = (await connection.scalars(select(projection_versions.c.name))).all()
            for statement in grants(versions, roles):
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


def engine_url(plain: str) -> str:
    """SQLAlchemy's address of a plain `postgresql://` one."""
    return "postgresql+asyncpg://" + plain.partition("://")[2]
