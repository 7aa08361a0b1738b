"""How changes reach the tables: ends of earlier rows by one UPDATE per table, new rows by COPY.

All of it runs in the caller's transaction, on a connection whose `search_path` is the projection version.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, TypeAlias

import asyncpg

from goal_ledger_projection.read_models import check_ins, definitions, facts, readings, value_rows
from goal_ledger_projection.read_models.changes import Changes, Ending

PIECE_LINES = 500
"""Lines sent at a time: the event loop gets a turn between pieces."""

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"


async def write(connection: Connection, changes: Changes) -> None:
    """Write what a batch changes."""
    for model, ending in _ending(changes):
        if ending.ends:
            await connection.execute(model.ENDS, *_columns(ending.ends))
    await copy(connection, "facts", facts.COLUMNS, changes.facts)
    for model, ending in _ending(changes):
        await copy(connection, _table(model), model.COLUMNS, ending.lines)


async def copy(connection: Connection, table: str, columns: Sequence[str], lines: list[str]) -> None:
    """Add rows written in COPY's text form."""
    if lines:
        await connection.copy_to_table(table, source=_pieces(lines), columns=columns, format="text")


async def _pieces(lines: list[str]) -> AsyncIterator[bytes]:
    for start in range(0, len(lines), PIECE_LINES):
        yield "".join(lines[start : start + PIECE_LINES]).encode()


def _ending(changes: Changes) -> Iterable[tuple[Any, Ending[Any]]]:
    return (
        (definitions, changes.definitions),
        (check_ins, changes.check_ins),
        (value_rows, changes.value_rows),
        (readings, changes.readings),
    )


def _table(model: Any) -> str:
    return str(model.__name__.rpartition(".")[2])


def _columns(ends: dict[tuple[Any, ...], int]) -> list[list[Any]]:
    """The keys' members and the ending seqs, as one array per column."""
    return [list(column) for column in zip(*((*key, seq) for key, seq in ends.items()), strict=True)]
