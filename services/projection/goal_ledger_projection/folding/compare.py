"""Two projection versions compared at equal position: counts and order-free checksums per table.

Rows are append-only but for `ended_seq`, so a version can be looked at as it was at an earlier position: rows with a
lower seq, and of their ends those with a lower seq. Each workspace is compared at the lower of its two positions,
while both versions go on. The checksum is the sum of a 64-bit hash of every row, so that order plays no part.

Versions of different shapes are compared by the tables and columns that both have; the others are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from goal_ledger_projection.folding.writing import TABLES, Connection

EXAMPLES = 3
"""Rows shown of a table that differs, of each version."""
_NOT_SAID = ("bytes",)
"""Columns that examples leave out: personal text is sealed there, and nobody reads them."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Of one table of one version."""

    rows: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that one version has and the other has not, a few of each, as text."""

    one: list[str]
    other: list[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of two versions; equal when every table is, and no workspace had to be left out."""

    sums: dict[str, tuple[Sum, Sum]]
    left_out: list[str]
    """Workspaces that only one version has, or that stand in different epochs."""
    differences: dict[str, Difference]
    """By table that differs."""
    not_compared: list[str]
    """Tables and columns (`table.column`) that only one version has."""

    @property
    def is_equal(self) -> bool:
        return self.is_equal_but_for(())

    def is_equal_but_for(self, tables: tuple[str, ...]) -> bool:
        """Whether nothing differs but in these tables."""
        return not self.left_out and all(name in tables for name in self.differences)


async def compare(connection: Connection, one: str, other: str) -> Comparison:
    """Compare two versions; reads one snapshot of the database."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        left_out = await connection.fetch(_left_out(one, other))
        common, not_compared = _in_common(await _columns(connection, one), await _columns(connection, other))
        sums: dict[str, tuple[Sum, Sum]] = {}
        differences: dict[str, Difference] = {}
        for name, columns in common.items():
            upto = _upto(one, other)
            sides = [rows_upto(upto, name, schema, columns) for schema in (one, other)]
            sums[name] = (await sum_of(connection, sides[0]), await sum_of(connection, sides[1]))
            if sums[name][0] != sums[name][1]:
                said = [column for column in columns if column not in _NOT_SAID]
                shown = [rows_upto(upto, name, schema, said) for schema in (one, other)]
                differences[name] = Difference(
                    await _only_in(connection, *shown), await _only_in(connection, *reversed(shown))
                )
    return Comparison(sums, [row[0] for row in left_out], differences, not_compared)


async def _columns(connection: Connection, schema: str) -> dict[str, list[str]]:
    """Of each table of the read models that the version has, its columns."""
    rows = await connection.fetch(
        """
        SELECT table_name::text, array_agg(column_name::text ORDER BY column_name)
        FROM information_schema.columns WHERE table_schema = $1 AND table_name = ANY ($2) GROUP BY 1
        """,
        schema,
        list(TABLES),
    )
    return {row[0]: list(row[1]) for row in rows}


def _in_common(
    one: dict[str, list[str]], other: dict[str, list[str]]
) -> tuple[dict[str, list[str]], list[str]]:
    common = {
        name: [c for c in one[name] if c in other[name]] for name in TABLES if name in one and name in other
    }
    tables = sorted(one.keys() ^ other.keys())
    columns = [f"{name}.{c}" for name in common for c in sorted(set(one[name]) ^ set(other[name]))]
    return common, tables + columns


async def sum_of(connection: Connection, rows: str) -> Sum:
    """Of rows that `rows_upto` tells."""
    row = await connection.fetchrow(
        f"SELECT count(*), coalesce(sum(hashtextextended(r.line, 0)::numeric), 0) FROM ({rows}) r"
    )
    assert row is not None
    return Sum(row[0], int(row[1]))


async def _only_in(connection: Connection, these: str, those: str) -> list[str]:
    rows = await connection.fetch(f"({these}) EXCEPT ALL ({those}) ORDER BY 1 LIMIT {EXAMPLES}")
    return [row[0] for row in rows]


def rows_upto(upto: str, table: str, schema: str, columns: Sequence[str]) -> str:
    """The rows of a version's table as one text each, as they were at the positions (workspace, next_seq) of `upto`."""

    def column(name: str) -> str:
        ends_later = "CASE WHEN t.ended_seq < upto.next_seq THEN t.ended_seq END"
        return ends_later if name == "ended_seq" else f"t.{name}"

    return f"""
        SELECT ROW({", ".join(map(column, columns))})::text AS line
        FROM {schema}.{table} t JOIN ({upto}) upto USING (workspace) WHERE t.seq < upto.next_seq
    """


def _upto(one: str, other: str) -> str:
    return f"""
        SELECT a.workspace, least(a.next_seq, b.next_seq) AS next_seq
        FROM {one}.positions a JOIN {other}.positions b ON a.workspace = b.workspace AND a.epoch = b.epoch
        WHERE a.projection = '{one}' AND b.projection = '{other}'
    """


def _left_out(one: str, other: str) -> str:
    return f"""
        SELECT workspace FROM (SELECT workspace FROM {one}.positions WHERE next_seq > 1
                               UNION SELECT workspace FROM {other}.positions WHERE next_seq > 1) w
        WHERE workspace NOT IN (SELECT workspace FROM ({_upto(one, other)}) u) ORDER BY 1
    """
