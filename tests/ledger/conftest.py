"""Databases of the ledger's tests: migrated once per session, one workspace name per test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from goal_ledger_command.migrations import migrate
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.store import create_engine
from goal_ledger_local.postgres import Postgres
from sqlalchemy.ext.asyncio import AsyncEngine

_names = itertools.count(1)


@dataclass(frozen=True)
class Databases:
    ledger_url: str
    keys_url: str
    ledger: AsyncEngine
    keys: AsyncEngine

    def keyring(self) -> Keyring:
        return Keyring(self.keys, b"m" * 32)


@pytest_asyncio.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[Databases]:
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    engines = [create_engine(url, application="tests") for url in (ledger_url, keys_url)]
    yield Databases(ledger_url, keys_url, *engines)
    for engine in engines:
        await engine.dispose()


@pytest.fixture
def workspace() -> str:
    """A workspace that no other test uses."""
    return f"workspace-{next(_names)}"
