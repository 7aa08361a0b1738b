"""The query process: settings from the environment, health, documentation, and a quiet end on SIGTERM."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx2
from goal_ledger_local.postgres import Postgres
from goal_ledger_projection.projections import migrate
from projection.query.story import ISSUER, Issuer


async def test_it_serves_until_it_is_told_to_stop(postgres: Postgres, tmp_path: Path) -> None:
    url = await postgres.create("process")
    await migrate(url)
    issuer = Issuer.at(tmp_path / "jwks.json")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "goal_ledger_projection",
        "query",
        env={
            **os.environ,
            "READ_DATABASE_URL": url,
            "HTTP_PORT": "0",
            "INTERNAL_HTTP_PORT": "0",
            "TOKEN_KEYS_FILE": str(tmp_path / "jwks.json"),
            "TOKEN_ISSUER": ISSUER,
            "ALLOW_UNSAFE_DURABILITY": "true",
            "LOCAL_MODE": "true",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        address, internal = await listening(process)
        async with httpx2.AsyncClient(base_url=f"http://{address}") as client:
            assert (await client.get("/health/live")).status_code == 200
            ready = await client.get("/health/ready")
            assert (ready.status_code, ready.json()["checks"]) == (200, {"database": "ok"})
            assert "/v1/alignment" in (await client.get("/openapi.json")).json()["paths"]
            refused = await client.get("/v1/objectives")
            assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
            assert "x-goal-ledger-local" in refused.headers
            nobody = {"Authorization": f"Bearer {issuer.token('nowhere', 'x')}"}
            assert (await client.get("/v1/objectives", headers=nobody)).status_code == 403
            assert (await client.get("/metrics")).status_code == 404
            assert "goal_ledger_http_request_seconds" in (await client.get(f"http://{internal}/metrics")).text
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 25) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def listening(process: asyncio.subprocess.Process) -> list[str]:
    """The addresses that the process says it listens on: the public and the internal one."""
    assert process.stderr is not None
    async for line in process.stderr:
        said = json.loads(line)
        if said["event"] == "listening":
            return [str(one) for one in said["addresses"]]
    raise AssertionError("the process ended before it listened")
