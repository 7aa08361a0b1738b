"""Databases of the ledger's tests: migrated once per session, one workspace name per test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from goal_ledger_command.migrations import migrate
from goal_ledger_database.pulse import Now, own_clock
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.store import create_engine
from goal_ledger_ledger.submission import OpenGate, WriteGate
from goal_ledger_local.postgres import Postgres
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.audit import Audit
from ledger.tiny import Commands, TinyDomain

_names = itertools.count(1)


@dataclass(frozen=True)
class Databases:
    ledger_url: str
    keys_url: str
    ledger: AsyncEngine
    keys: AsyncEngine
    admin_url: str

    def keyring(self) -> Keyring:
        return Keyring(self.keys, b"m" * 32)


@pytest_asyncio.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[Databases]:
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    engines = [create_engine(url, application="tests") for url in (ledger_url, keys_url)]
    yield Databases(ledger_url, keys_url, *engines, postgres.admin_url)
    for engine in engines:
        await engine.dispose()


@pytest.fixture
def workspace() -> str:
    """A workspace that no other test uses."""
    return f"workspace-{next(_names)}"


MakeLedger = Callable[..., Awaitable[Ledger]]


@pytest_asyncio.fixture
async def process(databases: Databases) -> AsyncIterator[MakeLedger]:
    """Makes ledgers as separate processes would: each with connections, keys and folded state of its own."""
    async with AsyncExitStack() as stack:
        made = itertools.count(1)

        async def start(gate: WriteGate | None = None, now: Now = own_clock) -> Ledger:
            name = f"ledger-{next(made)}"
            engine = create_engine(databases.ledger_url, application=name)
            ledger = Ledger(
                engine,
                databases.keyring(),
                TinyDomain(),
                gate or OpenGate(),
                allow_unsafe_durability=True,
                now=now,
            )
            stack.push_async_callback(engine.dispose)
            await ledger.start()
            stack.push_async_callback(ledger.close)
            return ledger

        yield start


@pytest_asyncio.fixture
async def ledger(process: MakeLedger) -> Ledger:
    return await process()


@pytest_asyncio.fixture
async def commands(ledger: Ledger, workspace: str) -> Commands:
    """Commands for a workspace that has been created (seq 1)."""
    made = Commands(workspace)
    await ledger.submit(made.create())
    return made


@pytest.fixture
def audit(databases: Databases, workspace: str) -> Audit:
    return Audit(databases.ledger_url, workspace)
