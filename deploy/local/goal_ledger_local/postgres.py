"""PostgreSQL for the local stack and the tests: the server, its databases, and who may enter which.

Nobody connects as the superuser, and a database admits its owner and the roles named with it: the projection cannot
read the ledger, nor the command service the read model. What a role may do there, the migrations say.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from goal_ledger_local.logins import ADMIN, Addresses
from goal_ledger_local.postgres_server import PostgresServer
from goal_ledger_local.processes import run_coroutine

APPLICATION = "application"
OTHER_OWNERS = """
SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  AND relowner >= 16384 AND pg_get_userbyid(relowner) <> $1
"""
"""Roles that own something in this database and are neither the one given nor the superuser."""


class Postgres(PostgresServer):
    """A server (see there for its life) and its databases.

    Addresses are plain `postgresql://user:password@host:port/database`, known once started.
    """

    @property
    def admin_url(self) -> str:
        """The superuser's address of the database `postgres`."""
        return self.url("postgres", ADMIN)

    def url(self, database: str, user: str = APPLICATION) -> str:
        """The address of a database for a role; `application` is a plain role that owns what `create` makes."""
        return self.addresses.url(database, user)

    @property
    def addresses(self) -> Addresses:
        """Of every database and role."""
        return Addresses(self.port, self.password)

    def start(self) -> None:
        """Start as the server does, then see to the role `application`."""
        super().start()
        run_coroutine(self._ensure_role(APPLICATION))

    async def create(self, prefix: str) -> str:
        """A fresh empty database `<prefix>_<random>`, owned by `application`; its address."""
        name = f"{prefix}_{secrets.token_hex(4)}"
        await self._as_admin(f'CREATE DATABASE "{name}" OWNER "{APPLICATION}"')
        return self.url(name)

    def ensure_database(self, name: str, owner: str, entering: Sequence[str] = ()) -> str:
        """Make the roles and the database unless they are there; the owner owns all that is in it.

        Nobody may connect but the owner and the roles `entering`. The owner's address.
        """
        run_coroutine(self._ensure_database(name, owner, entering))
        return self.url(name, owner)

    def dump(self, database: str, file: Path) -> None:
        """Write the database as it is now to a file (pg_dump, custom format)."""
        self.run("pg_dump", "-Fc", "-U", ADMIN, "-f", str(file), "-d", database, as_ourselves=True)

    def restore(self, database: str, file: Path) -> None:
        """Put the database back to a dump: its sessions are ended, it is dropped and made anew from the file."""
        run_coroutine(self._as_admin(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))
        self.run("pg_restore", "--create", "-U", ADMIN, "-d", "postgres", str(file), as_ourselves=True)

    async def _ensure_database(self, name: str, owner: str, entering: Sequence[str]) -> None:
        for role in (owner, *entering):
            await self._ensure_role(role)
        if not await self._ask("SELECT FROM pg_database WHERE datname = $1", name):
            await self._as_admin(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        await self._as_admin(f'ALTER DATABASE "{name}" OWNER TO "{owner}"')
        await self._as_admin(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
        for role in entering:
            await self._as_admin(f'GRANT CONNECT ON DATABASE "{name}" TO "{role}"')
        for (other,) in await self._ask(OTHER_OWNERS, owner, database=name):
            await self._as_admin(f'REASSIGN OWNED BY "{other}" TO "{owner}"', database=name)

    async def _ensure_role(self, name: str) -> None:
        if not await self._ask("SELECT FROM pg_roles WHERE rolname = $1", name):
            password = self.addresses.password_of(name)
            await self._as_admin(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")

    async def _ask(self, statement: str, argument: str, database: str = "postgres") -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url(database, ADMIN))
        try:
            return list(await connection.fetch(statement, argument))
        finally:
            await connection.close()

    async def _as_admin(self, statement: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(self.url(database, ADMIN))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
