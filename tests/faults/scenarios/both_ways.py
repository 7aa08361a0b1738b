"""One reading over HTTP and Kafka at once counts once; what cannot be read goes whole to the rejected topic."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

from aiokafka import AIOKafkaProducer
from goal_ledger_client import AsyncGoalLedger, Emitter
from goal_ledger_local.stack import Stack

from faults.emitting import inbox_is_there, sale
from faults.finding import Finding
from faults.ground import Ground, break_ground
from faults.records import header, read_topics
from faults.waiting import NotInTime, until
from faults.whole import compare

RECEIPTS_WITHIN_S = 30.0
POISON: tuple[bytes, ...] = (
    b'{"specversion":"1.0","type":"goal-ledger.reading.v1","value":NaN',
    b"\xff\xfe not even text",
    b"",
    b'{"specversion":"1.0","type":"something.else","source":"/shop/till","id":"x","data":{}}',
    b'{"specversion":"1.0"}' * 10_000,
)


async def both_ways(stack: Stack, readings: int = 300) -> Finding:
    """Each reading is sent once over HTTP and twice over Kafka, at the same time."""
    found = Finding("a reading sent over HTTP and Kafka at once counts once")
    ground = await asyncio.to_thread(break_ground, stack, "both-ways")
    await inbox_is_there(ground)
    sales = [sale(f"both-{number}") for number in range(readings)]
    http = AsyncGoalLedger(ground.command_url, ground.query_url, ground.emitter_key)
    async with http, Emitter(ground.kafka, ground.inbox) as emitter:

        async def over_http() -> list[dict[str, Any]]:
            said: list[dict[str, Any]] = []
            for start in range(0, readings, 20):
                said += await http.readings([one.cloud_event() for one in sales[start : start + 20]])
            return said

        said, _ = await asyncio.gather(over_http(), emitter.emit([one for one in sales for _ in range(2)]))
    wanted = {sale.id for sale in sales}
    receipts = await _receipts(found, ground, 2 * readings)
    whole = await compare(ground, readings=wanted)
    found.wrong += [*whole.wrong, *(f"lost {one}" for one in whole.lost)]
    found.wrong += [f"doubled {one}" for one in whole.doubled]
    outcomes: Counter[str] = Counter(one["outcome"] for one in (*said, *receipts))
    applied = Counter(one["id"] for one in (*said, *receipts) if one["outcome"] == "applied")
    found.expect(set(outcomes) <= {"applied", "duplicate"}, f"outcomes are {dict(outcomes)}")
    found.expect(
        applied.keys() == wanted and set(applied.values()) == {1},
        f"{sum(applied.values())} receipts say applied, of {len(applied)} readings; {readings} were sent",
    )
    found.note(outcomes, readings=readings, sent=3 * readings)
    return found


async def poison(stack: Stack) -> Finding:
    """Between good readings; each unreadable message comes back whole, with reason and origin, and blocks nothing."""
    found = Finding("unreadable messages go whole to the rejected topic and block nothing")
    ground = await asyncio.to_thread(break_ground, stack, "poison")
    await inbox_is_there(ground)
    good = [sale(f"good-{number}") for number in range(len(POISON) + 1)]
    offsets: dict[tuple[int, int], bytes] = {}
    producer = AIOKafkaProducer(bootstrap_servers=ground.kafka, acks="all")
    await producer.start()
    try:
        for reading, bad in zip(good, (*POISON, None), strict=True):
            await producer.send_and_wait(ground.inbox, json.dumps(reading.cloud_event()).encode(), key=b"k")
            if bad is not None:
                sent = await producer.send_and_wait(
                    ground.inbox, bad, key=b"k", headers=[("of-the-sender", b"kept")]
                )
                offsets[sent.partition, sent.offset] = bad
    finally:
        await producer.stop()
    whole = await compare(ground, readings={one.id for one in good})
    found.wrong += [*whole.wrong, *(f"lost {one}" for one in whole.lost)]
    await _rejected(found, ground, offsets)
    found.note(good=len(good), poison=len(POISON), facts=whole.facts)
    return found


async def _rejected(found: Finding, ground: Ground, offsets: dict[tuple[int, int], bytes]) -> None:
    """Compare the rejected topic with what was sent."""

    async def all_there() -> bool:
        return len(await read_topics(ground.kafka, [ground.rejected])) >= len(offsets)

    try:
        await until(all_there, RECEIPTS_WITHIN_S, "all poison is in the rejected topic")
    except NotInTime as late:
        found.wrong.append(str(late))
    seen: set[tuple[int, int]] = set()
    for record in await read_topics(ground.kafka, [ground.rejected]):
        at = (int(header(record, "origin_partition") or -1), int(header(record, "origin_offset") or -1))
        seen.add(at)
        found.expect(record.value == offsets.get(at), f"what came back from {at} is not what was sent")
        found.expect(bool(header(record, "reason")), f"no reason is given for {at}")
        found.expect(header(record, "origin_topic") == ground.inbox, f"the origin of {at} is not named")
        found.expect(header(record, "of-the-sender") == "kept", f"the sender's header of {at} is gone")
        found.expect(record.key == b"k", f"the sender's key of {at} is gone")
    found.expect(seen == offsets.keys(), f"rejected are {sorted(seen)}, sent were {sorted(offsets)}")


async def _receipts(found: Finding, ground: Ground, wanted: int) -> list[dict[str, Any]]:
    """The receipts on the emitter's topic, one for each record of the inbox; repeated keys are dropped."""
    receipts: dict[str, dict[str, Any]] = {}

    async def enough() -> bool:
        for record in await read_topics(ground.kafka, [ground.receipts]):
            receipts[str(header(record, "key"))] = json.loads(record.value)
        of_kafka = [one for one in receipts.values() if one["origin"]["via"] == "kafka"]
        return len(of_kafka) >= wanted

    try:
        await until(enough, RECEIPTS_WITHIN_S, f"{wanted} receipts are published", every_s=0.3)
    except NotInTime as late:
        found.wrong.append(f"{late}; there are {len(receipts)}")
    return [one for one in receipts.values() if one["origin"]["via"] == "kafka"]
