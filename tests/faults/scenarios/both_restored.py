"""Store and Kafka are put back together, as a restore of a whole site does; a new epoch keeps the log from forking."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from goal_ledger_client import Answer, exchange
from goal_ledger_local.stack import Stack

from faults.finding import Finding
from faults.ground import Ground, break_ground
from faults.records import facts_of, header
from faults.sending import http_client
from faults.waiting import until

SERVICES = ("command", "relay", "worker", "query")
WITHIN_S = 60.0


@dataclass
class _Known:
    """What somebody outside knows of a workspace before its restore."""

    kept: str
    """A position up to the fork, and the answer that was given at it."""
    answer: bytes
    token: str
    heads: dict[str, str] = field(default_factory=dict)
    lost: str = ""


async def both_restored(stack: Stack, check_ins: int = 10) -> Finding:
    """Back up, write on, put both back, `new-epoch`, go on. The read database and the keys stay as they are."""
    found = Finding("store and Kafka put back together go on in a new epoch, and fork nothing")
    ground = await asyncio.to_thread(break_ground, stack, "site")
    with tempfile.TemporaryDirectory() as directory:
        kept = await _check_in(ground, check_ins)
        known = await _seen(ground, kept.position)
        await asyncio.to_thread(_back_up, stack, Path(directory))
        lost = await _check_in(ground, check_ins)
        known.lost = lost.position
        saved = Path(directory) / "head"
        saved.write_text(await _signed(ground, int(lost.position.partition("-")[2])))
        said = await asyncio.to_thread(_put_back, stack, Path(directory), saved)
    fork = int(kept.position.partition("-")[2])
    told = [json.loads(line) for line in said.splitlines()]
    own = [one for one in told if one["workspace"] == ground.workspace]
    found.expect(
        own == [{"workspace": ground.workspace, "position": f"2-{fork + 1}", "epoch": 2, "fork_seq": fork}],
        f"new-epoch said {said}",
    )
    after = await _check_in(ground, 1)
    found.expect(after.position == f"2-{fork + 2}", f"the next command is at {after.position}")
    await _goes_on(found, ground, known, after.position)
    found.note(fork=fork, lost=known.lost, now=after.position)
    return found


async def _goes_on(found: Finding, ground: Ground, known: _Known, position: str) -> None:
    goal = f"/v1/key-results/{ground.key_results[0]}"
    async with http_client() as http:
        await _answered_at(http, ground, goal, position)
        for where, path, query in (
            (ground.query_url, goal, {"known_at": known.lost}),
            (ground.query_url, goal, {"headers": {"Goal-Ledger-Position": known.lost}}),
            (ground.command_url, "/v1/log", {"epoch": "1", "after": known.lost.partition("-")[2]}),
        ):
            gone = await _get(http, ground, where + path, **query)
            found.expect(
                (gone.status_code, gone.json().get("code")) == (410, "position_lost"),
                f"{path} {query} answers {gone.status_code} {gone.text[:200]}",
            )
        again = await _get(http, ground, ground.query_url + goal, token=known.token)
        found.expect(again.content == known.answer, f"the old token gives {again.text[:300]}")
        kept = await _get(http, ground, ground.query_url + goal, headers={"Goal-Ledger-Position": known.kept})
        found.expect(kept.status_code == 200, f"a kept position answers {kept.status_code}")
    log = await _log(ground)
    restored = json.loads(log[int(known.kept.partition("-")[2])])
    found.expect(restored["type"] == "StoreRestored", f"the fact after the fork is {restored['type']}")
    found.expect(len(restored["data"].get("lost_heads", ())) == 1, f"the lost heads are {restored['data']}")
    await _published(found, ground, log)
    note = await _signed(ground, len(log))
    found.expect(note.startswith(f"goal-ledger.local/{ground.workspace}/2\n"), f"a head of {note[:80]}")


async def _published(found: Finding, ground: Ground, log: list[bytes]) -> None:
    """Everything once more under the new epoch, the same bytes; and no number of an epoch given twice."""

    async def whole() -> bool:
        records = await facts_of(ground.kafka, ground.workspace)
        return {int(header(one, "seq") or 0) for one in records if header(one, "epoch") == "2"} >= set(
            range(1, len(log) + 1)
        )

    await until(whole, WITHIN_S, "the relay has published the new epoch", every_s=0.5)
    by_place: dict[tuple[str | None, str | None], set[bytes]] = {}
    for one in await facts_of(ground.kafka, ground.workspace):
        by_place.setdefault((header(one, "epoch"), header(one, "seq")), set()).add(one.value)
    found.expect(all(len(some) == 1 for some in by_place.values()), "a place in Kafka has two contents")
    same = all(by_place["2", str(seq)] == {stored} for seq, stored in enumerate(log, 1))
    found.expect(same, "the bytes under the new epoch are not those of the store")


def _back_up(stack: Stack, directory: Path) -> None:
    """Kafka first, the store after it: so the store is never behind what Kafka holds."""
    stack.terminate("kafka")
    shutil.copytree(stack.directory / "kafka", directory / "kafka")
    stack.postgres.dump("ledger", directory / "ledger.dump")
    stack.restart("kafka")


def _put_back(stack: Stack, directory: Path, head: Path) -> str:
    """What new-epoch said."""
    for name in SERVICES:
        stack.kill(name)
    stack.terminate("kafka")
    shutil.rmtree(stack.directory / "kafka")
    shutil.copytree(directory / "kafka", stack.directory / "kafka")
    stack.postgres.restore("ledger", directory / "ledger.dump")
    stack.restart("kafka")
    said = stack.operator("new-epoch", "--all", "--reason", "Disk lost", "--lost-head", str(head), "--json")
    for name in SERVICES:
        stack.restart(name)
    return said


async def _check_in(ground: Ground, many: int) -> Answer:
    def write() -> Answer:
        with ground.client() as ada:
            path = f"/v1/key-results/{ground.key_results[0]}/check-ins"
            return [
                ada.command(path, {"values": [{"part": "value", "value": str(number)}]})
                for number in range(many)
            ][-1]

    return await asyncio.to_thread(write)


async def _seen(ground: Ground, position: str) -> _Known:
    goal = f"{ground.query_url}/v1/key-results/{ground.key_results[0]}"
    async with http_client() as http:
        await _answered_at(http, ground, f"/v1/key-results/{ground.key_results[0]}", position)
        first = await _get(http, ground, goal, known_at=position)
        token = str(first.json()["token"])
        again = await _get(http, ground, goal, token=token)
    return _Known(position, again.content, token)


async def _answered_at(http: httpx2.AsyncClient, ground: Ground, path: str, position: str) -> None:
    async def answered() -> bool:
        wanted = {"Goal-Ledger-Position": position}
        return (await _get(http, ground, ground.query_url + path, headers=wanted)).status_code == 200

    await until(answered, WITHIN_S, f"the query side answers at {position}", every_s=0.2)


async def _signed(ground: Ground, seq: int) -> str:
    """The checkpoint, as soon as it is of that seq; whether its root is the log's is counted anew."""
    notes: list[str] = []

    async def there() -> bool:
        async with http_client() as http:
            answer = await _get(http, ground, f"{ground.command_url}/v1/log/checkpoint")
        notes.append(answer.text)
        return answer.status_code == 200 and answer.text.split("\n")[1] == str(seq)

    await until(there, WITHIN_S, f"a signed head of seq {seq}", every_s=0.3)
    return notes[-1]


async def _log(ground: Ground) -> list[bytes]:
    async with http_client() as http:
        answer = await _get(http, ground, f"{ground.command_url}/v1/log", limit="5000")
    return [line for line in answer.content.split(b"\n") if line]


async def _get(
    http: httpx2.AsyncClient, ground: Ground, url: str, headers: dict[str, str] | None = None, **query: Any
) -> httpx2.Response:
    return await http.get(url, params=query, headers={**exchange.headers(ground.token), **(headers or {})})
