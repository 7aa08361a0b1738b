"""The shape of a projection version: its tables and what is folded into them.

A process serves versions of its own shape alone, because it can neither ask others nor write them; a new release whose
shape differs waits until `rebuild` has made a version of it, while processes of the release before go on with theirs.
The shape is written into the registry with the version; it is a digest of every column and key of the tables and of the
number of the fold. Indexes are no part of it: a migration gives one more to the versions that there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from goal_ledger_projection.read_models.fold import FOLD
from goal_ledger_projection.tables import read

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def described(table: Table) -> Iterator[str]:
    """A line for each column of a table, in one order, by names and types alone."""
    for column in table.columns:
        key = " key" if column.primary_key else ""
        null = "" if column.nullable else " not null"
        yield f"{table.name}.{column.name} {column.type.compile(_DIALECT)}{null}{key}"


def shape() -> str:
    """This release's shape: the number of its fold and twelve hex digits of its tables."""
    lines = "\n".join(line for table in read.sorted_tables for line in described(table))
    return f"{FOLD}-{sha256(lines.encode()).hexdigest()[:12]}"


SHAPE = shape()
