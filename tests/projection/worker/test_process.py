"""The worker as a process of its own: it starts in any order, tells of itself over HTTP, and ends when asked."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
import httpx2
from goal_ledger_local.ports import free_ports
from projection.worker.given import Feed, Topic, all_rows, until_folded, worker_settings, working
from projection.worker.stories import visits

Read: TypeAlias = "asyncpg.Connection[Any]"


def environment(url: str, topic: Topic, feed: Feed, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "READ_DATABASE_URL": url,
        "KAFKA_BOOTSTRAP_SERVERS": topic.bootstrap,
        "FACTS_TOPIC": topic.name,
        "CONSUMER_GROUP": topic.name,
        "COMMAND_URL": feed.url,
        "HTTP_PORT": str(port),
        "ALLOW_UNSAFE_DURABILITY": "true",
        "LOG_LEVEL": "WARNING",
    }


async def command(environ: dict[str, str], *words: str) -> tuple[int | None, str]:
    """Run a command to its end: exit code and what it said."""
    argv = [sys.executable, "-m", "goal_ledger_projection", *words]
    out = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, env=environ, stdout=out, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@asynccontextmanager
async def started(environ: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "goal_ledger_projection", "worker", env=environ
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def answer(port: int, path: str, wanted: int) -> httpx2.Response:
    """Ask until it answers with the wanted status."""
    async with asyncio.timeout(60), httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            with suppress(httpx2.HTTPError):
                found = await client.get(path)
                if found.status_code == wanted:
                    return found
            await asyncio.sleep(0.05)  # a process can only be asked whether it is there


async def test_it_tells_of_itself_and_ends_when_asked(
    read_url: str, topic: Topic, feed: Feed, read: Read
) -> None:
    (port,) = free_ports(1)
    log = visits("shop", 50)
    feed.serve(log)
    await topic.publish(log)
    async with started(environment(read_url, topic, feed, port)) as process:
        await until_folded(read, log)
        assert (await answer(port, "/health/ready", 200)).json()["checks"] == {
            "database": "ok",
            "kafka": "ok",
        }
        assert "goal_ledger_projection_facts_total 52.0" in (await answer(port, "/metrics", 200)).text
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 25) == 0


async def test_it_is_alive_but_not_ready_while_its_database_is_away(topic: Topic, feed: Feed) -> None:
    port, nobody = free_ports(2)
    async with started(environment(f"postgresql://a:b@127.0.0.1:{nobody}/c", topic, feed, port)) as process:
        await answer(port, "/health/live", 200)
        assert (await answer(port, "/health/ready", 503)).json()["checks"] == {"database": "not open yet"}
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 25) == 0


async def test_killed_at_work_and_started_again_it_leaves_exact_rows(
    read_url: str, topic: Topic, feed: Feed, read: Read
) -> None:
    (port,) = free_ports(1)
    log = visits("shop", 4000)
    await topic.publish(log)
    environ = environment(read_url, topic, feed, port) | {"BATCH_RECORDS": "50", "TRANSACTION_RECORDS": "50"}
    async with started(environ) as process:
        await until_folded(read, log, 500)
        process.kill()
        await process.wait()
    folded = await read.fetchval("SELECT next_seq - 1 FROM positions")
    assert 500 <= folded < len(log.facts)
    async with started(environ):
        await until_folded(read, log)
    assert len((await all_rows(read, "shop"))["readings"]) == 4000
    assert await read.fetchval("SELECT count(DISTINCT seq) FROM facts") == len(log.facts)


async def test_operators_rebuild_and_switch_back_from_the_command_line(
    read_url: str, topic: Topic, feed: Feed, read: Read
) -> None:
    log = visits("shop", 50)
    feed.serve(log)
    await topic.publish(log)
    environ = environment(read_url, topic, feed, 0)
    async with working(worker_settings(read_url, topic, feed)):
        await until_folded(read, log)
    code, said = await command(environ, "rebuild")
    assert code == 0 and "read_v2 is live" in said
    assert await command(environ, "switch", "read_v1") == (0, "read_v1 is live; it was read_v2\n")
