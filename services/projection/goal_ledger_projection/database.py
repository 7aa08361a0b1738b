"""The read database as the worker uses it: one projection version, and the pool of connections that see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from goal_ledger_database.sessions import CONNECT_TIMEOUT_S, LONG_WORK, USUAL, SessionLimits

from goal_ledger_projection.folding.writing import Connection
from goal_ledger_projection.projections import LIVE
from goal_ledger_projection.shapes import SHAPE

POOL_CONNECTIONS_MAX = 8
COMMAND_TIMEOUT_S = 300
"""Longer than the deletion of a large workspace; a statement that hangs longer is an error, and tried again."""

WORKER_LIMITS = SessionLimits(statement_ms=20_000)
"""A worker that is paused holds the positions of its batch, in a statement (COPY) or between two: so long at most."""

KEY_LOOKUPS_ONLY = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
"""Every statement looks rows up by key, however many or few there are: it is planned once, and a plan made while a table
was small must not outlive that (`tests/projection/test_plans.py`)."""


class NotMigrated(Exception):
    """The database has no projections: `python -m goal_ledger_projection migrate` comes first."""


class NoVersionOfOurShape(OSError):
    """No version that this release can serve is live: `rebuild` makes one. The same may succeed later."""

    def __init__(self) -> None:
        super().__init__(
            f"no projection version of shape {SHAPE} is live: run `python -m goal_ledger_projection rebuild`"
        )


class WorkersDatabase:
    """Connections to one projection version. `projection` is its schema, and the name in `positions.projection`."""

    def __init__(self, url: str, projection: str, pool: asyncpg.Pool, limits: SessionLimits) -> None:
        self._url, self._limits = url, limits
        self.projection = projection
        self._pool = pool

    @staticmethod
    async def open_new(url: str, projection: str) -> WorkersDatabase:
        """Open a version in the making: commits do not wait for the disk.

        A version that a crash tears was never live and is made anew; the commit that makes it live waits, and with it
        everything before is on disk.
        """
        pool = await _pool(url, projection, LONG_WORK, synchronous_commit="off")
        return WorkersDatabase(url, projection, pool, LONG_WORK)

    @staticmethod
    async def open(
        url: str, projection: str | None = None, limits: SessionLimits = WORKER_LIMITS
    ) -> WorkersDatabase:
        """Open a projection version, by default the live one.

        Raises NotMigrated, NoVersionOfOurShape, and what asyncpg or the network raise when the server is not there.
        """
        name = projection or await live_projection(url)
        return WorkersDatabase(url, name, await _pool(url, name, limits), limits)

    async def follow(self, projection: str) -> None:
        """Use another version from now on."""
        leaving = self._pool
        self._pool = await _pool(self._url, projection, self._limits)
        self.projection = projection
        await leaving.close()

    async def close(self) -> None:
        """Close all connections, waiting for those in use."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection without a transaction."""
        async with self._pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, READ COMMITTED, committed at the end of the block."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection


async def one_connection(url: str, limits: SessionLimits = USUAL) -> asyncpg.Connection[Any]:
    """A connection of its own, to be closed."""
    settings = limits.server_settings("projection")
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        url, timeout=CONNECT_TIMEOUT_S, server_settings=settings
    )
    return connection


async def live_projection(url: str, statement: str = LIVE) -> str:
    """The schema of the live version, by default of this release's shape. Raises NotMigrated, NoVersionOfOurShape."""
    connection = await one_connection(url)
    try:
        live: str | None = await connection.fetchval(statement)
    except asyncpg.UndefinedTableError:
        sentence = (
            "the read database is not of this release: run `python -m goal_ledger_projection migrate` first"
        )
        raise NotMigrated(sentence) from None
    finally:
        await connection.close()
    if live is None:
        raise NoVersionOfOurShape
    return live


async def refuse_unsafe_durability(url: str) -> None:
    """Raises SystemExit when the server may lose or tear what it acknowledged."""
    connection = await one_connection(url)
    try:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            if await connection.fetchval(f"SHOW {setting}") == "off":
                raise SystemExit(
                    f"the read database runs with {setting}=off; ALLOW_UNSAFE_DURABILITY=true accepts it"
                )
    finally:
        await connection.close()


async def _pool(url: str, projection: str, limits: SessionLimits, **more: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=POOL_CONNECTIONS_MAX,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={
            "search_path": projection,
            **limits.server_settings("worker"),
            **KEY_LOOKUPS_ONLY,
            **more,
        },
    )
