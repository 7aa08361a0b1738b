"""A process is stopped in its tracks *inside* a transaction, with the rows it has locked: the others go on.

That it is inside is made sure: the test holds a lock that the process comes to wait for, stops it there, and lets go, so
that the server gives the lock to a process that does nothing any more. And a whole server that hangs: everybody is told.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx2
from goal_ledger_client import exchange
from goal_ledger_local.ports import free_ports
from goal_ledger_local.service import Service
from goal_ledger_local.stack import Stack

from faults.another_command import two_commands
from faults.finding import Finding
from faults.ground import Ground, break_ground
from faults.sending import Attempt, Means, attempt, http_client
from faults.waiting import until

GOES_ON_WITHIN_S = 40.0
"""The server ends an idle transaction after 5 s, a group takes partitions away after 6; the rest is for a busy machine."""
ANSWERS_WITHIN_S = 5.0
READY_SAYS_NO_WITHIN_S = 2.0

_WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = $1
"""


async def command_paused(stack: Stack) -> Finding:
    """One of two command processes holds the head of a workspace."""
    found = Finding("a command process paused in a transaction stops no other")
    ground = await asyncio.to_thread(break_ground, stack, "paused")
    async with two_commands(stack) as (first, second), http_client() as http:
        pid = stack.describe()["processes"]["command"]["pid"]

        async def write(url: str) -> Attempt:
            body = {"values": [{"part": "value", "value": "1"}]}
            path = f"/v1/key-results/{ground.key_results[0]}/check-ins"
            return await attempt(http, url, ground.token, path, body)

        await write(first)
        lock = "SELECT 1 FROM heads WHERE workspace = $1 FOR UPDATE"
        where = stack.postgres.url("ledger", "postgres")
        waiting = asyncio.create_task(write(first))
        async with _stopped_at(where, lock, ground.workspace, "command", pid, lambda: write(first)):
            took_s = await until(
                lambda: _is(write(second), Means.ACKNOWLEDGED), GOES_ON_WITHIN_S, "the other writes", 0.2
            )
        await waiting
        await until(lambda: _is(write(first), Means.ACKNOWLEDGED), GOES_ON_WITHIN_S, "it writes again", 0.2)
    found.note(other_writes_after_s=round(took_s, 1))
    return found


async def worker_paused(stack: Stack) -> Finding:
    """One of two workers holds the positions of a workspace."""
    found = Finding("a worker paused in a transaction stops no other")
    ground = await asyncio.to_thread(break_ground, stack, "paused")
    pid = stack.describe()["processes"]["worker"]["pid"]
    async with _second_worker(stack), http_client() as http:
        position = await _written(http, ground)
        await _answered(http, ground, position)
        schema = await _live(stack)
        lock = f'SELECT 1 FROM "{schema}".positions WHERE workspace = $1 FOR UPDATE'
        where = stack.postgres.url("read", "postgres")
        async with _stopped_at(where, lock, ground.workspace, "worker", pid, lambda: _written(http, ground)):
            position = await _written(http, ground)
            took_s = await _answered(http, ground, position)
    found.note(other_folds_after_s=round(took_s, 1))
    return found


async def server_hangs(stack: Stack, for_s: float = 12.0) -> Finding:
    """All processes of PostgreSQL are stopped: commands and queries are 503 in time, nobody calls himself ready."""
    found = Finding("a database server that hangs is told within a client's patience")
    ground = await asyncio.to_thread(break_ground, stack, "hangs")
    async with http_client() as http:
        await _answered(http, ground, await _written(http, ground))
        with _hanging(stack.postgres.pid):
            began = asyncio.get_running_loop().time()
            longest: dict[str, float] = {}
            while asyncio.get_running_loop().time() - began < for_s:
                await asyncio.gather(
                    _told(found, longest, "command", _posted(http, ground)),
                    _told(found, longest, "query", _asked(http, ground)),
                )
            for url in (ground.command_url, ground.query_url):
                asked_at = asyncio.get_running_loop().time()
                ready = await http.get(f"{url}/health/ready")
                longest["ready"] = max(longest.get("ready", 0), asyncio.get_running_loop().time() - asked_at)
                found.expect(ready.status_code == 503, f"ready says {ready.status_code} {ready.text}")
        await _answered(http, ground, await _written(http, ground))
    found.note({name: round(took_s, 1) for name, took_s in longest.items()})
    for name, limit_s in (("command", ANSWERS_WITHIN_S), ("query", ANSWERS_WITHIN_S), ("ready", 2.0)):
        found.expect(longest[name] <= limit_s + 1.0, f"{name} took {longest[name]:.1f} s")
    return found


async def _told(
    found: Finding, longest: dict[str, float], name: str, asking: Awaitable[httpx2.Response]
) -> None:
    began = asyncio.get_running_loop().time()
    answer = await asking
    longest[name] = max(longest.get(name, 0.0), asyncio.get_running_loop().time() - began)
    if answer.status_code < 300:
        return  # answered just before, or a query from what is in memory
    found.expect(answer.status_code == 503, f"{name} answers {answer.status_code} {answer.text[:200]}")
    found.expect("Retry-After" in answer.headers, f"{name} names no time to come again")


@asynccontextmanager
async def _stopped_at(
    url: str, lock: str, workspace: str, application: str, pid: int, go: Callable[[], Awaitable[object]]
) -> AsyncIterator[None]:
    """Stopped in a transaction in which it is given the lock, until the block is left."""
    keeper, watcher = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        holding = keeper.transaction()
        await holding.start()
        await keeper.execute(lock.replace("$1", f"'{workspace}'"))
        going = asyncio.ensure_future(go())

        async def waits() -> bool:
            return bool(await watcher.fetchval(_WAITS, application))

        await until(waits, GOES_ON_WITHIN_S, f"{application} waits for the lock", 0.01)
        os.kill(pid, signal.SIGSTOP)
        await holding.rollback()
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        await keeper.close()
        await watcher.close()
        await asyncio.wait([going], timeout=GOES_ON_WITHIN_S)


class _hanging:
    """All processes of the server stand still."""

    def __init__(self, postmaster: int | None) -> None:
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        self._pids = [int(one) for one in (postmaster, *children) if one is not None]

    def __enter__(self) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def _second_worker(stack: Stack) -> AsyncIterator[None]:
    internal = stack.services["command"].urls[1]
    service = Service(
        "worker-aside",
        ["-m", "goal_ledger_projection", "worker"],
        stack.owner,
        stack.logs / "worker-aside.log",
        lambda ports: stack.installation.projection("worker", ports, command_url=internal),
        free_ports(1),
    )
    try:
        await asyncio.to_thread(service.start)
        yield
    finally:
        await asyncio.to_thread(service.stop)


async def _live(stack: Stack) -> str:
    connection = await asyncpg.connect(stack.postgres.url("read", "postgres"))
    try:
        return str(await connection.fetchval("SELECT name FROM public.projections WHERE live"))
    finally:
        await connection.close()


async def _is(attempting: Awaitable[Attempt], means: Means) -> bool:
    return (await attempting).means is means


async def _posted(http: httpx2.AsyncClient, ground: Ground) -> httpx2.Response:
    return await http.post(
        f"{ground.command_url}/v1/key-results/{ground.key_results[0]}/check-ins",
        json={"values": [{"part": "value", "value": "1"}]},
        headers=exchange.headers(ground.token),
    )


async def _written(http: httpx2.AsyncClient, ground: Ground) -> str:
    """The position of a check-in, sent until it is taken."""
    positions: list[str] = []

    async def taken() -> bool:
        answer = await _posted(http, ground)
        positions.append(answer.headers.get("Goal-Ledger-Position", ""))
        return answer.status_code == 201

    await until(taken, GOES_ON_WITHIN_S, "a check-in is taken", 0.2)
    return positions[-1]


async def _asked(http: httpx2.AsyncClient, ground: Ground, position: str | None = None) -> httpx2.Response:
    wanted = {} if position is None else {"Goal-Ledger-Position": position}
    return await http.get(
        f"{ground.query_url}/v1/key-results/{ground.key_results[0]}",
        headers={**exchange.headers(ground.token), **wanted},
    )


async def _answered(http: httpx2.AsyncClient, ground: Ground, position: str) -> float:
    async def answered() -> bool:
        return (await _asked(http, ground, position)).status_code == 200

    return await until(answered, GOES_ON_WITHIN_S, f"the query side answers at {position}", 0.2)
