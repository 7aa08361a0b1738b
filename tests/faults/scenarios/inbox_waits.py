"""PostgreSQL is killed while the inbox has readings: none is rejected, all are applied afterwards."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

from goal_ledger_client import Emitter
from goal_ledger_local.stack import Stack

from faults.emitting import inbox_is_there, sale
from faults.finding import Finding
from faults.ground import break_ground
from faults.records import read_topics
from faults.whole import compare


async def inbox_waits(stack: Stack, readings: int = 2000, down_s: float = 5.0) -> Finding:
    """Half of the readings are sent as the database dies, half while it is away."""
    found = Finding("a database that is away rejects no reading")
    ground = await asyncio.to_thread(break_ground, stack, "waiting")
    await inbox_is_there(ground)
    sales = [sale(f"waits-{number}") for number in range(readings)]
    half = readings // 2
    async with Emitter(ground.kafka, ground.inbox) as emitter:
        sending = asyncio.create_task(emitter.emit(sales[:half]))
        await asyncio.to_thread(stack.kill, "postgres")
        await sending
        await emitter.emit(sales[half:])
    await asyncio.sleep(down_s)
    await asyncio.to_thread(stack.restart, "postgres")
    whole = await compare(ground, readings={one.id for one in sales})
    found.wrong += whole.wrong
    found.expect(not whole.lost, f"{len(whole.lost)} readings are not recorded, {sorted(whole.lost)[:3]}")
    found.expect(not whole.doubled, f"{len(whole.doubled)} readings are recorded twice")
    rejected = await read_topics(ground.kafka, [ground.rejected])
    found.expect(not rejected, f"{len(rejected)} records were rejected")
    outcomes = Counter(
        json.loads(one.value)["outcome"] for one in await read_topics(ground.kafka, [ground.receipts])
    )
    found.expect("refused" not in outcomes, f"receipts: {dict(outcomes)}")
    found.note(readings=readings, rejected=len(rejected), whole_after_s=whole.read_side_s)
    return found
