"""The reconciler of the whole stack: what is changed by hand in any of the three is found within a minute, named and mended."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from aiokafka import AIOKafkaProducer
from goal_ledger_demo.organisation import WORKSPACE
from goal_ledger_local.stack import Stack
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.topics import FACTS, FACTS_PARTITIONS
from support.by_hand import past_the_trigger

FOUND_WITHIN_S = 60.0


def alarms(stack: Stack, since: int = 0) -> list[dict[str, Any]]:
    """What the reconciler told of differences, of its log from this byte on."""
    written = stack.services["reconciler"].log.read_bytes()[since:].decode()
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] in ("differs", "agrees again")]


async def told(
    stack: Stack, since: int, event: str, is_it: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The first such line; it comes within a minute."""
    deadline = time.monotonic() + FOUND_WITHIN_S
    while time.monotonic() < deadline:
        for line in alarms(stack, since):
            if line["event"] == event and is_it(line):
                return line
        await asyncio.sleep(0.5)
    raise AssertionError(f"not told within {FOUND_WITHIN_S:g} s: {alarms(stack, since)}")


def reconcile(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    settings = stack.installation.projection_owner(stack.services["command"].urls[1])
    return subprocess.run(
        [sys.executable, "-m", "goal_ledger_projection", "reconcile", *words],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
async def owner(demo: Stack) -> AsyncIterator[Callable[[str], Any]]:
    """Connections as the superuser, who alone gets past the roles' rights."""
    opened: list[Any] = []

    async def connect(database: str) -> Any:
        opened.append(await asyncpg.connect(demo.postgres.addresses.url(database, "postgres")))
        return opened[-1]

    yield connect
    for connection in opened:
        await connection.close()


def end_of(path: Path) -> int:
    return path.stat().st_size


async def test_a_row_of_the_read_side_is_named_and_mended(demo: Stack, owner: Any) -> None:
    since, read = end_of(demo.services["reconciler"].log), await owner("read")
    changed = await read.fetchval(
        "UPDATE read_v1.value_rows SET effective_at = effective_at - interval '1 hour' WHERE ctid = "
        "(SELECT ctid FROM read_v1.value_rows WHERE workspace = $1 LIMIT 1) RETURNING seq",
        WORKSPACE,
    )

    line = await told(demo, since, "differs", lambda one: one["table"] == "read_v1.value_rows")
    assert (line["copy"], line["workspace"]) == ("read", WORKSPACE)
    assert f"seq={changed}" in line["key"]

    mended = await asyncio.to_thread(reconcile, demo, "--mend")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    await told(demo, since, "agrees again", lambda one: one["table"] == "read_v1.value_rows")


async def test_a_record_in_kafka_is_named_and_published_again(demo: Stack) -> None:
    since = end_of(demo.services["reconciler"].log)
    producer = AIOKafkaProducer(bootstrap_servers=demo.kafka.bootstrap)
    await producer.start()
    try:
        named = [("workspace", WORKSPACE.encode()), ("epoch", b"1"), ("seq", b"5")]
        await producer.send_and_wait(
            FACTS,
            b'{"forged":true}',
            key=WORKSPACE.encode(),
            partition=partition_of(WORKSPACE, FACTS_PARTITIONS),
            headers=named,
        )
    finally:
        await producer.stop()

    line = await told(demo, since, "differs", lambda one: one["copy"] == "kafka")
    assert (line["table"], line["workspace"], line["key"]) == (FACTS, WORKSPACE, "seq=5")

    await asyncio.to_thread(demo.operator, "publish-again", "--workspace", WORKSPACE)
    await told(demo, since, "agrees again", lambda one: one["copy"] == "kafka")


async def test_a_fact_in_the_store_is_named_and_what_to_do_is_said(demo: Stack, owner: Any) -> None:
    since, ledger = end_of(demo.services["reconciler"].log), await owner("ledger")
    before = await ledger.fetchrow(
        "SELECT bytes, hash FROM facts WHERE workspace = $1 AND seq = 4", WORKSPACE
    )
    forged = bytes(before["bytes"]).replace(b'"actor":"', b'"actor":"x')
    change = "UPDATE facts SET bytes = $2, hash = $3 WHERE workspace = $1 AND seq = 4"
    await past_the_trigger(ledger)
    await ledger.execute(change, WORKSPACE, forged, before["hash"])
    try:
        line = await told(demo, since, "differs", lambda one: one["copy"] == "store")
        assert (line["table"], line["workspace"], line["key"]) == ("ledger.facts", WORKSPACE, "seq=4")
        said = await asyncio.to_thread(reconcile, demo)
        assert said.returncode == 1
        assert "docs/operations/reconciliation.md" in said.stdout
        assert not [one for one in alarms(demo, since) if one["copy"] != "store"]
    finally:
        await ledger.execute(change, WORKSPACE, before["bytes"], before["hash"])
        await ledger.execute("ALTER TABLE facts ENABLE TRIGGER facts_stay")
    await told(demo, since, "agrees again", lambda one: one["copy"] == "store")


async def test_nothing_is_named_while_commands_go_on(demo: Stack) -> None:
    since, described = end_of(demo.services["reconciler"].log), demo.describe()
    token = described["tokens"]["admin"]
    seen = {await compared(demo)}
    async with httpx2.AsyncClient(base_url=described["command_url"]) as http:
        while len(seen) < 3:
            answer = await http.post(
                "/v1/units",
                json={"id": f"unit-{time.time_ns()}", "name": "Made while it looks"},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 201, answer.text
            seen.add(await compared(demo))
    assert alarms(demo, since) == []


async def compared(stack: Stack) -> float:
    """Facts compared so far: another figure after every pass."""
    async with httpx2.AsyncClient() as http:
        text = (await http.get(f"{stack.services['reconciler'].urls[0]}/metrics")).text
    (line,) = [one for one in text.splitlines() if one.startswith("goal_ledger_reconciler_facts_total ")]
    return float(line.split()[1])
