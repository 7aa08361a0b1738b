"""Nothing is written to a store that is behind what Kafka holds, and nothing published over it."""

from __future__ import annotations

import asyncio

import pytest
from goal_ledger_command.beyond_store import BeyondStore
from goal_ledger_command.write_gate import StoreBehindKafkaGate
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import NotRecorded, StoreBehindLog
from support.by_hand import past_the_trigger

from .conftest import Bench, Written, until


async def restore_to(bench: Bench, one: Written, seq: int) -> None:
    """What a dump from the moment of ``seq`` would give: facts, head and marks of then."""
    async with raw_connection(bench.engine) as raw:
        await past_the_trigger(raw)
        await raw.execute("DELETE FROM facts WHERE workspace = $1 AND seq > $2", one.workspace, seq)
        await raw.execute("UPDATE heads SET seq = $2 WHERE workspace = $1", one.workspace, seq)
        await raw.execute("DELETE FROM published WHERE workspace = $1", one.workspace)
        await raw.execute("DELETE FROM partition_marks")
    del one.facts[seq:]


async def test_a_store_that_holds_what_kafka_holds_is_open(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 20)
    async with bench.relaying():
        await bench.all_published(one)
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    with pytest.raises(NotRecorded, match="what Kafka holds"):
        await gate.check(one.workspace)
    await gate.look()
    await gate.check(one.workspace)


async def test_a_store_restored_to_an_earlier_moment_refuses_writes_of_that_workspace_alone(bench: Bench):
    one, other = bench.store.workspace(), bench.store.workspace()
    await bench.store.many(one, 20)
    await bench.store.many(other, 5)
    async with bench.relaying():
        await bench.all_published(one, other)
    await restore_to(bench, one, 12)
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    await gate.look()
    await gate.check(other.workspace)
    with pytest.raises(StoreBehindLog, match="Kafka holds this workspace up to 1-20"):
        await gate.check(one.workspace)


async def test_a_workspace_that_only_kafka_knows_is_refused_too(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 3)
    async with bench.relaying():
        await bench.all_published(one)
    async with raw_connection(bench.engine) as raw:
        await past_the_trigger(raw)
        await raw.execute("DELETE FROM facts")
        await raw.execute("DELETE FROM heads")
        await raw.execute("DELETE FROM partition_marks")
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    await gate.look()
    with pytest.raises(StoreBehindLog):
        await gate.check(one.workspace)


async def test_a_recovery_that_raises_the_epoch_opens_the_gate_again(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 10)
    async with bench.relaying():
        await bench.all_published(one)
    await restore_to(bench, one, 6)
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    await gate.look()
    with pytest.raises(StoreBehindLog):
        await gate.check(one.workspace)
    one.epoch = 2
    await bench.store.many(one, 5)
    await gate.look()
    await gate.check(one.workspace)


async def test_the_relay_publishes_nothing_of_a_restored_workspace_but_goes_on_with_others(bench: Bench):
    one, other = bench.store.workspace(), bench.store.workspace()
    await bench.store.many(one, 20)
    await bench.store.many(other, 5)
    async with bench.relaying():
        await bench.all_published(one, other)
    before = await bench.facts(one)
    await restore_to(bench, one, 12)
    await bench.store.many(one, 2)  # a writer that does not ask
    async with bench.relaying():
        await bench.store.many(other, 5)
        await bench.all_published(other)
    assert await bench.facts(one) == before


async def test_with_kafka_out_of_reach_the_gate_stays_closed_and_once_read_it_stays_open(bench: Bench):
    away = StoreBehindKafkaGate(bench.engine, "127.0.0.1:1")
    with pytest.raises(Exception, match=r"bootstrap|connect"):
        await away.look()
    with pytest.raises(NotRecorded):
        await away.check("any")
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    running = asyncio.create_task(gate.run())

    async def is_open() -> bool:
        return gate.closed_because is None

    await until(is_open)
    running.cancel()
    gate._beyond = BeyondStore(bench.engine, "127.0.0.1:1")  # Kafka goes away
    with pytest.raises(Exception, match=r"bootstrap|connect"):
        await gate.look()
    await gate.check("any")
