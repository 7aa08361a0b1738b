"""Run inside a container of ours: what its role may do in each database that it is told of, as one JSON object."""

import asyncio
import json
import os

import asyncpg

ROLE = """
SELECT rolname AS role,
  rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication AS more_than_plain,
  ARRAY(SELECT datname::text FROM pg_database
        WHERE datallowconn AND has_database_privilege(datname, 'CONNECT')) AS enters,
  has_database_privilege(current_database(), 'CREATE') OR EXISTS (
    SELECT FROM pg_namespace
    WHERE nspname !~ '^pg_(temp|toast)' AND has_schema_privilege(oid, 'CREATE')) AS makes_tables
FROM pg_roles WHERE rolname = current_user"""
TABLES = """
SELECT nspname || '.' || relname AS name,
  has_table_privilege(c.oid, 'SELECT') AS reads, has_table_privilege(c.oid, 'INSERT') AS adds,
  has_any_column_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE')
    OR has_table_privilege(c.oid, 'TRUNCATE') AS changes
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema$)' ORDER BY 1"""


async def rights(address: str) -> dict[str, object]:
    connection = await asyncpg.connect(address)
    try:
        (role,), tables = await connection.fetch(ROLE), await connection.fetch(TABLES)
    finally:
        await connection.close()
    may = {what: [one["name"] for one in tables if one[what]] for what in ("reads", "adds", "changes")}
    return {**role, **may, "of": len(tables)}


async def main() -> None:
    addresses = {name: value for name, value in os.environ.items() if name.endswith("_DATABASE_URL")}
    found = {name.removesuffix("_DATABASE_URL").lower(): await rights(at) for name, at in addresses.items()}
    print(json.dumps(found))


asyncio.run(main())
