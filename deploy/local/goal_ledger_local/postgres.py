"""PostgreSQL for the local stack and the tests: the server, its databases, and who may enter which.

Services never connect as the superuser, so that row level security holds for them as it does in production, and a
database admits only its owner: the projection cannot read the ledger, nor the command service the read model.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

import asyncpg

from goal_ledger_local.postgres_server import ADMIN, PostgresServer
from goal_ledger_local.processes import run_coroutine

APPLICATION = "application"


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
        return f"postgresql://{user}:{self._password_of(user)}@127.0.0.1:{self.port}/{database}"

    def _password_of(self, role: str) -> str:
        if role == ADMIN:
            return self.password
        return hmac.new(self.password.encode(), role.encode(), hashlib.sha256).hexdigest()

    def start(self) -> None:
        """Start as the server does, then see to the role `application`."""
        super().start()
        run_coroutine(self._ensure_role(APPLICATION))

    async def create(self, prefix: str) -> str:
        """A fresh empty database `<prefix>_<random>`, owned by `application`; its address."""
        name = f"{prefix}_{secrets.token_hex(4)}"
        await self._as_admin(f'CREATE DATABASE "{name}" OWNER "{APPLICATION}"')
        return self.url(name)

    def ensure_database(self, name: str, owner: str) -> str:
        """Make the role and the database unless they are there; nobody but the owner may connect. Its address."""
        run_coroutine(self._ensure_database(name, owner))
        return self.url(name, owner)

    def dump(self, database: str, file: Path) -> None:
        """Write the database as it is now to a file (pg_dump, custom format)."""
        self.run("pg_dump", "-Fc", "-U", ADMIN, "-f", str(file), "-d", database, as_ourselves=True)

    def restore(self, database: str, file: Path) -> None:
        """Put the database back to a dump: its sessions are ended, it is dropped and made anew from the file."""
        run_coroutine(self._as_admin(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))
        self.run("pg_restore", "--create", "-U", ADMIN, "-d", "postgres", str(file), as_ourselves=True)

    async def _ensure_database(self, name: str, owner: str) -> None:
        await self._ensure_role(owner)
        if not await self._exists("pg_database WHERE datname", name):
            await self._as_admin(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        await self._as_admin(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')

    async def _ensure_role(self, name: str) -> None:
        if not await self._exists("pg_roles WHERE rolname", name):
            await self._as_admin(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{self._password_of(name)}'")

    async def _exists(self, where: str, name: str) -> bool:
        connection = await asyncpg.connect(self.admin_url)
        try:
            return bool(await connection.fetchval(f"SELECT EXISTS (SELECT FROM {where} = $1)", name))
        finally:
            await connection.close()

    async def _as_admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
