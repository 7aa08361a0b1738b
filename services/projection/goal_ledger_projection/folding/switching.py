"""Switching the live version: one row changed, in one transaction, while the version that is left stands still.

All positions of the live version are locked first, so that its workers wait; the new one is brought to where it stands;
then the registry is changed and the locks are let go. Workers and readers look the live version up at the beginning of
each transaction: the ones that waited find that another is live, and follow. A version of another shape than the one
before goes live beside it: processes of the release before go on with theirs until they are stopped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from goal_ledger_database.sessions import LONG_WORK

from goal_ledger_projection.database import one_connection
from goal_ledger_projection.folding.writing import Connection
from goal_ledger_projection.projections import LIVE_OF_ANY_SHAPE
from goal_ledger_projection.shapes import SHAPE

ROUNDS = 10
"""How often the new version is brought forward before it is given up; the live one stands still and needs one."""

_BEHIND = """
SELECT a.workspace FROM {live}.positions a LEFT JOIN {new}.positions b ON b.workspace = a.workspace
WHERE a.next_seq > 1 AND (b.workspace IS NULL OR (b.epoch, b.next_seq) < (a.epoch, a.next_seq)) ORDER BY 1
"""


class NoSuchVersion(Exception):
    """There is no projection version of that name."""


class OfAnotherShape(Exception):
    """The processes of this release could not serve the version."""


class StaysBehind(Exception):
    """The new version cannot be brought to where the live one stands; nothing was switched."""


async def switch(url: str, new: str, come_level: Callable[[list[str]], Awaitable[None]] | None = None) -> str:
    """Make `new` live; the name of the version that was.

    `come_level` is given the workspaces in which `new` is behind, until there are none; without it `new` goes live as it
    stands, and its workers catch up. Raises NoSuchVersion, OfAnotherShape, StaysBehind.
    """
    connection = await one_connection(url, LONG_WORK)
    try:
        async with connection.transaction():
            await _must_be_ours(connection, new)
            live: str = await connection.fetchval(LIVE_OF_ANY_SHAPE)
            await connection.execute(f"SELECT FROM {live}.positions ORDER BY workspace FOR UPDATE")
            if come_level is not None:
                await _level(connection, live, new, come_level)
            await connection.execute(
                "UPDATE public.projection_versions SET live = false WHERE live AND shape = $1", SHAPE
            )
            await connection.execute(
                "UPDATE public.projection_versions SET live = true, live_since = clock_timestamp() WHERE name = $1",
                new,
            )
    finally:
        await connection.close()
    return live


async def _must_be_ours(connection: Connection, version: str) -> None:
    shape = await connection.fetchval("SELECT shape FROM public.projection_versions WHERE name = $1", version)
    if shape is None:
        raise NoSuchVersion(f"there is no projection version {version}")
    if shape != SHAPE:
        raise OfAnotherShape(f"{version} is of shape {shape}; this release serves {SHAPE}")


async def _level(
    connection: Connection, live: str, new: str, come_level: Callable[[list[str]], Awaitable[None]]
) -> None:
    for _ in range(ROUNDS):
        behind = await _behind(connection, live, new)
        if not behind:
            return
        await come_level(behind)
    raise StaysBehind(f"{new} does not come to where {live} stands: {', '.join(behind[:10])}")


async def _behind(connection: Connection, live: str, new: str) -> list[str]:
    return [row[0] for row in await connection.fetch(_BEHIND.format(live=live, new=new))]
