"""Connections to the two databases, and what a database must promise before anything is written to it.

The append sends its statements through the raw asyncpg connection of a pooled one: prepared once per connection, one
round trip each, no layer per row. What all connections of the pool have in common is set when they are opened, never
on the way, so that no request can leave a setting behind for the next.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

if TYPE_CHECKING:
    Raw = asyncpg.Connection[asyncpg.Record]

LOCK_TIMEOUT_MS = 2_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_MS = 25_000
"""No transaction on the ledger database lives over 30 s: the hot row of a head would bloat."""

COMMAND_TIMEOUT_S = 30.0

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    OSError,
    TimeoutError,
)
_PASSING = (
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
)


class Unreachable(Exception):
    """No connection could be had: nothing was sent."""


_NEVER_SENT = (ValueError, TypeError, OverflowError)
"""A statement's arguments that the driver could not write down."""


def connection_lost(failure: BaseException) -> bool:
    """Whether the connection is gone, or can no longer be relied on."""
    return isinstance(failure, _LOST) and not isinstance(failure, _NEVER_SENT)


def leaves_in_doubt(failure: BaseException) -> bool:
    """Whether a statement that was under way may have taken effect nevertheless: all but the server's plain no."""
    if isinstance(failure, _NEVER_SENT):
        return False
    return connection_lost(failure) or not isinstance(failure, asyncpg.PostgresError)


def is_passing(failure: BaseException) -> bool:
    """Whether the same may succeed later: the failure is not the fault of what was written."""
    return isinstance(failure, (*_PASSING, Unreachable)) or connection_lost(failure)


class UnsafeDurability(Exception):
    """The server may lose what it has acknowledged; the message names the settings."""


def create_engine(url: str, *, application: str, connections: int = 10) -> AsyncEngine:
    """A pool for a plain ``postgresql://`` address. Nothing is opened yet.

    ``enable_seqscan=off`` and ``force_generic_plan``: every statement here goes by key and is prepared once; a plan
    made while a table was small must not read the whole of it once it has grown, nor be made anew for every batch.
    """
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=CONNECT_TIMEOUT_S,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {
                "application_name": application,
                "enable_seqscan": "off",
                "jit": "off",
                "plan_cache_mode": "force_generic_plan",
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "timezone": "UTC",
            },
        },
    )


@asynccontextmanager
async def raw_connection(engine: AsyncEngine) -> AsyncIterator[Raw]:
    """A pooled connection's asyncpg connection; one that broke is thrown away, not handed on.

    Raises:
        Unreachable: none could be had.
    """
    connection, raw = await _open(engine)
    try:
        yield raw
    except BaseException as failure:
        if connection_lost(failure) or raw.is_closed() or not isinstance(failure, Exception):
            with contextlib.suppress(Exception):
                await connection.invalidate()
        raise
    finally:
        # What was committed is committed: a connection that cannot be handed back must not make it look otherwise.
        with contextlib.suppress(Exception):
            await connection.close()


async def _open(engine: AsyncEngine) -> tuple[AsyncConnection, Raw]:
    """A connection that is not known to be closed: those that the server left are dropped on the way."""
    while True:
        try:
            connection = await engine.connect()
            raw = cast("Raw", (await connection.get_raw_connection()).driver_connection)
        except (
            SQLAlchemyError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            OSError,
            TimeoutError,
        ) as failure:
            raise Unreachable(f"The database cannot be reached: {failure}") from failure
        if not raw.is_closed():
            return connection, raw
        await connection.invalidate()
        await connection.close()


async def require_durability(engine: AsyncEngine) -> None:
    """Raises :class:`UnsafeDurability` on a server that syncs less than every commit."""
    async with raw_connection(engine) as raw:
        rows = await raw.fetch(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
        )
    unsafe = [f"{row['name']}={row['setting']}" for row in rows if row["setting"] == "off"]
    if unsafe:
        raise UnsafeDurability(
            f"The database server runs with {', '.join(sorted(unsafe))}: it may lose acknowledged facts. "
            "Set ALLOW_UNSAFE_DURABILITY=true for a test only."
        )
