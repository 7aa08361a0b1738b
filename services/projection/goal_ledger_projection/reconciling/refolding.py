"""The read models' rows against what their facts amount to: a workspace is folded again, into tables of this session alone.

The tables are temporary ones of the same names, before the version's own in `search_path`: so the statements and the fold
that workers use write there, memory stays bounded, and PostgreSQL compares the two by checksums, then by rows. Only facts
whose hashes were found right are folded. Rows are looked at as they were at the position folded to, while workers go on.

A workspace that has not moved is not folded again: its checksums are those of the rows found right before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain

from goal_ledger_contracts.position import Position
from goal_ledger_database.sessions import LONG_WORK

from goal_ledger_projection.database import KEY_LOOKUPS_ONLY, one_connection
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.compare import Sum, rows_upto, sum_of
from goal_ledger_projection.folding.loading import load
from goal_ledger_projection.folding.writing import INDEXED_ROWS, TABLES, Connection
from goal_ledger_projection.metadata import read
from goal_ledger_projection.read_models.fact import FactRead
from goal_ledger_projection.read_models.facts import PAGE_OF_LOG
from goal_ledger_projection.read_models.fold import fold, touched_definitions, touched_readings
from goal_ledger_projection.reconciling.findings import NAMED_MAX, READ, Mismatch

PAGE_FACTS = 2000
REFOLDED = (*TABLES, "reading_sums")
UPTO = "SELECT workspace, next_seq FROM pg_temp.upto"
TableSums = dict[str, Sum]


class MovedMeanwhile(Exception):
    """The workspace is folded anew, along another epoch or from its beginning: nothing can be said of its rows now."""


@dataclass(slots=True)
class KnownSums:
    """By workspace, the checksums of rows that were found right, at a position of a version."""

    _sums: dict[str, tuple[str, Position, TableSums]] = field(default_factory=dict)

    def at(self, workspace: str, version: str, position: Position) -> TableSums | None:
        known = self._sums.get(workspace)
        return known[2] if known is not None and known[:2] == (version, position) else None

    def keep(self, workspace: str, version: str, position: Position, sums: TableSums) -> None:
        self._sums[workspace] = (version, position, sums)


async def compare_rows(
    url: str, version: str, workspace: str, position: Position, known: KnownSums
) -> list[Mismatch]:
    """The rows of `version` that differ from what the facts up to `position` amount to.

    Raises MovedMeanwhile, CannotApply, and what asyncpg raises.
    """
    async with _session(url, version) as connection:
        await connection.execute("CREATE TEMP TABLE upto (workspace text, next_seq bigint)")
        await connection.execute("INSERT INTO pg_temp.upto VALUES ($1, $2)", workspace, position.seq + 1)
        right = known.at(workspace, version, position)
        if right is not None and right == await _sums(connection, version, version, position):
            return []
        await _refold(connection, version, workspace, position.seq)
        right = await _sums(connection, "pg_temp", version, position)
        found: list[Mismatch] = []
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            there = await _sums(connection, version, version, position)
            for table in REFOLDED:
                if there[table] != right[table]:
                    found += await _differing(connection, version, table, workspace)
        if not found:
            known.keep(workspace, version, position, right)
        return found


@asynccontextmanager
async def _session(url: str, version: str) -> AsyncIterator[Connection]:
    connection = await one_connection(url, LONG_WORK)
    try:
        await connection.execute(f"SET search_path TO pg_temp, {version}")
        yield connection
    finally:
        await connection.close()


async def _refold(connection: Connection, version: str, workspace: str, seq: int) -> None:
    for table in REFOLDED:
        await connection.execute(
            f"CREATE TEMP TABLE {table} (LIKE {version}.{table} INCLUDING DEFAULTS INCLUDING INDEXES)"
        )
    for name, value in KEY_LOOKUPS_ONLY.items():
        await connection.execute(f"SET {name} TO '{value}'")
    after = 0
    while after < seq:
        rows = await connection.fetch(PAGE_OF_LOG.format(version=version), workspace, after, seq, PAGE_FACTS)
        if not rows:
            raise MovedMeanwhile
        many = [FactRead(workspace, one, stored) for one, stored in rows]
        loaded = await load(connection, touched_definitions(many), touched_readings(many), {})
        async with connection.transaction():
            await INDEXED_ROWS.write(connection, fold(many, loaded))
        after = rows[-1][0]
    for name in KEY_LOOKUPS_ONLY:
        await connection.execute(f"SET {name} TO DEFAULT")


async def _sums(connection: Connection, schema: str, version: str, position: Position) -> TableSums:
    """Of each table, as it was at the position. Raises MovedMeanwhile if the version does not stand there any more."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path TO {version}")
        workspace = await connection.fetchval("SELECT workspace FROM pg_temp.upto")
        standing = await positions.standing(connection, version, workspace)
        if (
            standing is None
            or standing.folded.epoch != position.epoch
            or standing.folded.next_seq <= position.seq
        ):
            raise MovedMeanwhile
        return {table: await sum_of(connection, _rows(version, schema, table)) for table in REFOLDED}


async def _differing(connection: Connection, version: str, table: str, workspace: str) -> list[Mismatch]:
    key = [column.name for column in read.tables[table].primary_key if column.name != "workspace"]
    there, right = (_keyed(version, schema, table, key) for schema in (version, "pg_temp"))
    more = await connection.fetch(_only_in(there, right))
    less = await connection.fetch(_only_in(right, there))
    keys = dict.fromkeys(row[0] for row in chain(more, less))
    of_more, of_less = ({row[0] for row in rows} for rows in (more, less))
    return [
        Mismatch(READ, f"{version}.{table}", workspace, named, _what(named in of_more, named in of_less))
        for named in list(keys)[:NAMED_MAX]
    ]


def _what(is_there: bool, is_right: bool) -> str:
    if is_there and is_right:
        return "the row is not what its facts amount to"
    return "no fact amounts to this row" if is_there else "the row is missing"


def _columns(table: str) -> Sequence[str]:
    return [column.name for column in read.tables[table].columns]


def _rows(version: str, schema: str, table: str) -> str:
    if table in TABLES:
        return rows_upto(UPTO, table, schema, _columns(table))
    columns = ", ".join(f"t.{name}" for name in _columns(table))
    return (_SUMS_REFOLDED if schema == "pg_temp" else _SUMS_THERE).format(columns=columns, version=version)


def _keyed(version: str, schema: str, table: str, key: Sequence[str]) -> str:
    """The rows with their key in words before them: `check_in=…, seq=7`."""
    named = "concat_ws(', ', " + ", ".join(f"'{name}=' || t.{name}" for name in key) + ")"
    lines = _rows(version, schema, table)
    return lines.replace("SELECT ROW", f"SELECT {named} AS key, ROW", 1)


def _only_in(these: str, those: str) -> str:
    return f"({these}) EXCEPT ALL ({those}) ORDER BY 1 LIMIT {NAMED_MAX}"


_SUMS_THERE = f"""
SELECT ROW({{columns}})::text AS line FROM {{version}}.reading_sums t JOIN ({UPTO}) upto USING (workspace)
JOIN {{version}}.positions p ON p.projection = '{{version}}' AND p.workspace = t.workspace
WHERE t.touched_seq < upto.next_seq OR t.touched_seq >= p.next_seq
"""
_SUMS_REFOLDED = f"""
SELECT ROW({{columns}})::text AS line FROM pg_temp.reading_sums t JOIN ({UPTO}) upto USING (workspace)
WHERE NOT EXISTS (
    SELECT FROM {{version}}.reading_sums l
    JOIN {{version}}.positions p ON p.projection = '{{version}}' AND p.workspace = l.workspace
    WHERE l.workspace = t.workspace AND l.feed = t.feed AND l.grain = t.grain AND l.since = t.since AND l.unit = t.unit
      AND l.touched_seq >= upto.next_seq AND l.touched_seq < p.next_seq
)
"""
"""Sums change in place: those that a fact after the position has touched cannot be looked at as they were."""
