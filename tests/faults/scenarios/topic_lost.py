"""The topic of facts is deleted while the worker is stopped and has not read all: both come back whole."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from goal_ledger_demo import record
from goal_ledger_demo.record import FACTS, Unproven
from goal_ledger_local.stack import Stack

from faults.finding import Finding
from faults.ground import Ground, break_ground
from faults.records import all_topics
from faults.waiting import NotInTime, until

READ_SIDE_WITHIN_S = 30.0
TOPIC_WITHIN_S = 60.0
MADE_AGAIN_WITHIN_S = 30.0
PARTITIONS = 24


async def topic_made_by_another(stack: Stack) -> Finding:
    """As below, but somebody makes the topic again at once: an idempotent producer goes on without an error."""
    return await topic_lost(stack, made_by_another=True)


async def topic_lost(stack: Stack, check_ins: int = 300, *, made_by_another: bool = False) -> Finding:
    """Facts are written and published with the worker down; the relay makes the deleted topic again."""
    found = Finding("a deleted topic is made and filled again, and the read side comes to the head")
    ground = await asyncio.to_thread(break_ground, stack, "topic-lost")
    await asyncio.to_thread(stack.terminate, "worker")
    try:
        await asyncio.to_thread(_check_in, ground, check_ins)
        facts = await asyncio.to_thread(record.read_log, ground.command_url, ground.token)
        await until(lambda: _published(ground, facts), TOPIC_WITHIN_S, "the facts are published")
        clock = asyncio.get_running_loop().time
        await _delete(ground, make_again=made_by_another)
        deleted_at = clock()
        again = await until(lambda: _is_there(ground), MADE_AGAIN_WITHIN_S, "the topic is made again", 0.2)
    finally:
        await asyncio.to_thread(stack.restart, "worker")
    started_at = clock()
    try:
        await until(lambda: _folded(ground, facts), READ_SIDE_WITHIN_S, "the read side is whole")
        read_side_s = clock() - started_at
        left_s = TOPIC_WITHIN_S - (clock() - deleted_at)
        await until(lambda: _published(ground, facts), left_s, f"the topic, {TOPIC_WITHIN_S:.0f} s after")
        found.note(read_side_s=round(read_side_s, 1), topic_s=round(clock() - deleted_at, 1))
    except NotInTime as late:
        found.wrong.append(str(late))
    found.note(facts=len(facts), made_again_s=round(again, 1))
    return found


def _check_in(ground: Ground, many: int) -> None:
    with ground.client() as ada:
        for number in range(many):
            body = {"values": [{"part": "value", "value": str(number)}]}
            ada.command(f"/v1/key-results/{ground.key_results[0]}/check-ins", body)


async def _published(ground: Ground, facts: list[bytes]) -> bool:
    topic = await record.read_topic(ground.kafka, ground.workspace, len(facts))
    return _same("topic", facts, topic)


async def _folded(ground: Ground, facts: list[bytes]) -> bool:
    rows = await record.read_rows(ground.stack.describe()["read_database_url"], ground.workspace)
    return _same("rows", facts, rows)


def _same(name: str, facts: list[bytes], found: dict[int, bytes]) -> bool:
    try:
        record.compare(name, facts, found)
    except Unproven:
        return False
    return True


async def _delete(ground: Ground, *, make_again: bool) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka)
    await admin.start()
    try:
        await admin.delete_topics([FACTS])
        if make_again:
            made = await admin.create_topics([NewTopic(FACTS, PARTITIONS, 1)])
            assert all(error[1] == 0 for error in made.topic_errors), made
    finally:
        await admin.close()


async def _is_there(ground: Ground) -> bool:
    return FACTS in await all_topics(ground.kafka)
