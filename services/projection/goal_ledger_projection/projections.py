"""The projection versions: how a schema is made, and which is live.

One version is one schema with all tables of `tables.read`. Of each shape (`shapes.py`) at most one is live; readers and
workers look up that of their own shape at the beginning of each transaction, so that a switch, or a switch back, is one
row changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Connection, Index, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateSchema

from goal_ledger_projection.shapes import SHAPE
from goal_ledger_projection.tables import projection_versions, read

LIVE = f"SELECT name FROM public.projection_versions WHERE live AND shape = '{SHAPE}'"
"""The schema of the live version of this release's shape, also the value of `positions.projection`."""

LIVE_OF_ANY_SHAPE = (
    "SELECT name FROM public.projection_versions WHERE live ORDER BY live_since DESC, name DESC LIMIT 1"
)
"""The version that went live last, whatever its shape."""

BUILT_LATE = ("facts", "value_rows", "check_ins", "readings", "sequences")
"""Tables whose indexes a rebuild makes last; the others are looked up while it runs."""

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def make_version(connection: Connection, name: str, *, indexes_last: bool = False) -> None:
    """Make schema `name` with its tables and note it in the registry, not live.

    `indexes_last`: the tables of :data:`BUILT_LATE` get neither primary key nor indexes, but for the small one of
    readings in quarantine; :func:`finish_indexes` makes them when the rows are in.
    """
    connection.execute(CreateSchema(name))
    connection.execute(text(f"SET LOCAL search_path TO {name}"))
    read.create_all(connection, checkfirst=False)
    if indexes_last:
        for statement in late_indexes_dropped():
            connection.execute(text(statement))
    connection.execute(text("SET LOCAL search_path TO DEFAULT"))
    connection.execute(projection_versions.insert().values(name=name, shape=SHAPE))


def late_indexes(table: str) -> list[Index]:
    return sorted(
        (i for i in read.tables[table].indexes if i.name != "readings_in_quarantine"),
        key=lambda i: str(i.name),
    )


def late_indexes_dropped() -> list[str]:
    """The statements that take them away, to be run with `search_path` on the version."""
    dropped = [f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey" for table in BUILT_LATE]
    return dropped + [f"DROP INDEX {index.name}" for table in BUILT_LATE for index in late_indexes(table)]


def late_indexes_made(table: str) -> list[str]:
    """The statements that make those of one table, to be run with `search_path` on the version."""
    key = ", ".join(column.name for column in read.tables[table].primary_key)
    made = [f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({key})"]
    return made + [str(CreateIndex(index).compile(dialect=_DIALECT)) for index in late_indexes(table)]


NO_ROLES: Mapping[str, str | None] = MappingProxyType({})


async def migrate(read_database_url: str, roles: Mapping[str, str | None] = NO_ROLES) -> None:
    """Bring the read database to this release's tables (`migration.py`, loaded only when it is needed: it is large)."""
    from goal_ledger_projection import migration

    await migration.migrate(read_database_url, roles)
