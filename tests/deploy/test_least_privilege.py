"""The roles that the container files make, on a real server: what each process may do, and what it may not."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from goal_ledger_command.migrations import migrate as migrate_command
from goal_ledger_command.migrations.rights import RIGHTS
from goal_ledger_ledger import tables
from goal_ledger_local.handing_out import SERVERS, hand_out
from goal_ledger_local.logins import PARTS
from goal_ledger_local.postgres import Postgres
from goal_ledger_projection.projections import migrate as migrate_projection
from support.by_hand import past_the_trigger

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Roles:
    """A database made by `databases.sh`, with names of its own; the password of each role is its name."""

    postgres: Postgres
    database: str
    prefix: str

    def url(self, role: str) -> str:
        return f"postgresql://{role}:{role}@127.0.0.1:{self.postgres.port}/{self.database}"

    def of(self, process: str) -> str:
        return f"{self.prefix}_{process}"


@pytest.fixture
def made(postgres: Postgres, tmp_path: Path) -> Iterator[Roles]:
    """Two processes, `one` and `two`."""
    prefix = f"least_{uuid.uuid4().hex[:8]}"
    roles = Roles(postgres, prefix, prefix)
    names = [roles.of("one"), roles.of("two")]
    for name in (f"{prefix}_owner", *names):
        (tmp_path / name).write_text(name)
    environment = {
        **os.environ,
        "DATABASE": prefix,
        "ROLES": " ".join(names),
        "SECRETS": str(tmp_path),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGPASSWORD": postgres.password,
    }
    subprocess.run(["bash", str(ROOT / "deploy/containers/databases.sh")], env=environment, check=True)
    yield roles


async def denied(connection: asyncpg.Connection, statement: str) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_roles_are_plain_and_enter_their_own_database_alone(made: Roles, postgres: Postgres) -> None:
    other = await postgres.create("other")
    admin = await asyncpg.connect(postgres.admin_url)
    await admin.execute(f'REVOKE CONNECT ON DATABASE "{other.rpartition("/")[2]}" FROM PUBLIC')
    await admin.close()
    for role in (made.of("owner"), made.of("one")):
        connection = await asyncpg.connect(made.url(role))
        row = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        powers = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolbypassrls", "rolreplication")
        assert row is not None and not any(row[power] for power in powers)
        await connection.close()
        for database in ("postgres", other.rpartition("/")[2]):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(made.url(role).rpartition("/")[0] + f"/{database}")


async def test_no_process_changes_or_deletes_a_fact_and_the_relay_writes_its_marks_alone(
    made: Roles, postgres: Postgres
) -> None:
    keys = await postgres.create("keys")
    await migrate_command(made.url(made.of("owner")), keys)
    roles = {"command": made.of("one"), "relay": made.of("two")}
    await migrate_command(made.url(made.of("owner")), keys, roles)
    command = await asyncpg.connect(made.url(made.of("one")))
    relay = await asyncpg.connect(made.url(made.of("two")))
    for connection in (command, relay):
        for words in (
            "UPDATE facts SET seq = seq",
            "DELETE FROM facts",
            "TRUNCATE facts",
            "CREATE TABLE t ()",
        ):
            assert await denied(connection, words), words
    assert not await denied(command, "SELECT FROM heads FOR UPDATE")
    assert await denied(command, "DELETE FROM heads")
    assert await denied(command, "UPDATE published SET seq = 0")
    assert not await denied(command, "DELETE FROM published")
    assert await denied(relay, "UPDATE heads SET seq = 0")
    assert await denied(relay, "INSERT INTO facts DEFAULT VALUES")
    assert not await denied(relay, "DELETE FROM published")
    await command.close()
    await relay.close()


async def test_who_tells_of_goals_reads_what_the_worker_writes_and_notes_alone_what_it_has_told(
    made: Roles,
) -> None:
    owner = made.url(made.of("owner"))
    await migrate_projection(owner, {"worker": made.of("one"), "changed": made.of("two")})
    worker = await asyncpg.connect(made.url(made.of("one")))
    changed = await asyncpg.connect(made.url(made.of("two")))
    assert not await denied(changed, "SELECT FROM read_v1.facts")
    assert await denied(changed, "DELETE FROM read_v1.facts")
    for table in ("goals_told", "goals_told_to", "goals_told_offsets"):
        assert not await denied(changed, f"DELETE FROM {table}")
        assert await denied(worker, f"DELETE FROM {table}")
    for connection in (worker, changed):
        await connection.close()


@pytest.mark.parametrize("words", ["UPDATE facts SET seq = seq", "DELETE FROM facts", "TRUNCATE facts"])
async def test_behind_the_rights_a_trigger_refuses_also_who_owns_the_table(
    made: Roles, postgres: Postgres, words: str
) -> None:
    await migrate_command(made.url(made.of("owner")), await postgres.create("keys"))
    owner = await asyncpg.connect(made.url(made.of("owner")))
    superuser = await asyncpg.connect(f"{postgres.admin_url.rpartition('/')[0]}/{made.database}")
    try:
        for connection in (owner, superuser):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never changed or deleted"):
                await connection.execute(words)
        await past_the_trigger(owner)
        await owner.execute(words)
    finally:
        await owner.close()
        await superuser.close()


async def test_the_query_process_reads_what_the_worker_writes_also_in_versions_made_later(
    made: Roles,
) -> None:
    owner = made.url(made.of("owner"))
    await migrate_projection(owner, {"worker": made.of("one"), "query": made.of("two")})
    connection = await asyncpg.connect(owner)
    await connection.execute("CREATE SCHEMA read_v9; CREATE TABLE read_v9.facts (seq bigint)")
    await connection.close()
    worker = await asyncpg.connect(made.url(made.of("one")))
    query = await asyncpg.connect(made.url(made.of("two")))
    for version in ("read_v1", "read_v9"):
        assert not await denied(worker, f"DELETE FROM {version}.facts")
        assert not await denied(query, f"SELECT FROM {version}.facts")
        assert await denied(query, f"DELETE FROM {version}.facts")
        assert await denied(worker, f"TRUNCATE {version}.facts")
    for connection in (worker, query):
        assert await denied(connection, "UPDATE public.projection_versions SET live = false")
        assert await denied(connection, "CREATE SCHEMA mine")
        await connection.close()


def test_every_table_of_the_ledger_has_its_row() -> None:
    declared = set(tables.ledger.tables)
    assert set(RIGHTS["ledger"]["command"]) == declared
    assert set(RIGHTS["ledger"]["relay"]) <= declared
    assert set(RIGHTS["keys"]["command"]) == set(tables.keys.tables)


def test_each_container_reads_its_own_secrets(tmp_path: Path) -> None:
    hand_out(tmp_path)
    kept = {file.name: file.read_text() for file in (tmp_path / "kept").iterdir()}
    signs = {name for name in kept if "private" in name} | {
        "hmac-secret",
        "master-key",
        "head-signing-key.pem",
    }
    for part in ("worker", "query", "migrate-projection", "migrate-command"):
        names = {file.name for file in (tmp_path / part).iterdir()}
        assert not names & signs, part
    assert not {name for name in kept if "private" in name} & set(PARTS["command"].files)
    for part in (*PARTS, *SERVERS):
        for file in (tmp_path / part).iterdir():
            assert file.stat().st_mode & 0o077 == 0
    lines = (tmp_path / "worker" / "pgpass").read_text().splitlines()
    assert [line.rpartition(":")[0] for line in lines] == ["postgres-read:5432:read:worker"]
    hand_out(tmp_path)
    assert {
        file.name: file.read_text() for file in (tmp_path / "kept").iterdir() if "token" not in file.name
    } == {name: content for name, content in kept.items() if "token" not in name}
