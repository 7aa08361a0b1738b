"""A rolling release from the first release to this one: old and new worker and query side by side, facts going on.

The old ones are the code of that commit, taken out of the repository, on the libraries of this environment.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from goal_ledger_contracts.objective import CheckInRecorded, PartValue
from goal_ledger_contracts.workspace import IdentityLinked, MomentRecorded
from goal_ledger_local.ports import free_ports
from goal_ledger_local.postgres import Postgres
from goal_ledger_projection.folding.rebuild import rebuild
from projection.query.story import ISSUER, Issuer
from projection.worker.given import Feed, Log, Topic, worker_settings
from projection.worker.stories import LAUNCH, check_ins, goals, organisation

FIRST_RELEASE = "d0ada95"
ROOT = Path(__file__).parents[3]
GOAL = "/v1/key-results/first-month"


@pytest.fixture(scope="session")
def first_release(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PYTHONPATH of the first release's packages."""
    place = tmp_path_factory.mktemp("first-release")
    archive = subprocess.run(
        ["git", "archive", FIRST_RELEASE], cwd=ROOT, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "x", "-C", str(place)], input=archive, check=True)
    return os.pathsep.join(str(one.parent) for one in place.glob("[ls]*/*/pyproject.toml"))


@dataclass
class Processes:
    """Processes of the projection service, of either release, on one read database."""

    url: str
    topic: Topic
    feed: Feed
    issuer: Issuer
    keys: Path
    paths: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)

    def environment(self, release: str, port: int) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": self.paths[release],
            "READ_DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.topic.bootstrap,
            "FACTS_TOPIC": self.topic.name,
            "CONSUMER_GROUP": self.topic.name,
            "COMMAND_URL": self.feed.url,
            "TOKEN_KEYS_FILE": str(self.keys),
            "TOKEN_ISSUER": ISSUER,
            "HTTP_PORT": str(port),
            "ALLOW_UNSAFE_DURABILITY": "true",
            "LOG_LEVEL": "WARNING",
        }

    @asynccontextmanager
    async def started(self, release: str, part: str) -> AsyncIterator[str]:
        """A process, until the end of the block; its address."""
        (port,) = free_ports(1)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "goal_ledger_projection", part, env=self.environment(release, port)
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def migrate(self, release: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "goal_ledger_projection", "migrate", env=self.environment(release, 0)
        )
        assert await process.wait() == 0

    async def ask(self, address: str, path: str, **headers: str) -> httpx2.Response:
        bearer = f"Bearer {self.issuer.token('shop', 'ada')}"
        async with httpx2.AsyncClient(base_url=address, timeout=10) as client:
            return await client.get(path, headers={"Authorization": bearer, **headers})


async def until(address: str, path: str, status: int) -> httpx2.Response:
    """Ask until it answers so."""
    async with asyncio.timeout(150), httpx2.AsyncClient(base_url=address) as client:
        while True:
            with suppress(httpx2.HTTPError):
                found = await client.get(path)
                if found.status_code == status:
                    return found
            await asyncio.sleep(0.05)  # a process can only be asked


class GoingOn:
    """Facts that go on being recorded and published, and an old query that goes on being asked."""

    def __init__(self, processes: Processes, log: Log, address: str) -> None:
        self._processes, self._log, self._address = processes, log, address
        self.asked, self.enough = 0, False
        self._again = asyncio.Condition()

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(150), self._again:
            await self._again.wait_for(lambda: self.asked >= times)

    async def run(self) -> None:
        while not self.enough:
            await record_one(self._processes.topic, self._log)
            shown = await answer(self._processes, self._address, self._log)
            assert shown == last_value(self._log)
            async with self._again:
                self.asked += 1
                self._again.notify_all()


async def record_one(topic: Topic, log: Log) -> None:
    n = len(log.facts)
    sales = PartValue("sales", Decimal(n))
    log.add(
        "objective/shop", CheckInRecorded(f"more-{n}", "first-month", (sales,)), LAUNCH + timedelta(seconds=n)
    )
    await topic.publish(log, after=n)


def last_value(log: Log) -> str:
    data = log.facts[-1].data
    assert isinstance(data, CheckInRecorded)
    return str(data.values[0].value)


async def answer(processes: Processes, address: str, log: Log) -> str:
    """The value of the sales, once the last fact is in it."""
    position = {"Goal-Ledger-Position": f"1-{len(log.facts)}"}
    found = await processes.ask(address, f"{GOAL}?wait_ms=5000", **position)
    assert found.status_code == 200, found.text
    parts: list[dict[str, Any]] = found.json()["key_result"]["parts"]
    return next(str(part["value"]) for part in parts if part["part"] == "sales")


@pytest.fixture
async def processes(
    postgres: Postgres, topic: Topic, feed: Feed, tmp_path: Path, first_release: str
) -> Processes:
    url = await postgres.create("read")
    keys = tmp_path / "jwks.json"
    here = os.environ.get("PYTHONPATH", "")
    return Processes(url, topic, feed, Issuer.at(keys), keys, {"old": first_release, "new": here})


def living_shop() -> Log:
    log = Log("shop")
    for part in (organisation, goals, check_ins):
        part(log)
    log.add("workspace/shop", IdentityLinked(ISSUER, "ada", "ada"))
    log.add("workspace/shop", MomentRecorded("launch", LAUNCH), LAUNCH)
    return log


async def test_old_and_new_stand_side_by_side_until_the_switch_and_after_it(processes: Processes) -> None:
    log = living_shop()
    processes.feed.serve(log)
    await processes.migrate("old")
    await processes.topic.publish(log)
    async with AsyncExitStack() as stack:
        old_query = await stack.enter_async_context(processes.started("old", "query"))
        await stack.enter_async_context(processes.started("old", "worker"))
        await until(old_query, "/health/ready", 200)
        await record_one(processes.topic, log)
        going_on = GoingOn(processes, log, old_query)
        running = asyncio.create_task(going_on.run())
        try:
            await processes.migrate("new")
            new_query = await stack.enter_async_context(processes.started("new", "query"))
            new_worker = await stack.enter_async_context(processes.started("new", "worker"))
            for waiting in (new_query, new_worker):
                await until(waiting, "/health/live", 200)
                assert "rebuild" in (await until(waiting, "/health/ready", 503)).text
            settings = worker_settings(processes.url, processes.topic, processes.feed)
            assert await rebuild(settings, changed=("definitions",))
            before = going_on.asked
            for ready in (new_query, new_worker):
                await until(ready, "/health/ready", 200)
            await going_on.until_asked(before + 10)  # the old ones go on after the switch
        finally:
            going_on.enough = True
            await running
        assert await answer(processes, old_query, log) == await answer(processes, new_query, log)
    async with processes.started("new", "query") as query, processes.started("new", "worker"):
        await until(query, "/health/ready", 200)
        await record_one(processes.topic, log)
        assert await answer(processes, query, log) == last_value(log)
