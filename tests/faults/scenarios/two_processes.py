"""Two command processes hammer one workspace; and a bulk writer works beside single commands."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from goal_ledger_client import AsyncGoalLedger, Reading
from goal_ledger_local.stack import Stack
from httpx2 import AsyncClient

from faults.another_command import two_commands
from faults.finding import Finding
from faults.ground import SALES, Ground, break_ground
from faults.sending import Means, attempt, http_client
from faults.whole import compare
from faults.writers import Tally

CLIENTS_PER_PROCESS = 12
LONGEST_S = 1.0
BATCH = 500


@dataclass
class Hammering:
    """What each process acknowledged, and the longest time that a command took."""

    of_process: list[int] = field(default_factory=lambda: [0, 0])
    longest_s: float = 0.0
    over_a_second: int = 0


async def two_processes(stack: Stack, check_ins: int = 20_000, *, timed: bool = True) -> Finding:
    """`timed`: a command over 1 s is wrong, not only printed."""
    found = Finding("two processes on one workspace: dense, nothing lost, both live")
    ground = await asyncio.to_thread(break_ground, stack, "hammered")
    tally, seen = Tally(), Hammering()
    numbers = iter(range(check_ins))
    async with two_commands(stack) as urls, http_client() as http:
        began = time.monotonic()
        await asyncio.gather(
            *(
                _hammer(http, url, ground, numbers, tally, seen, process)
                for process, url in enumerate(urls)
                for _ in range(CLIENTS_PER_PROCESS)
            )
        )
        seconds = time.monotonic() - began
    whole = await compare(ground, tally)
    found.wrong += [*whole.wrong, *(f"lost {one}" for one in whole.lost)]
    found.wrong += [f"doubled {one}" for one in whole.doubled]
    found.expect(
        len(tally.acknowledged) == check_ins, f"{len(tally.acknowledged)} of {check_ins} acknowledged"
    )
    least = min(seen.of_process)
    found.expect(4 * least >= check_ins, f"one process had {least} of {check_ins}")
    if timed:
        found.expect(seen.over_a_second == 0, f"{seen.over_a_second} commands took over {LONGEST_S:.0f} s")
    found.note(
        check_ins=check_ins,
        per_second=round(check_ins / seconds),
        of_first=seen.of_process[0],
        of_second=seen.of_process[1],
        longest_ms=round(1000 * seen.longest_s),
    )
    return found


async def _hammer(
    http: AsyncClient,
    url: str,
    ground: Ground,
    numbers: Iterator[int],
    tally: Tally,
    seen: Hammering,
    process: int,
) -> None:
    for number in numbers:
        name = f"hammered-{number}"
        path = f"/v1/key-results/{ground.key_results[number % len(ground.key_results)]}/check-ins"
        body = {"id": name, "values": [{"part": "value", "value": str(number)}]}
        began = time.monotonic()
        sent = await attempt(http, url, ground.token, path, body, f"key-{name}")
        took = time.monotonic() - began
        seen.longest_s = max(seen.longest_s, took)
        seen.over_a_second += took > LONGEST_S
        if sent.means is Means.ACKNOWLEDGED:
            tally.acknowledged[name] = sent.seq
            seen.of_process[process] += 1
        else:
            tally.surprises.append(f"{name}: {sent.means.value} {sent.status} {sent.code}")


async def bulk_beside_singles(stack: Stack, readings: int = 20_000) -> Finding:
    """Speeds are printed, not judged: the machine may be busy with other things."""
    found = Finding("a bulk writer beside single commands")
    ground = await asyncio.to_thread(break_ground, stack, "bulk")
    async with two_commands(stack) as urls, http_client() as http:
        await _bulk(urls[0], ground, "warm", BATCH)
        alone = await _bulk(urls[0], ground, "alone", readings)
        tally, seen, stop = Tally(), Hammering(), asyncio.Event()
        shared = itertools.takewhile(lambda _: not stop.is_set(), itertools.count())
        singles = [
            asyncio.create_task(_hammer(http, urls[1], ground, shared, tally, seen, 1))
            for _ in range(CLIENTS_PER_PROCESS)
        ]
        beside = await _bulk(urls[0], ground, "beside", readings)
        stop.set()
        await asyncio.gather(*singles)
    whole = await compare(ground, tally)
    found.wrong += [*whole.wrong, *(f"lost {one}" for one in whole.lost)]
    found.expect(bool(tally.acknowledged), "no single command came between")
    found.note(
        readings_per_second_alone=round(alone),
        beside=round(beside),
        ratio=round(beside / alone, 2),
        singles=len(tally.acknowledged),
        longest_single_ms=round(1000 * seen.longest_s),
    )
    return found


async def _bulk(url: str, ground: Ground, name: str, readings: int) -> float:
    """Readings per second."""
    at = datetime.now(UTC) - timedelta(hours=1)
    async with AsyncGoalLedger(url, ground.query_url, ground.emitter_key) as emitter:
        began = time.monotonic()
        for start in range(0, readings, BATCH):
            batch = [
                Reading("/bulk", f"{name}-{n}", SALES, at, "1", "pieces").cloud_event()
                for n in range(start, min(start + BATCH, readings))
            ]
            receipts = await emitter.readings(batch)
            assert all(one["outcome"] == "applied" for one in receipts), receipts[0]
        return readings / (time.monotonic() - began)
