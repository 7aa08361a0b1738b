"""The command process as it is run: two listeners and the intake, ready when it can write, drained by SIGTERM."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest_asyncio

from command.service import Organisation, assert_problem, service_token
from command.test_operator import CREATE, environment, operator

__all__ = ["environment"]


@dataclass
class Process:
    child: asyncio.subprocess.Process
    lines: list[dict[str, object]]
    public: str
    internal: str


@pytest_asyncio.fixture
async def process(environment: dict[str, str]) -> AsyncIterator[Process]:
    env = environment | {"HTTP_PORT": "0", "INTERNAL_HTTP_PORT": "0", "LOCAL_MODE": "true"}
    argv = [sys.executable, "-m", "goal_ledger_command", "serve"]
    child = await asyncio.create_subprocess_exec(*argv, env=env, stderr=asyncio.subprocess.PIPE)
    assert child.stderr is not None
    lines: list[dict[str, object]] = []
    while not lines or lines[-1]["event"] != "listening":
        lines.append(json.loads(await child.stderr.readline()))
    public, internal = lines[-1]["addresses"]  # type: ignore[misc]
    reading = asyncio.create_task(child.stderr.read())
    yield Process(child, lines, f"http://{public}", f"http://{internal}")
    if child.returncode is None:
        child.kill()
    await child.wait()
    await reading


async def ready(http: httpx2.AsyncClient) -> None:
    while (await http.get("/health/ready")).status_code != 200:  # noqa: ASYNC110 - of another process only asking tells
        await asyncio.sleep(0.05)


async def test_it_says_that_it_is_open_answers_commands_and_drains(
    environment: dict[str, str], process: Process
) -> None:
    assert any("LOCAL MODE" in str(line["event"]) and line["level"] == "warning" for line in process.lines)
    async with httpx2.AsyncClient(base_url=process.public, timeout=60) as http:
        await ready(http)
        assert (await operator(environment, *CREATE)).returncode == 0
        org = Organisation(http, "acme")
        answer = await http.post("/v1/units", json={"name": "Sales"}, headers=org.bearer("7f"))
        assert (answer.status_code, "open" in answer.headers["x-goal-ledger-local"]) == (201, True), (
            answer.text
        )
        assert_problem(await http.get("/v1/keys", headers=org.bearer("7f")), 404, "not_found")
        assert_problem(await http.get("/metrics", headers=org.bearer("7f")), 404, "not_found")
    bearer = {"authorization": f"Bearer {service_token()}"}
    async with httpx2.AsyncClient(base_url=process.internal, timeout=60) as http:
        heads = await http.get("/v1/log/heads", headers=bearer)
        assert [head["workspace"] for head in heads.json()] == ["acme"]
        metrics = (await http.get("/metrics")).text
        assert 'goal_ledger_http_requests_total{method="POST",route="/v1/units",status="201"} 1.0' in metrics
    process.child.send_signal(signal.SIGTERM)
    assert await process.child.wait() == 0


async def test_it_refuses_a_database_that_may_lose_what_it_acknowledged(environment: dict[str, str]) -> None:
    env = environment | {"ALLOW_UNSAFE_DURABILITY": "false", "HTTP_PORT": "0", "INTERNAL_HTTP_PORT": "0"}
    argv = [sys.executable, "-m", "goal_ledger_command", "serve", "--no-intake"]
    child = await asyncio.create_subprocess_exec(*argv, env=env, stderr=asyncio.subprocess.PIPE)
    _, said = await child.communicate()
    assert child.returncode == 1
    assert b"ALLOW_UNSAFE_DURABILITY" in said.splitlines()[-1]
