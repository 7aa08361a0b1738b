"""Two projection versions compared at equal position: counts and order-free checksums per table.

Rows are append-only but for `ended_seq`, so a version can be looked at as it was at an earlier position: rows with a
lower seq, and of their ends those with a lower seq. Each workspace is compared at the lower of its two positions,
while both versions go on. The checksum is the sum of a 64-bit hash of every row, so that order plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table

from goal_ledger_projection.tables import read
from goal_ledger_projection.writing import TABLES, Connection


@dataclass(frozen=True, slots=True)
class Sum:
    """Of one table of one version."""

    rows: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of two versions; equal when every table is, and no workspace had to be left out."""

    sums: dict[str, tuple[Sum, Sum]]
    left_out: list[str]
    """Workspaces that only one version has, or that stand in different epochs."""

    @property
    def is_equal(self) -> bool:
        return not self.left_out and all(one == other for one, other in self.sums.values())


async def compare(connection: Connection, one: str, other: str) -> Comparison:
    """Compare two versions; reads one snapshot of the database."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        left_out = await connection.fetch(_left_out(one, other))
        sums = {
            name: (
                await _sum(connection, one, other, name, one),
                await _sum(connection, one, other, name, other),
            )
            for name in TABLES
        }
    return Comparison(sums, [row[0] for row in left_out])


async def _sum(connection: Connection, one: str, other: str, table: str, schema: str) -> Sum:
    row = await connection.fetchrow(
        f"""
        WITH upto AS ({_upto(one, other)})
        SELECT count(*), coalesce(sum(hashtextextended(ROW({_columns(read.tables[table])})::text, 0)::numeric), 0)
        FROM {schema}.{table} t JOIN upto USING (workspace) WHERE t.seq < upto.next_seq
        """
    )
    assert row is not None
    return Sum(row[0], int(row[1]))


def _columns(table: Table) -> str:
    def column(name: str) -> str:
        return (
            "CASE WHEN t.ended_seq < upto.next_seq THEN t.ended_seq END"
            if name == "ended_seq"
            else f"t.{name}"
        )

    return ", ".join(column(one.name) for one in table.columns)


def _upto(one: str, other: str) -> str:
    return f"""
        SELECT a.workspace, least(a.next_seq, b.next_seq) AS next_seq
        FROM {one}.positions a JOIN {other}.positions b ON a.workspace = b.workspace AND a.epoch = b.epoch
        WHERE a.projection = '{one}' AND b.projection = '{other}'
    """


def _left_out(one: str, other: str) -> str:
    return f"""
        SELECT workspace FROM (SELECT workspace FROM {one}.positions UNION SELECT workspace FROM {other}.positions) w
        WHERE workspace NOT IN (SELECT workspace FROM ({_upto(one, other)}) u) ORDER BY 1
    """
