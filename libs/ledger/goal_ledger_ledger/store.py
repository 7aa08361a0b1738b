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
from goal_ledger_database.pulse import Pulse
from goal_ledger_database.sessions import CONNECT_TIMEOUT_S, USUAL, SessionLimits
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from goal_ledger_ledger.lineage import Lineage, NotTheSame

if TYPE_CHECKING:
    Raw = asyncpg.Connection[asyncpg.Record]

COMMAND_TIMEOUT_S = 30.0
"""No transaction on the ledger database lives longer: the hot row of a head would bloat."""

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
    # a database that is being restored in place: not there, half there, not granted yet
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCachedStatementError,
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


_ABOUT_THE_DATA = ("22", "23", "54")
"""SQLSTATE classes: data exception, integrity constraint, program limit. All others say nothing of what was written."""


def blames_the_data(failure: asyncpg.PostgresError) -> bool:
    """Whether the server refused what was to be written, and will whenever it is sent."""
    return str(failure.sqlstate)[:2] in _ABOUT_THE_DATA


class UnsafeDurability(Exception):
    """The server may lose what it has acknowledged; the message names the settings."""


class Database(AsyncEngine):
    """A pool of connections; with a pulse, one that does not wait for a server that hangs."""

    def __init__(self, pool: AsyncEngine) -> None:
        super().__init__(pool.sync_engine)
        self.pulse: Pulse | None = None
        self.lineage: Lineage | None = None
        self.in_use: set[Raw] = set()

    def watch(self, pulse: Pulse) -> None:
        """When the server falls silent, break the connections in use, and open none until it answers again."""
        self.pulse = pulse
        pulse.tell(self._break)

    def need_answering(self) -> None:
        """Raises :class:`Unreachable` while the server is silent."""
        if self.pulse is not None and self.pulse.silent_because is not None:
            raise Unreachable(f"The database cannot be reached: {self.pulse.silent_because}")

    async def need_same(self, raw: Raw) -> None:
        """Raises :class:`Unreachable` where this is not the database that was compared with Kafka."""
        if self.lineage is not None:
            try:
                await self.lineage.need_same(raw)
            except NotTheSame as other:
                raise Unreachable(str(other)) from other

    def _break(self) -> None:
        for raw in list(self.in_use):
            raw.terminate()


def create_engine(
    url: str, *, application: str, connections: int = 10, limits: SessionLimits = USUAL
) -> Database:
    """A pool for a plain ``postgresql://`` address. Nothing is opened yet.

    ``enable_seqscan=off`` and ``force_generic_plan``: every statement here goes by key and is prepared once; a plan
    made while a table was small must not read the whole of it once it has grown, nor be made anew for every batch.
    """
    pool = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=CONNECT_TIMEOUT_S,
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {
                "enable_seqscan": "off",
                "jit": "off",
                "plan_cache_mode": "force_generic_plan",
                "timezone": "UTC",
                **limits.server_settings(application),
            },
        },
    )
    return Database(pool)


@asynccontextmanager
async def raw_connection(engine: AsyncEngine, *, same: bool = True) -> AsyncIterator[Raw]:
    """A pooled connection's asyncpg connection; one that broke is thrown away, not handed on.

    ``same`` False: also to a database that was not compared with Kafka yet, for the comparison itself.

    Raises:
        Unreachable: none could be had.
    """
    async with _in_use(engine, same) as (_, raw):
        yield raw


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """As :func:`raw_connection`, for statements of SQLAlchemy Core: they are one transaction. What the database says is
    raised as asyncpg's errors here too."""
    async with _in_use(engine, same=True) as (connection, _):
        try:
            async with connection.begin():
                yield connection
        except DBAPIError as failure:
            raise _of_asyncpg(failure) from failure


def _of_asyncpg(failure: DBAPIError) -> BaseException:
    said = failure.orig.__cause__ if failure.orig is not None else None
    return failure if said is None else said


@asynccontextmanager
async def _in_use(engine: AsyncEngine, same: bool) -> AsyncIterator[tuple[AsyncConnection, Raw]]:
    connection, raw = await _open(engine, same)
    in_use = engine.in_use if isinstance(engine, Database) else set()
    in_use.add(raw)
    try:
        yield connection, raw
    except BaseException as failure:
        if connection_lost(failure) or raw.is_closed() or not isinstance(failure, Exception):
            with contextlib.suppress(Exception):
                await connection.invalidate()
        raise
    finally:
        in_use.discard(raw)
        # What was committed is committed: a connection that cannot be handed back must not make it look otherwise.
        with contextlib.suppress(Exception):
            await connection.close()


async def _open(engine: AsyncEngine, same: bool) -> tuple[AsyncConnection, Raw]:
    """A connection that is not known to be closed: those that the server left are dropped on the way."""
    while True:
        if isinstance(engine, Database):
            engine.need_answering()
        try:
            connection = await engine.connect()
            raw = cast("Raw", (await connection.get_raw_connection()).driver_connection)
            if same and isinstance(engine, Database) and not raw.is_closed():
                await _admitted(engine, connection, raw)
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


async def _admitted(engine: Database, connection: AsyncConnection, raw: Raw) -> None:
    """A new connection is looked at once: a restore breaks those that were open. Raises as ``need_same``."""
    if "admitted" in connection.info:
        return
    try:
        await engine.need_same(raw)
    except BaseException:
        with contextlib.suppress(Exception):
            await connection.invalidate()
            await connection.close()
        raise
    connection.info["admitted"] = True


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
