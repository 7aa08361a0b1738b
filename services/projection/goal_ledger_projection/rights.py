"""What the database role of each process may do in the read database.

The role that migrates owns everything, and is the one that rebuilds, switches and drops versions. The worker writes
rows of every version there is or will be; the query process, the one that tells `goals.changed` and the reconciler read
them, and the second writes how far it has told. None makes a table, but for the reconciler's temporary ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from goal_ledger_projection.tables import goals_told, goals_told_offsets, goals_told_to

_WRITE = "SELECT, INSERT, UPDATE, DELETE"
RIGHTS = {"worker": _WRITE, "query": "SELECT", "changed": "SELECT", "reconciler": "SELECT"}
"""By process: on the tables of every version. Which version is live, all only read."""
OF_CHANGED = [str(table) for table in (goals_told, goals_told_offsets, goals_told_to)]
"""The tables that `changed` writes, and nobody else."""


def grants(versions: Iterable[str], roles: Mapping[str, str | None]) -> Iterator[str]:
    """The statements that give each role its process's rights in these versions and in later ones.

    Raises:
        ValueError: a role's name holds a quotation mark.
    """
    schemas = ", ".join(f'"{version}"' for version in versions)
    for process, role in roles.items():
        if role is None:
            continue
        if '"' in role:
            raise ValueError(f"not a role's name: {role}")
        rights, to = RIGHTS[process], f'TO "{role}"'
        yield f"GRANT USAGE ON SCHEMA public, {schemas} {to}"
        yield f"GRANT SELECT ON ALL TABLES IN SCHEMA public {to}"
        yield f"GRANT {rights} ON ALL TABLES IN SCHEMA {schemas} {to}"
        yield f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS {to}"
        yield f"ALTER DEFAULT PRIVILEGES GRANT {rights} ON TABLES {to}"
        if process == "changed":
            yield f"GRANT {_WRITE} ON {', '.join(OF_CHANGED)} {to}"
        if process == "reconciler":
            yield _TEMPORARY.format(role=role)


_TEMPORARY = """
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO "{role}"', current_database()); END $$
"""
