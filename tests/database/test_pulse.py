"""The look at a database: whether it answers, what its clock says, and that whoever waits for a silent one is let go."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from goal_ledger_database.pulse import Pulse
from goal_ledger_ledger.store import Database, Unreachable, create_engine, is_passing, raw_connection
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner

PATIENCE_S = 5.0


@pytest.fixture(scope="module")
def own_server(process_owner: ProcessOwner, session_directory: Path) -> Iterator[Postgres]:
    """A server to be stopped in its tracks; the other tests' goes on."""
    server = Postgres(session_directory / "postgres-paused", process_owner, durable=False)
    server.start()
    yield server
    server.stop()


@contextlib.contextmanager
def hanging(server: Postgres) -> Iterator[None]:
    """All its processes are stopped, as a host that is frozen."""
    pids = [server.pid, *_children(server.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _children(pid: int | None) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@asynccontextmanager
async def watched(url: str, **settings: object) -> AsyncIterator[tuple[Database, Pulse]]:
    engine, pulse = create_engine(url, application="tests"), Pulse("test", url, **settings)  # type: ignore[arg-type]
    engine.watch(pulse)
    beating = asyncio.create_task(pulse.run())
    await pulse.looked.wait()
    try:
        yield engine, pulse
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await engine.dispose()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  (what is waited for happens in a server)
            await asyncio.sleep(0.02)


async def test_who_waits_for_a_server_that_hangs_is_let_go_and_nobody_waits_anew(own_server: Postgres):
    async with watched(own_server.admin_url) as (engine, pulse):
        async with raw_connection(engine) as raw:
            assert await raw.fetchval("SELECT 1") == 1
        with hanging(own_server):
            began = time.monotonic()
            with pytest.raises(Exception) as failed:
                async with raw_connection(engine) as raw:
                    await raw.fetchval("SELECT 2")
            assert is_passing(failed.value)
            waited_s = time.monotonic() - began
            await until(lambda: pulse.silent_because is not None)
            assert pulse.wrong == "no answer within 2 s"
            began = time.monotonic()
            with pytest.raises(Unreachable, match="no answer"):
                async with raw_connection(engine):
                    pass
            assert time.monotonic() - began < 1.0
        await until(lambda: pulse.silent_because is None)
        async with raw_connection(engine) as raw:
            assert await raw.fetchval("SELECT 3") == 3
        assert waited_s < PATIENCE_S + 3.0  # for the machine that the tests share


async def test_a_server_that_is_gone_is_silent_and_one_that_comes_back_is_not(postgres: Postgres):
    pulse = Pulse("gone", "postgresql://nobody:x@127.0.0.1:1/none")
    await pulse.look()
    assert pulse.silent_because is not None
    assert not pulse.looked.is_set()
    assert pulse.wrong_for_writers == pulse.silent_because


@pytest.mark.parametrize(
    ("ahead_s", "is_skewed"), [(0, False), (3, False), (-3, False), (3600, True), (-8, True)]
)
async def test_clocks_that_differ_by_more_than_five_seconds_are_told(
    postgres: Postgres, ahead_s: int, is_skewed: bool
):
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    async with watched(postgres.admin_url, now=now) as (_, pulse):
        assert pulse.is_skewed is is_skewed
        assert (pulse.wrong is not None) is is_skewed
        if is_skewed:
            assert abs(pulse.skew_s - ahead_s) < 2


async def test_a_server_that_only_reads_is_told_to_those_who_write(postgres: Postgres):
    url = f"{postgres.admin_url}?options=-c%20default_transaction_read_only%3Don"
    pulse = Pulse("reading", url)
    await pulse.look()
    assert (pulse.wrong, pulse.wrong_for_writers) == (None, "read-only")


async def test_every_session_has_its_limits(postgres: Postgres):
    async with watched(postgres.admin_url) as (engine, _), raw_connection(engine) as raw:
        names = (
            "idle_in_transaction_session_timeout",
            "lock_timeout",
            "statement_timeout",
            "tcp_keepalives_idle",
        )
        told = {name: await raw.fetchval(f"SHOW {name}") for name in names}
    assert told == dict(zip(names, ("5s", "2s", "25s", "10"), strict=True))


async def test_a_look_that_ends_with_its_process_says_nothing(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
):
    asked = asyncio.Event()

    async def waits(connection: asyncpg.Connection) -> None:
        asked.set()
        await connection.execute("SELECT pg_sleep(60)")

    pulse = Pulse("test", postgres.url("postgres"), also=waits)
    beating = asyncio.create_task(pulse.run())
    await asked.wait()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    await asyncio.sleep(0.1)
    del beating
    gc.collect()

    assert "never retrieved" not in caplog.text
