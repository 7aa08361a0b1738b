"""One request, one snapshot: everything an answer says is read in one REPEATABLE READ transaction with its position.

The live projection version is a schema. Its name is kept in memory and put into `search_path` as the transaction
begins; the first statement reads the name again in the same snapshot, and if another version is live by now, the
transaction is begun anew. So a switch needs no restart, and costs no extra round trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg
from goal_ledger_contracts.position import Position
from goal_ledger_database.pulse import Pulse
from goal_ledger_database.sessions import CONNECT_TIMEOUT_S

from goal_ledger_projection.database import KEY_LOOKUPS_ONLY, NoVersionOfOurShape
from goal_ledger_projection.projections import LIVE
from goal_ledger_projection.read_models.definitions import CONTEXT_FACTS
from goal_ledger_projection.settings import SnapshotSettings

_OPENING = f"""
SELECT ({LIVE}) AS live, p.epoch, p.next_seq, p.rebuilding,
       f.recorded_at, k.reason AS parked, c.seq AS touched,
       d.body AS credential, a.body AS access, s.body['retired'] = 'true'::jsonb AS retired,
       s.body['shredded'] = 'true'::jsonb OR s.body->>'left_at' IS NOT NULL AS gone
FROM (SELECT $1::text AS workspace) w
LEFT JOIN positions p ON p.workspace = w.workspace AND p.projection = $2
LEFT JOIN LATERAL (SELECT f.recorded_at FROM facts f WHERE f.workspace = $1 AND f.seq = p.next_seq - 1 LIMIT 1) f ON true
LEFT JOIN parked k ON k.workspace = w.workspace AND k.projection = $2
LEFT JOIN LATERAL (SELECT c.seq FROM facts c
                   WHERE c.workspace = $1 AND c.seq > $5 AND c.seq < p.next_seq AND c.type = ANY ($6)
                   ORDER BY c.seq LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT d.body, d.body->>'holder' AS holder FROM definitions d
                   WHERE d.workspace = $1 AND d.kind = $3 AND d.id = $4 ORDER BY d.seq DESC LIMIT 1) d ON true
LEFT JOIN LATERAL (SELECT s.body FROM definitions s
                   WHERE s.workspace = $1 AND s.kind = split_part(d.holder, '/', 1) AND s.id = split_part(d.holder, '/', 2)
                   ORDER BY s.seq DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT a.body FROM definitions a WHERE a.workspace = $1 AND a.kind = 'access' AND a.id = d.holder
                   ORDER BY a.seq DESC LIMIT 1) a ON true
"""
"""Where the workspace stands, who holds the credential, and whether a context known up to `$5` still holds: in one
statement, because every round trip to the database costs as much as what it asks."""
_POSITIONS = (
    "SELECT workspace, epoch, next_seq FROM {}.positions WHERE projection = $1 AND workspace = ANY ($2)"
)

SETTINGS = KEY_LOOKUPS_ONLY
"""Of every connection."""
ACQUIRE_TIMEOUT_S = 4.0
"""A question that gets no connection in so long is answered 503."""

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]
Row = asyncpg.Record


class Silent(OSError):
    """The read database does not answer."""


class TooMuch(Exception):
    """A page holds more bytes than fit: ask for fewer rows."""


@dataclass(frozen=True, slots=True)
class Asker:
    """What opens a snapshot: the workspace and the definition (kind, id) of a credential in it.

    `context_seq`: up to where the workspace's context is in memory, None if it is not.
    """

    workspace: str
    kind: str
    id: str
    context_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """The newest definitions, as JSON, of a credential and of its holder's access; None where there is none.

    A system may be retired; a person may have left, or be shredded.
    """

    credential: str | None
    access: str | None
    is_retired: bool
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A workspace as one transaction sees it. `position` None: nothing of it is known here.

    `context_holds_since`: no fact after that seq is of a kind that all goals may depend on; None: it is not known.
    """

    connection: Connection
    workspace: str
    position: Position | None
    recorded_at: datetime | None
    rebuilding: bool
    parked: str | None
    holding: Holding
    context_holds_since: int | None

    async def fetch(self, statement: str, *values: Any) -> Sequence[Row]:
        """Rows of a statement whose `$1` is the workspace."""
        return await self.connection.fetch(statement, self.workspace, *values)

    async def first(self, statement: str, *values: Any) -> Row | None:
        """Its first row."""
        return await self.connection.fetchrow(statement, self.workspace, *values)

    async def copied(self, statement: str, *values: Any, bytes_max: int | None) -> bytes:
        """Its rows as CSV, many times as fast as rows one by one. Raises TooMuch beyond `bytes_max` (what comes then is
        read and not kept: asyncpg does not survive an error in the middle)."""
        found, size = bytearray(), 0

        async def take(some: bytes) -> None:
            nonlocal size
            size += len(some)
            if bytes_max is None or size <= bytes_max:
                found.extend(some)

        await self.connection.copy_from_query(statement, self.workspace, *values, output=take, format="csv")
        if len(found) < size:
            raise TooMuch
        return bytes(found)


class ReadDatabase:
    """The pool of connections to the read database."""

    def __init__(self, settings: SnapshotSettings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool[Any] | None = None
        self._live: str | None = None
        skew = settings.clock_skew_max_seconds
        self.pulse = Pulse("read", settings.read_database_url, skew_max_s=skew)
        self.pulse.tell(self._break)
        self._in_use: set[Connection] = set()
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the pool. Raises OSError or asyncpg errors while the database is away."""
        self._pool = await asyncpg.create_pool(
            self._settings.read_database_url,
            min_size=self._settings.min_connections,
            max_size=self._settings.max_connections,
            server_settings={
                **self._settings.database_limits.server_settings("goal-ledger-query"),
                **SETTINGS,
            },
            reset=_nothing_to_reset,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=self._settings.database_statement_timeout_ms / 1000 + 5,
        )
        self._beating = asyncio.create_task(self.pulse.run(), name="pulse")
        self._live = await self.pool.fetchval(LIVE)

    async def close(self) -> None:
        """Close the pool."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        if self._pool is not None:
            await self._pool.close()

    @property
    def pool(self) -> asyncpg.Pool[Any]:
        """Raises RuntimeError before :meth:`start`."""
        if self._pool is None:
            raise RuntimeError("the read database is not open")
        return self._pool

    async def live(self) -> str:
        """The version that is asked. Raises NoVersionOfOurShape."""
        if self._live is None:
            self._live = await self.pool.fetchval(LIVE)
        if self._live is None:
            raise NoVersionOfOurShape
        return self._live

    @asynccontextmanager
    async def snapshot(self, asker: Asker) -> AsyncIterator[Snapshot]:
        """A read-only snapshot of one workspace. Raises Silent while the server does not answer."""
        async with self._acquired() as connection:
            try:
                yield await self._begin(connection, asker)
            finally:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Connection]:
        """One of the pool's; it breaks when the server falls silent."""
        if self.pulse.silent_because is not None:
            raise Silent(self.pulse.silent_because)
        async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            self._in_use.add(connection)
            try:
                yield connection
            finally:
                self._in_use.discard(connection)

    def _break(self) -> None:
        for connection in list(self._in_use):
            connection.terminate()

    async def _begin(self, connection: Connection, asker: Asker) -> Snapshot:
        while True:
            live = await self.live()
            await connection.execute(
                f'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO "{live}"'
            )
            row = await connection.fetchrow(
                _OPENING, asker.workspace, live, asker.kind, asker.id, asker.context_seq, CONTEXT_FACTS
            )
            assert row is not None
            if row["live"] == live:
                return _snapshot(connection, asker, row)
            await connection.execute("ROLLBACK")
            self._live = row["live"]

    async def positions(self, workspaces: Sequence[str]) -> dict[str, Position]:
        """How far each workspace is folded; one that is not known here is left out."""
        live = await self.live()
        statement = _POSITIONS.format(f'"{live}"')
        async with self._acquired() as connection:
            rows = await connection.fetch(statement, live, list(workspaces))
        return {row[0]: Position(row[1], row[2] - 1) for row in rows}


def _snapshot(connection: Connection, asker: Asker, row: Row) -> Snapshot:
    holding = Holding(row["credential"], row["access"], bool(row["retired"]), bool(row["gone"]))
    if row["epoch"] is None:
        return Snapshot(connection, asker.workspace, None, None, False, None, holding, None)
    return Snapshot(
        connection,
        asker.workspace,
        Position(row["epoch"], row["next_seq"] - 1),
        row["recorded_at"],
        row["rebuilding"],
        row["parked"],
        holding,
        asker.context_seq if row["touched"] is None else None,
    )


async def _nothing_to_reset(_: Connection) -> None:
    """Nothing is ever set for a whole session, and every transaction is ended by who began it."""
