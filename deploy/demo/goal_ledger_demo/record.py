"""The record held against itself: store = topic = read model, byte for byte, and its Merkle root counted again.

Nothing of the ledger's own code is used here: chains and roots are computed by the few lines below (RFC 6962).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
from aiokafka import AIOKafkaConsumer

PAGE = 1000
FACTS = "ledger.facts"
WAIT_S = 30.0


class Unproven(Exception):
    """Something that should agree does not; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Head:
    """The record's head as the command service tells it: position `<epoch>-<seq>`, root in hex."""

    seq: int
    root: str


def leaf(fact: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + fact).digest()


def merkle_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1: the largest power of two below n goes left."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def read_log(command_url: str, token: str) -> list[bytes]:
    """Every fact of the workspace, as its stored bytes."""
    facts: list[bytes] = []
    with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30.0) as http:
        while True:
            response = _patiently(http, f"{command_url}/v1/log", {"after": len(facts), "limit": PAGE})
            if response.status_code != 200:
                raise Unproven(f"GET /v1/log answered {response.status_code}: {response.text[:200]}")
            page = response.content.splitlines()
            if not page:
                return facts
            facts += page


def _patiently(http: httpx2.Client, address: str, params: dict[str, int]) -> httpx2.Response:
    """Asked again while the service says that it cannot answer now (503), for as long as the demo waits."""
    until = time.monotonic() + WAIT_S
    while True:
        response = http.get(address, params=params)
        if response.status_code != 503 or time.monotonic() > until:
            return response
        time.sleep(0.2)


def read_head(command_url: str, token: str, workspace: str) -> Head:
    """The signed checkpoint: C2SP `tlog-checkpoint`, origin, size and root."""
    response = httpx2.get(f"{command_url}/v1/log/checkpoint", headers={"Authorization": f"Bearer {token}"})
    if response.status_code != 200:
        raise Unproven(f"GET /v1/log/checkpoint answered {response.status_code}: {response.text[:200]}")
    origin, size, root, *_ = response.text.split("\n")
    if f"/{workspace}/" not in f"{origin}/":
        raise Unproven(f"the checkpoint is of another log: {origin}")
    return Head(int(size), base64.b64decode(root).hex())


def check_chains(facts: list[bytes]) -> int:
    """Density, chains and canonical form. Returns the number of streams."""
    last: dict[str, tuple[int, str]] = {}
    for number, raw in enumerate(facts, 1):
        fact = json.loads(raw)
        version, previous = last.get(fact["stream"], (0, None))
        if fact["seq"] != number:
            raise Unproven(f"fact {number} of the log has seq {fact['seq']}")
        if (fact["version"], fact["previous"]) != (version + 1, previous):
            raise Unproven(f"the chain of {fact['stream']} is broken at seq {number}")
        if json.dumps(fact, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != raw:
            raise Unproven(f"seq {number} is not in canonical form")
        last[fact["stream"]] = (version + 1, leaf(raw).hex())
    return len(last)


async def read_topic(bootstrap: str, workspace: str, wanted: int) -> dict[int, bytes]:
    """The workspace's records of `ledger.facts` by seq; waits until all have come."""
    consumer = AIOKafkaConsumer(
        FACTS, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[int, bytes] = {}
    try:
        until = time.monotonic() + WAIT_S
        while len(found) < wanted and time.monotonic() < until:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == workspace.encode():
                        seq = int(dict(record.headers)["seq"])
                        if found.setdefault(seq, record.value) != record.value:
                            raise Unproven(f"seq {seq} was published twice with different bytes")
        return found
    finally:
        await asyncio.wait_for(consumer.stop(), 5)


async def read_rows(url: str, workspace: str) -> dict[int, bytes]:
    """The read model's copy of the facts, by seq."""
    connection = await asyncpg.connect(url)
    try:
        schema = await connection.fetchval(
            "SELECT name FROM public.projection_versions WHERE live ORDER BY live_since DESC LIMIT 1"
        )
        rows: list[Any] = await connection.fetch(
            f'SELECT seq, bytes FROM "{schema}".facts WHERE workspace = $1', workspace
        )
        return {row["seq"]: bytes(row["bytes"]) for row in rows}
    finally:
        await connection.close()


def compare(name: str, facts: list[bytes], found: dict[int, bytes]) -> None:
    """Raises Unproven at the first difference."""
    for seq, raw in enumerate(facts, 1):
        if seq not in found:
            raise Unproven(f"seq {seq} is in the store but not in {name}")
        if found[seq] != raw:
            raise Unproven(f"seq {seq} has other bytes in {name} than in the store")
    if len(found) != len(facts):
        raise Unproven(f"{name} holds {len(found)} facts, the store {len(facts)}")
