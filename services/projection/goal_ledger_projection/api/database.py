"""One request, one snapshot: everything an answer says is read in one REPEATABLE READ transaction with its position.

The live projection version is a schema. Its name is kept in memory and put into `search_path` as the transaction
begins; the first statement reads the name again in the same snapshot, and if another version is live by now, the
transaction is begun anew. So a switch needs no restart, and costs no extra round trip.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg
from goal_ledger_contracts.position import Position

from goal_ledger_projection.database import KEY_LOOKUPS_ONLY
from goal_ledger_projection.query_settings import QuerySettings

_STANDING = """
SELECT (SELECT name FROM public.projections WHERE live) AS live, p.epoch, p.next_seq, p.rebuilding,
       f.recorded_at, k.reason AS parked
FROM (SELECT $1::text AS workspace) w
LEFT JOIN positions p ON p.workspace = w.workspace AND p.projection = $2
LEFT JOIN facts f ON f.workspace = w.workspace AND f.seq = p.next_seq - 1
LEFT JOIN parked k ON k.workspace = w.workspace AND k.projection = $2
"""
_POSITIONS = (
    "SELECT workspace, epoch, next_seq FROM {}.positions WHERE projection = $1 AND workspace = ANY ($2)"
)
_LIVE = "SELECT name FROM public.projections WHERE live"

SETTINGS = KEY_LOOKUPS_ONLY
"""Of every connection."""

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]
Row = asyncpg.Record


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A workspace as one transaction sees it. `position` None: nothing of it is known here."""

    connection: Connection
    workspace: str
    position: Position | None
    recorded_at: datetime | None
    rebuilding: bool
    parked: str | None

    async def fetch(self, statement: str, *values: Any) -> Sequence[Row]:
        """Rows of a statement whose `$1` is the workspace."""
        return await self.connection.fetch(statement, self.workspace, *values)

    async def first(self, statement: str, *values: Any) -> Row | None:
        """Its first row."""
        return await self.connection.fetchrow(statement, self.workspace, *values)


class ReadDatabase:
    """The pool of connections to the read database."""

    def __init__(self, settings: QuerySettings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool[Any] | None = None
        self._live = "read_v1"

    async def start(self) -> None:
        """Open the pool. Raises OSError or asyncpg errors while the database is away."""
        self._pool = await asyncpg.create_pool(
            self._settings.read_database_url,
            min_size=self._settings.min_connections,
            max_size=self._settings.max_connections,
            server_settings={"application_name": "goal-ledger-query", **SETTINGS},
            command_timeout=self._settings.statement_timeout_ms / 1000 + 5,
        )
        self._live = await self.pool.fetchval(_LIVE) or self._live

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()

    @property
    def pool(self) -> asyncpg.Pool[Any]:
        """Raises RuntimeError before :meth:`start`."""
        if self._pool is None:
            raise RuntimeError("the read database is not open")
        return self._pool

    @asynccontextmanager
    async def snapshot(self, workspace: str) -> AsyncIterator[Snapshot]:
        """A read-only snapshot of one workspace."""
        async with self.pool.acquire() as connection:
            try:
                yield await self._begin(connection, workspace)
            finally:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")

    async def _begin(self, connection: Connection, workspace: str) -> Snapshot:
        while True:
            live = self._live
            await connection.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                f'SET LOCAL search_path TO "{live}"; '
                f"SET LOCAL statement_timeout TO {self._settings.statement_timeout_ms}"
            )
            row = await connection.fetchrow(_STANDING, workspace, live)
            assert row is not None
            if row["live"] == live:
                return _snapshot(connection, workspace, row)
            await connection.execute("ROLLBACK")
            self._live = row["live"]

    async def positions(self, workspaces: Sequence[str]) -> dict[str, Position]:
        """How far each workspace is folded; one that is not known here is left out."""
        rows = await self.pool.fetch(_POSITIONS.format(f'"{self._live}"'), self._live, list(workspaces))
        return {row[0]: Position(row[1], row[2] - 1) for row in rows}


def _snapshot(connection: Connection, workspace: str, row: Row) -> Snapshot:
    if row["epoch"] is None:
        return Snapshot(connection, workspace, None, None, False, None)
    position = Position(row["epoch"], row["next_seq"] - 1)
    return Snapshot(connection, workspace, position, row["recorded_at"], row["rebuilding"], row["parked"])
