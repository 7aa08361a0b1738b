"""The processes of the local stack have what compose gives them: a role of their own, their own secrets, no more."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from goal_ledger_local.logins import PARTS
from goal_ledger_local.stack import Stack

PROCESSES = ("command", "relay", "worker", "changed", "query", "reconciler")
SECRETS_OF_MANY = {"PAGES_SIGN_INS_FILE"}
"""Of the demo alone: whom one click signs in."""


def told(stack: Stack, part: str) -> dict[str, str]:
    """The environment of a running process, as its settings' names and values."""
    environ = Path(f"/proc/{stack.services[part].pid}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in environ.split("\0") if "=" in line)


def addresses(stack: Stack, part: str) -> dict[str, str]:
    return {name: value for name, value in told(stack, part).items() if value.startswith("postgresql://")}


async def denied(address: str, statement: str) -> bool:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await connection.close()
    return False


@pytest.mark.parametrize("part", PROCESSES)
def test_a_process_is_told_its_own_roles_and_secrets_alone(running_stack: Stack, part: str) -> None:
    secrets = str(running_stack.directory / "secrets")
    files = {
        Path(value).name
        for name, value in told(running_stack, part).items()
        if value.startswith(secrets) and name not in SECRETS_OF_MANY
    }
    entered = {(url.username, url.path) for url in map(urlsplit, addresses(running_stack, part).values())}

    assert files == set(PARTS[part].files)
    assert entered == {(one.role, f"/{one.database}") for one in PARTS[part].logins}


@pytest.mark.parametrize("part", PROCESSES)
async def test_no_process_changes_or_deletes_a_fact_or_makes_a_table(running_stack: Stack, part: str) -> None:
    for address in addresses(running_stack, part).values():
        assert await denied(address, "CREATE TABLE public.mine ()")
        assert await denied(address, "CREATE SCHEMA mine")
    if part in ("command", "relay"):
        ledger = addresses(running_stack, part)["LEDGER_DATABASE_URL"]
        for words in ("UPDATE facts SET seq = seq", "DELETE FROM facts", "TRUNCATE facts"):
            assert await denied(ledger, words), words


@pytest.mark.parametrize("part", ["relay", "worker", "changed", "query", "reconciler"])
async def test_only_the_command_process_enters_the_keys_database(running_stack: Stack, part: str) -> None:
    for address in addresses(running_stack, part).values():
        keys = address.rpartition("/")[0] + "/keys"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(keys)


async def test_the_query_process_writes_nothing(running_stack: Stack) -> None:
    address = addresses(running_stack, "query")["READ_DATABASE_URL"]

    assert await denied(address, "DELETE FROM read_v1.positions")
    assert not await denied(address, "SELECT FROM read_v1.positions")
