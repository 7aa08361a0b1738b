"""`versions` and `drop`: which projection versions there are, and letting one go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.schema import DropSchema

from goal_ledger_projection.migration import engine_url
from goal_ledger_projection.shapes import SHAPE
from goal_ledger_projection.tables import positions, projection_versions

_VERSIONS = projection_versions.c
_FOLDED = select(func.count(), func.coalesce(func.sum(positions.c.next_seq - 1), 0)).select_from(positions)


class CannotDrop(Exception):
    """It is not there, or is served."""


async def list_versions(url: str) -> None:
    """Print them, oldest first."""
    shown = Table("version", "shape", "live", "made", "live since", "workspaces", "facts")
    async with _transaction(url) as connection:
        every = select(projection_versions).order_by(_VERSIONS.made_at, _VERSIONS.name)
        for one in (await connection.execute(every)).all():
            within = {"schema_translate_map": {None: one.name}}
            workspaces, facts = (await connection.execute(_FOLDED, execution_options=within)).one()
            whose = "this release's" if one.shape == SHAPE else one.shape
            since = "" if one.live_since is None else f"{one.live_since:%Y-%m-%d %H:%M}"
            state = "live" if one.live else ""
            made = f"{one.made_at:%Y-%m-%d %H:%M}"
            shown.add_row(one.name, whose, state, made, since, f"{workspaces:,}", f"{facts:,}")
    Console().print(shown)


async def drop_version(url: str, version: str, *, really: bool) -> str:
    """What was done, or without `really` would be. Raises CannotDrop."""
    this = _VERSIONS.name == version
    async with _transaction(url) as connection:
        found = select(_VERSIONS.shape, _VERSIONS.live).where(this).with_for_update()
        row = (await connection.execute(found)).one_or_none()
        if row is None:
            raise CannotDrop(f"there is no projection version {version}")
        if row.live and row.shape == SHAPE:
            raise CannotDrop(f"{version} is live: switch to another version first")
        served = f"; processes of shape {row.shape} still serve it" if row.live else ""
        if not really:
            return f"{version} would be dropped{served}; --yes does it"
        await connection.execute(DropSchema(version, cascade=True))
        await connection.execute(projection_versions.delete().where(this))
        return f"{version} is dropped"


@asynccontextmanager
async def _transaction(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(engine_url(url), hide_parameters=True)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
