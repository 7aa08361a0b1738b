"""How the rows of a version are written while a rebuild has no indexes: COPY only.

Ending a row means looking it up. Without indexes the ends are put aside instead, one small table per read model, and
applied set by set when the indexes are there: a row is ended by the earliest end of its key after it, which is the one
that would have found it open. Two things are looked up while a rebuild runs, and keep their indexes: the latest
definitions, and the few readings in quarantine (whose ends are applied at once as well).
"""

from __future__ import annotations

import asyncio

from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding.writing import (
    OF_THE_LOG,
    Connection,
    add_rows,
    columns_of,
    copy,
    delete_workspace,
    endings,
    table_of,
)
from goal_ledger_projection.projections import BUILT_LATE, late_indexes_made
from goal_ledger_projection.read_models import definitions, reading_sums, readings
from goal_ledger_projection.read_models.changes import Changes, text

KEYS = {
    "check_ins": ("workspace", "check_in"),
    "value_rows": ("workspace", "check_in"),
    "readings": ("workspace", "feed", "source", "id"),
}
"""What names the rows that an end is for."""

INDEX_MEMORY_MB = 256
TABLES_AT_ONCE = 2
FINISH_STATEMENT_S = 6 * 60 * 60
"""An index over all facts there are takes its time."""


def _aside(table: str) -> str:
    return f"ends_of_{table}"


class UnindexedRows:
    """Rows of a version in the making."""

    async def write(self, connection: Connection, changes: Changes) -> None:
        if changes.definitions.ends:
            await connection.execute(definitions.ENDS, *columns_of(changes.definitions.ends))
        if changes.readings.ends:
            await connection.execute(readings.ENDS_IN_QUARANTINE, *columns_of(changes.readings.ends))
        for model, ending in endings(changes):
            table = table_of(model)
            if ending.ends and table in KEYS:
                lines = ["\t".join((*map(text, key), str(seq))) + "\n" for key, seq in ending.ends.items()]
                await copy(connection, _aside(table), (*KEYS[table], "seq"), lines)
        await add_rows(connection, changes)

    async def discard(self, connection: Connection, workspace: str) -> None:
        await delete_workspace(connection, (*OF_THE_LOG, *map(_aside, KEYS)), workspace)


async def make_room_for_ends(connection: Connection) -> None:
    """The tables of ends put aside."""
    for table, key in KEYS.items():
        columns = ", ".join(f"{name} text" for name in key)
        await connection.execute(f"CREATE UNLOGGED TABLE {_aside(table)} ({columns}, seq bigint)")


async def finish(database: WorkersDatabase) -> None:
    """Make the indexes and apply the ends put aside, two tables at a time."""
    turns = asyncio.Semaphore(TABLES_AT_ONCE)

    async def one(table: str) -> None:
        async with turns, database.connection() as connection:
            await _finish_table(connection, table)

    await asyncio.gather(*map(one, BUILT_LATE))
    async with database.connection() as connection:
        await connection.execute("ANALYZE definitions")
        for statement in reading_sums.FILL:
            await connection.execute(statement, timeout=FINISH_STATEMENT_S)
        await connection.execute("ANALYZE reading_sums")


async def _finish_table(connection: Connection, table: str) -> None:
    await connection.execute(f"SET maintenance_work_mem = '{INDEX_MEMORY_MB}MB'")
    for statement in late_indexes_made(table):
        await connection.execute(statement, timeout=FINISH_STATEMENT_S)
    if table in KEYS:
        await connection.execute(_ends_applied(table, KEYS[table]), timeout=FINISH_STATEMENT_S)
        await connection.execute(f"DROP TABLE {_aside(table)}")
    await connection.execute(f"ANALYZE {table}", timeout=FINISH_STATEMENT_S)


def _ends_applied(table: str, key: tuple[str, ...]) -> str:
    same = " AND ".join(f"e.{name} = r.{name}" for name in key)
    return f"""
    UPDATE {table} ended SET ended_seq = found.seq
    FROM (
        SELECT r.workspace, r.seq AS row_seq, {", ".join(f"r.{n}" for n in key[1:])}, min(e.seq) AS seq
        FROM {_aside(table)} e JOIN {table} r ON {same} AND e.seq > r.seq
        WHERE r.ended_seq IS NULL
        GROUP BY r.workspace, r.seq, {", ".join(f"r.{n}" for n in key[1:])}
    ) found
    WHERE ended.workspace = found.workspace AND ended.seq = found.row_seq
      AND {" AND ".join(f"ended.{n} = found.{n}" for n in key[1:])}
    """
