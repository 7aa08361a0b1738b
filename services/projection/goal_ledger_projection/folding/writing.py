"""How changes reach the tables: ends of earlier rows by one UPDATE per table, new rows by COPY.

All of it runs in the caller's transaction, on a connection whose `search_path` is the projection version.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import asyncpg

from goal_ledger_projection.read_models import (
    check_ins,
    definitions,
    facts,
    reading_sums,
    readings,
    sequences,
    value_rows,
)
from goal_ledger_projection.read_models.changes import Changes, Ending

TABLES = ("facts", "definitions", "check_ins", "value_rows", "readings", "sequences")
"""The tables of the read models."""

OF_THE_LOG = (*TABLES, "reading_sums", "checked_heads")
"""The tables whose rows follow from one epoch's log."""

DISCARD_TIMEOUT_S = 240
"""The rows of a large workspace are not deleted within the usual limit of a statement."""

PIECE_LINES = 500
"""Lines sent at a time: the event loop gets a turn between pieces."""

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"


class RowWriter(Protocol):
    """How the rows of a version are changed: as in `IndexedRows`, or while a rebuild has no indexes yet."""

    async def write(self, connection: Connection, changes: Changes) -> None:
        """Write what a batch changes."""

    async def discard(self, connection: Connection, workspace: str) -> None:
        """Take away every row of a workspace: its log was replaced by a new epoch's."""


class IndexedRows:
    """The usual way, with all indexes there."""

    async def write(self, connection: Connection, changes: Changes) -> None:
        for model, ending in endings(changes):
            if ending.ends:
                ended = await connection.fetch(model.ENDS, *columns_of(ending.ends))
                if model is readings:
                    _note_ended(ended, changes)
        await add_rows(connection, changes)
        await reading_sums.write(connection, changes.reading_sums)

    async def discard(self, connection: Connection, workspace: str) -> None:
        await connection.execute(f"SET LOCAL statement_timeout = '{DISCARD_TIMEOUT_S}s'")
        await delete_workspace(connection, OF_THE_LOG, workspace)
        await connection.execute("SET LOCAL statement_timeout TO DEFAULT")


def _note_ended(ended: Iterable[asyncpg.Record], changes: Changes) -> None:
    for row in ended:
        if row["state"] == readings.LIVE:
            changes.reading_sums.end(row["workspace"], row["feed"], row["unit"], row["hour"])


INDEXED_ROWS = IndexedRows()


async def add_rows(connection: Connection, changes: Changes) -> None:
    """The new rows of a batch."""
    await copy(connection, "facts", facts.COLUMNS, changes.facts)
    await copy(connection, "sequences", sequences.COLUMNS, changes.sequences)
    for model, ending in endings(changes):
        await copy(connection, table_of(model), model.COLUMNS, ending.lines)


async def delete_workspace(connection: Connection, tables: Iterable[str], workspace: str) -> None:
    """Take its rows out of these tables."""
    for table in tables:
        await connection.execute(f"DELETE FROM {table} WHERE workspace = $1", workspace)


async def copy(connection: Connection, table: str, columns: Sequence[str], lines: list[str]) -> None:
    """Add rows written in COPY's text form."""
    if lines:
        await connection.copy_to_table(table, source=_pieces(lines), columns=columns, format="text")


async def _pieces(lines: list[str]) -> AsyncIterator[bytes]:
    for start in range(0, len(lines), PIECE_LINES):
        yield "".join(lines[start : start + PIECE_LINES]).encode()


def endings(changes: Changes) -> Iterable[tuple[Any, Ending[Any]]]:
    return (
        (definitions, changes.definitions),
        (check_ins, changes.check_ins),
        (value_rows, changes.value_rows),
        (readings, changes.readings),
    )


def table_of(model: Any) -> str:
    return str(model.__name__.rpartition(".")[2])


def columns_of(ends: dict[tuple[Any, ...], int]) -> list[list[Any]]:
    """The keys' members and the ending seqs, as one array per column."""
    return [list(column) for column in zip(*((*key, seq) for key, seq in ends.items()), strict=True)]
