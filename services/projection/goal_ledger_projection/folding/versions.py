"""`versions` and `drop`: which projection versions there are, and letting one go."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from goal_ledger_projection.database import one_connection
from goal_ledger_projection.shapes import SHAPE

_ALL = "SELECT name, shape, live, made_at, live_since FROM public.projection_versions ORDER BY made_at, name"


class CannotDrop(Exception):
    """It is not there, or is served."""


async def list_versions(url: str) -> None:
    """Print them, oldest first."""
    table = Table("version", "shape", "live", "made", "live since", "workspaces", "facts")
    connection = await one_connection(url)
    try:
        for row in await connection.fetch(_ALL):
            name, shape, live, made_at, live_since = row
            counts = await connection.fetchrow(
                f"SELECT count(*), coalesce(sum(next_seq - 1), 0) FROM {name}.positions"
            )
            assert counts is not None
            whose = "this release's" if shape == SHAPE else shape
            since = "" if live_since is None else f"{live_since:%Y-%m-%d %H:%M}"
            state = "live" if live else ""
            table.add_row(
                name, whose, state, f"{made_at:%Y-%m-%d %H:%M}", since, f"{counts[0]:,}", f"{counts[1]:,}"
            )
    finally:
        await connection.close()
    Console().print(table)


async def drop_version(url: str, version: str, *, really: bool) -> str:
    """What was done, or without `really` would be. Raises CannotDrop."""
    connection = await one_connection(url)
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                "SELECT shape, live FROM public.projection_versions WHERE name = $1 FOR UPDATE", version
            )
            if row is None:
                raise CannotDrop(f"there is no projection version {version}")
            if row["live"] and row["shape"] == SHAPE:
                raise CannotDrop(f"{version} is live: switch to another version first")
            served = f"; processes of shape {row['shape']} still serve it" if row["live"] else ""
            if not really:
                return f"{version} would be dropped{served}; --yes does it"
            await connection.execute(f"DROP SCHEMA {version} CASCADE")
            await connection.execute("DELETE FROM public.projection_versions WHERE name = $1", version)
            return f"{version} is dropped"
    finally:
        await connection.close()
