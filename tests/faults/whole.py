"""Is the record whole, and does it hold what was acknowledged, once?

Log, chains, root, topic and read model are compared by the demo's proof (`goal_ledger_demo.record`), which shares no
code with the ledger; here it is given time: the topic, the signed head and the read side follow the store.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from goal_ledger_demo import record
from goal_ledger_demo.record import Unproven

from faults.ground import Ground
from faults.writers import Tally

WITHIN_S = 60.0
ASK_AGAIN_S = 0.2


@dataclass
class Whole:
    """What a comparison found. Empty `wrong`: store, topic and read model are the same and hold what they must."""

    facts: int = 0
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    topic_s: float = 0.0
    read_side_s: float = 0.0
    head_s: float = 0.0


async def compare(
    ground: Ground, tally: Tally | None = None, readings: Iterable[str] = (), within_s: float = WITHIN_S
) -> Whole:
    """Compare everything of one workspace that nobody writes to any more, but for readings on their way."""
    found = Whole()
    facts = await log_with(ground, set(readings), found, within_s)
    found.facts = len(facts)
    try:
        record.check_chains(facts)
    except Unproven as wrong:
        found.wrong.append(str(wrong))
    _count(facts, tally or Tally(), set(readings), found)
    root = record.merkle_root([record.leaf(fact) for fact in facts]).hex()

    async def signed() -> None:
        head = await asyncio.to_thread(record.read_head, ground.command_url, ground.token, ground.workspace)
        if (head.seq, head.root) != (len(facts), root):
            raise Unproven(f"the signed head is {head.seq} {head.root}, counted anew {len(facts)} {root}")

    async def published() -> None:
        topic = await record.read_topic(ground.kafka, ground.workspace, len(facts))
        record.compare("ledger.facts", facts, topic)

    async def folded() -> None:
        rows = await record.read_rows(ground.stack.describe()["read_database_url"], ground.workspace)
        record.compare("the read model", facts, rows)

    found.read_side_s = await _in_time(folded, within_s, found)
    found.topic_s = await _in_time(published, within_s, found)
    found.head_s = await _in_time(signed, within_s, found)
    return found


async def log_with(ground: Ground, readings: set[str], found: Whole, within_s: float) -> list[bytes]:
    """The whole log, as soon as the readings are in it; after that time, as it is."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        facts = await asyncio.to_thread(record.read_log, ground.command_url, ground.token)
        missing = readings - _readings(facts).keys()
        if not missing:
            return facts
        if loop.time() - began > within_s:
            found.lost |= missing
            return facts
        await asyncio.sleep(ASK_AGAIN_S)


async def _in_time(holds: Callable[[], Awaitable[None]], within_s: float, found: Whole) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        try:
            await holds()
            return round(loop.time() - began, 2)
        except Unproven as not_yet:
            if loop.time() - began > within_s:
                found.wrong.append(f"after {within_s:.0f} s: {not_yet}")
                return within_s
        await asyncio.sleep(ASK_AGAIN_S)


def _count(facts: list[bytes], tally: Tally, readings: set[str], found: Whole) -> None:
    places = check_ins(facts)
    times = Counter({name: len(seqs) for name, seqs in places.items()}) + _readings(facts)
    found.lost |= tally.acknowledged.keys() - places.keys()
    found.doubled |= {name for name, many in times.items() if many > 1}
    for name, seq in tally.acknowledged.items():
        if name in places and seq not in places[name]:
            found.wrong.append(f"{name} was acknowledged at {seq} and lies at {places[name]}")
    there = sorted(tally.let_go & places.keys())
    if there:
        found.wrong.append(f"said to be not recorded, yet there: {', '.join(there[:5])} ({len(there)})")
    found.wrong += tally.surprises


def check_ins(facts: list[bytes]) -> dict[str, list[int]]:
    """Where each check-in was recorded."""
    places: dict[str, list[int]] = {}
    for fact in map(json.loads, facts):
        if fact["type"] == "CheckInRecorded":
            places.setdefault(fact["data"]["check_in"], []).append(fact["seq"])
    return places


def _readings(facts: list[bytes]) -> Counter[str]:
    kinds = ("ReadingRecorded", "ReadingQuarantined")
    return Counter(fact["data"]["id"] for fact in map(json.loads, facts) if fact["type"] in kinds)
