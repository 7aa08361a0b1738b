"""Read model `sequences`: the sequence numbers that the systems gave their readings; what is missing between them is a gap.

A number stands for having arrived, whatever became of the reading: a quarantined, rejected or retracted one is no gap.
Numbers count per feed and source. A `sequence` that is no whole number in decimal digits has no place in a series and is
left out. Rows never end: what is missing at a position is what had not arrived by then, and a late arrival closes it.
"""

from __future__ import annotations

import re

from sqlalchemy import BigInteger, Column, Numeric, Table, Text

from goal_ledger_projection.metadata import read
from goal_ledger_projection.read_models.changes import Changes, text
from goal_ledger_projection.read_models.fact import FactRead

sequences = Table(
    "sequences",
    read,
    Column("workspace", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("number", Numeric, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
)

COLUMNS = tuple(column.name for column in sequences.columns)

SOURCES_MAX = 100
NUMBERS_MAX = 100_000
"""Gaps are looked for between the highest numbers of each source, so many of them."""

GAPS = f"""
WITH RECURSIVE sources (source) AS (
    (SELECT source FROM sequences WHERE workspace = $1 AND feed = $2 ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT n.source FROM sequences n
            WHERE n.workspace = $1 AND n.feed = $2 AND n.source > s.source ORDER BY n.source LIMIT 1)
    FROM sources s WHERE s.source IS NOT NULL
)
SELECT s.source, g.after, g.before, count(*) OVER () AS gaps, sum(g.before - g.after - 1) OVER () AS missing
FROM (SELECT source FROM sources WHERE source IS NOT NULL LIMIT {SOURCES_MAX}) s
CROSS JOIN LATERAL (
    SELECT lag(number) OVER (ORDER BY number) AS after, number AS before
    FROM (SELECT number FROM sequences
          WHERE workspace = $1 AND feed = $2 AND source = s.source AND seq <= $3
          ORDER BY number DESC LIMIT {NUMBERS_MAX}) highest
) g
WHERE g.before - g.after > 1
ORDER BY s.source, g.after DESC LIMIT $4
"""
"""The gaps of feed `$2` at seq `$3`, at most `$4` of them, and how many there are: (source, after, before, gaps, missing)."""

_NUMBER = re.compile("[0-9]{1,64}")


def fold(fact: FactRead, changes: Changes) -> None:
    """Of a reading that came in: its number, if it has one."""
    number = fact.data.get("sequence")
    if number is not None and _NUMBER.fullmatch(number):
        changes.sequences.append(
            f"{fact.workspace}\t{fact.id}\t{text(fact.data['source'])}\t{number}\t{fact.seq}\n"
        )
