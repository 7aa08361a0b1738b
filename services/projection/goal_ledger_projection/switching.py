"""Switching the live version: one row changed, in one transaction, while the version that is left stands still.

All positions of the live version are locked first, so that its workers wait; the new one is brought to where it stands;
then the registry is changed and the locks are let go. Workers and readers look the live version up at the beginning of
each transaction: the ones that waited find that another is live, and follow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from goal_ledger_database.sessions import LONG_WORK

from goal_ledger_projection.database import live_projection, one_connection
from goal_ledger_projection.writing import Connection

ROUNDS = 10
"""How often the new version is brought forward before it is given up; the live one stands still and needs one."""

_BEHIND = """
SELECT a.workspace FROM {live}.positions a LEFT JOIN {new}.positions b ON b.workspace = a.workspace
WHERE b.workspace IS NULL OR (b.epoch, b.next_seq) < (a.epoch, a.next_seq) ORDER BY 1
"""


class NoSuchVersion(Exception):
    """There is no projection version of that name."""


class StaysBehind(Exception):
    """The new version cannot be brought to where the live one stands; nothing was switched."""


async def switch(url: str, new: str, come_level: Callable[[list[str]], Awaitable[None]] | None = None) -> str:
    """Make `new` live; the name of the version that was.

    `come_level` is given the workspaces in which `new` is behind, until there are none; without it `new` goes live as it
    stands, and its workers catch up. Raises NoSuchVersion, StaysBehind.
    """
    live = await live_projection(url)
    connection = await one_connection(url, LONG_WORK)
    try:
        async with connection.transaction():
            known = await connection.fetchval("SELECT count(*) FROM public.projections WHERE name = $1", new)
            if not known:
                raise NoSuchVersion(new)
            await connection.execute(f"SELECT FROM {live}.positions ORDER BY workspace FOR UPDATE")
            if come_level is not None:
                await _level(connection, live, new, come_level)
            await connection.execute("UPDATE public.projections SET live = false WHERE live")
            await connection.execute(
                "UPDATE public.projections SET live = true, live_since = now() WHERE name = $1", new
            )
    finally:
        await connection.close()
    return live


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
