"""The relay publishes every fact, in order, whatever happens to it or to the topic."""

from __future__ import annotations

import asyncio

import pytest
from goal_ledger_command.relay.facts import FactsPublisher
from goal_ledger_command.relay.lease import Lease, LeaseLost
from goal_ledger_command.relay.marks import PublishedTo
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.topic_watch import TopicWatch
from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.topics import FACTS
from goal_ledger_observability.metrics import new_registry
from support.by_hand import past_the_trigger

from .conftest import Bench, cut, delete_topic, folded, until


def publisher(bench: Bench, term: int) -> FactsPublisher:
    marks = PublishedTo(bench.engine, term)
    metrics = RelayMetrics(new_registry("test"))
    return FactsPublisher(
        bench.engine, bench.bootstrap, marks, TopicWatch(bench.bootstrap, marks), metrics, asyncio.Event()
    )


async def test_every_fact_of_every_workspace_is_published_once_in_order_byte_for_byte(bench: Bench):
    written = [bench.store.workspace() for _ in range(5)]
    for one in written:
        await bench.store.many(one, 40)
    async with bench.relaying():
        await bench.all_published(*written)
        for one in written:
            await bench.store.many(one, 7)
        await bench.all_published(*written)
    for one in written:
        assert await bench.facts(one) == [(1, seq + 1, stored) for seq, stored in enumerate(one.facts)]


async def test_records_lie_in_the_partition_that_we_compute_with_the_workspace_as_key(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 3)
    async with bench.relaying():
        await bench.all_published(one)
    records = await bench.records(FACTS, one.workspace)
    assert {(record.partition, record.key) for record in records} == {
        (partition_of(one.workspace, 24), one.workspace.encode())
    }
    assert dict(records[0].headers)["ce_type"] == b"ObjectiveDrafted"


async def test_a_relay_cancelled_in_the_middle_and_started_again_leaves_no_gap(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 9_000)
    for part in (1, 3_500, 6_000):
        async with bench.relaying():

            async def some_are_out(part: int = part) -> bool:
                return await bench.published(one) >= part

            await until(some_are_out)
    async with bench.relaying():
        await bench.all_published(one)
    assert folded(await bench.facts(one)) == one.facts


async def test_two_relays_at_once_do_no_harm_and_the_one_without_the_lease_moves_no_mark(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 4_000)
    lease = Lease(bench.engine)
    zombie_term = await lease.acquire()
    assert zombie_term is not None
    await lease.release(zombie_term)
    term = await Lease(bench.engine, seconds=600).acquire()
    assert term == zombie_term + 1
    with pytest.raises(LeaseLost):
        await publisher(bench, zombie_term).run()
    assert await bench.published(one) == 0
    publishing = asyncio.create_task(publisher(bench, term).run())
    zombie = asyncio.create_task(publisher(bench, zombie_term).run())
    await bench.all_published(one)
    publishing.cancel()
    await asyncio.gather(publishing, zombie, return_exceptions=True)
    records = await bench.facts(one)
    assert len(records) > len(one.facts)
    assert folded(records) == one.facts


async def test_a_second_relay_stands_by_and_takes_over_when_the_first_ends(bench: Bench):
    one = bench.store.workspace()
    async with bench.relaying() as first:
        await bench.store.many(one, 5)
        await bench.all_published(one)
        async with bench.relaying():
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            await bench.store.many(one, 5)
            await bench.all_published(one)
    assert [record[1] for record in await bench.facts(one)] == list(range(1, 11))


async def test_a_new_epoch_is_published_again_from_the_first_fact_with_the_same_bytes(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 30)
    async with bench.relaying():
        await bench.all_published(one)
        one.epoch = 2
        await bench.store.many(one, 1)
        await bench.all_published(one)
    records = await bench.facts(one)
    assert folded(records, 1) == one.facts[:30]
    assert folded(records, 2) == one.facts


async def test_a_topic_deleted_and_made_again_is_whole_again_when_the_relay_starts(bench: Bench):
    written = [bench.store.workspace() for _ in range(3)]
    for one in written:
        await bench.store.many(one, 25)
    async with bench.relaying():
        await bench.all_published(*written)
    await delete_topic(bench, FACTS)
    for one in written:
        await bench.store.many(one, 1)
    async with bench.relaying():
        await bench.all_published(*written)
    for one in written:
        assert folded(await bench.facts(one)) == one.facts


async def test_a_topic_made_again_under_a_running_relay_is_noticed_and_filled_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goal_ledger_command.relay.topic_watch.LOOK_EVERY_S", 0.2)
    one = bench.store.workspace()
    await bench.store.many(one, 25)
    async with bench.relaying():
        await bench.all_published(one)
        await delete_topic(bench, FACTS)

        async def whole_again() -> bool:
            return len(await bench.facts(one)) >= 25

        await until(whole_again)
    assert folded(await bench.facts(one)) == one.facts


async def test_a_topic_cut_at_its_beginning_is_whole_again_when_the_relay_starts(bench: Bench):
    one = bench.store.workspace()
    other = bench.store.workspace_elsewhere(one)
    for each in (one, other):
        await bench.store.many(each, 25)
    async with bench.relaying():
        await bench.all_published(one, other)
    whole = await bench.facts(other)
    assert await cut(bench, partition_of(one.workspace, 24)) >= 25
    assert await bench.facts(one) == []
    for _ in range(2):  # once it is whole nothing is published again
        await bench.store.many(one, 1)
        async with bench.relaying():
            await bench.all_published(one)
    assert await bench.facts(one) == [(1, seq + 1, stored) for seq, stored in enumerate(one.facts)]
    assert await bench.facts(other) == whole


async def test_a_topic_cut_under_a_running_relay_is_noticed_and_told_and_whole_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("goal_ledger_command.relay.topic_watch.LOOK_EVERY_S", 0.2)
    one = bench.store.workspace()
    await bench.store.many(one, 25)
    async with bench.relaying():
        await bench.all_published(one)
        for _ in range(2):
            await cut(bench, partition_of(one.workspace, 24))

            async def whole_again() -> bool:
                return len(await bench.facts(one)) >= 25

            await until(whole_again)
    assert folded(await bench.facts(one)) == one.facts
    assert "cut at their beginning" in capsys.readouterr().out


async def test_a_store_set_back_under_a_running_relay_is_noticed_and_nothing_is_published_over(bench: Bench):
    one, other = bench.store.workspace(), bench.store.workspace()
    await bench.store.many(one, 20)
    async with bench.relaying():
        await bench.all_published(one)
        before = await bench.facts(one)
        async with raw_connection(bench.engine) as raw, raw.transaction():
            await past_the_trigger(raw)
            await raw.execute("DELETE FROM facts WHERE workspace = $1 AND seq > 12", one.workspace)
            await raw.execute("UPDATE heads SET seq = 12 WHERE workspace = $1", one.workspace)
            await raw.execute("UPDATE published SET seq = 10 WHERE workspace = $1", one.workspace)
            await raw.execute("DELETE FROM partition_marks WHERE topic = $1", FACTS)
        await bench.store.many(other, 3)
        await bench.all_published(other)
    assert await bench.facts(one) == before


async def test_another_number_of_partitions_than_the_recorded_one_is_refused(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 1)
    async with bench.relaying():
        await bench.all_published(one)
    async with raw_connection(bench.engine) as raw:
        await raw.execute("UPDATE settings SET value = '12' WHERE name = 'facts_partitions'")
    term = await Lease(bench.engine).acquire()
    assert term is not None
    with pytest.raises(Exception, match="has 24 partitions, recorded are 12"):
        await publisher(bench, term).run()
