"""A client that stands still between Parse and Bind holds its locks past every time-out of the server's: others end it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio
from goal_ledger_database import standing
from goal_ledger_database.pulse import Pulse
from goal_ledger_database.sessions import SessionLimits
from goal_ledger_local.postgres import Postgres

SHORT = SessionLimits(idle_in_transaction_ms=200, statement_ms=200).server_settings("tests")
STANDS_FOR_MS = 600
"""Longer than the time-outs of those who stand."""


@pytest_asyncio.fixture
async def url(postgres: Postgres) -> str:
    made = await postgres.create("standing")
    async with connected(made) as connection:
        await connection.execute("CREATE TABLE heads (seq int); INSERT INTO heads VALUES (1)")
    return made


@asynccontextmanager
async def connected(url: str, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, server_settings=settings)
    try:
        yield connection
    finally:
        connection.terminate()


@asynccontextmanager
async def holding_the_head(url: str) -> AsyncIterator[asyncpg.Connection]:
    """In a transaction, with the row locked, and nothing sent after Parse."""
    async with connected(url, **SHORT) as connection:
        await connection.transaction().start()
        await connection.execute("UPDATE heads SET seq = 2")
        await connection.prepare("SELECT seq FROM heads WHERE seq = $1")
        yield connection


async def stands(watcher: asyncpg.Connection, who: asyncpg.Connection) -> bool:
    seen = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND wait_event = 'ClientRead'"
    return bool(await watcher.fetchval(seen, who.get_server_pid()))


async def test_no_time_out_of_the_server_ends_it_and_we_do(url: str):
    async with connected(url) as watcher, holding_the_head(url) as paused:
        await asyncio.sleep(STANDS_FOR_MS / 1000)
        assert await stands(watcher, paused)
        assert await standing.end_standing(watcher, STANDS_FOR_MS * 10) == 0
        assert await standing.end_standing(watcher, STANDS_FOR_MS) == 1
        async with asyncio.timeout(20):
            assert await watcher.fetchval("UPDATE heads SET seq = 3 RETURNING seq") == 3


async def test_nobody_else_is_ended(url: str, postgres: Postgres):
    """Neither those at work, nor COPY, nor those who wait for nothing, nor another database's."""
    elsewhere = await postgres.create("standing")
    async with (
        connected(url) as watcher,
        connected(url) as copying,
        connected(url) as idle,
        connected(elsewhere) as other,
    ):
        await other.transaction().start()
        await other.prepare("SELECT $1::int")
        await idle.transaction().start()
        goes_on = asyncio.Event()

        async def rows() -> AsyncIterator[bytes]:
            yield b"7\n"
            await goes_on.wait()

        copied = asyncio.ensure_future(copying.copy_to_table("heads", source=rows()))
        async with asyncio.timeout(20):
            while not await stands(watcher, copying):  # noqa: ASYNC110  (happens in PostgreSQL)
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)
        assert await standing.end_standing(watcher, 10) == 0
        goes_on.set()
        await copied
        assert [await each.fetchval("SELECT 1") for each in (idle, other)] == [1, 1]


async def test_every_look_at_a_database_ends_them(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(standing, "LOOK_EVERY_S", 0.0)
    async with connected(url) as waiting, holding_the_head(url):
        pulse = Pulse("ledger", url)
        looking = asyncio.create_task(pulse.run())
        async with asyncio.timeout(30):
            await waiting.execute("UPDATE heads SET seq = 4")
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert pulse.silent_because is None
