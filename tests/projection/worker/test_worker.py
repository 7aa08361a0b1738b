"""The worker on Apache Kafka and PostgreSQL: whatever is done to it, each fact is in the rows exactly once."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

import asyncpg
import pytest
from goal_ledger_contracts.workspace import StoreRestored
from goal_ledger_local.ports import free_ports
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding.applying import Applier
from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.folding.worker import Worker, opened
from goal_ledger_projection.settings import WorkerSettings
from projection.worker.given import (
    Feed,
    Log,
    Topic,
    all_rows,
    until_folded,
    until_parked,
    worker_settings,
    working,
)
from projection.worker.stories import running_example, visits

Read: TypeAlias = "asyncpg.Connection[Any]"


async def expect_exactly(read: Read, database: WorkersDatabase, log: Log) -> None:
    """The rows are those of folding the log once, fact by fact."""
    found = await all_rows(read, log.workspace)
    async with database.transaction() as connection:
        for table in (*found, "positions"):
            await connection.execute(f"DELETE FROM {table} WHERE workspace = $1", log.workspace)
    applier = Applier(database, 1000)
    many = [
        Record(log.workspace, log.epoch, seq, stored, vouched=True)
        for seq, stored in enumerate(log.stored, 1)
    ]
    await applier.apply(many)
    assert found == await all_rows(read, log.workspace)


async def metric(worker: Worker, name: str) -> float:
    return worker.registry.get_sample_value(f"goal_ledger_projection_{name}") or 0.0


async def until_metric(worker: Worker, name: str, wanted: float) -> None:
    async with asyncio.timeout(10):
        while True:
            if await metric(worker, name) == wanted:
                return
            await asyncio.sleep(0.01)  # a metric can only be asked for


@pytest.fixture
def settings(read_url: str, topic: Topic, feed: Feed) -> WorkerSettings:
    return worker_settings(read_url, topic, feed)


async def test_facts_published_before_and_after_its_start_are_folded(
    settings: WorkerSettings, topic: Topic, read: Read, database: WorkersDatabase
) -> None:
    log = running_example("shop")
    await topic.publish(log, to=20)
    async with working(settings):
        await until_folded(read, log, 20)
        await topic.publish(log, after=20)
        await until_folded(read, log)
    await expect_exactly(read, database, log)


async def test_a_complete_publication_from_the_beginning_changes_nothing(
    settings: WorkerSettings, topic: Topic, read: Read, database: WorkersDatabase
) -> None:
    log, marker = running_example("shop"), visits("marker", 3)
    await topic.publish(log)
    async with working(settings) as worker:
        await until_folded(read, log)
        await topic.publish(log)
        await topic.publish_these(log, [7, 7, 3])
        log.add("unit/sales", log.facts[10].data)
        await topic.publish(log, after=len(log.facts) - 1)
        await topic.publish(marker)
        await until_folded(read, marker)
        await until_folded(read, log)
        assert await metric(worker, "gap_total") == 0
    await expect_exactly(read, database, log)


async def test_a_gap_is_healed_from_the_feed(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = running_example("shop")
    feed.serve(log)
    await topic.publish_these(log, [1, 2, 3, 9])
    async with working(settings.model_copy(update={"heal_page_facts": 7})) as worker:
        await until_folded(read, log)
        assert await metric(worker, "gap_total") >= 1
    await expect_exactly(read, database, log)


async def test_records_out_of_order_come_right(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = visits("shop", 40)
    feed.serve(log)
    await topic.publish_these(log, [5, 1, 4, 2, 3, *range(42, 5, -1)])
    async with working(settings):
        await until_folded(read, log)
    await expect_exactly(read, database, log)


async def test_a_workspace_that_is_behind_with_nothing_arriving_is_healed(
    settings: WorkerSettings, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    many = [visits(f"shop-{n}", 5) for n in range(5)]
    feed.serve(*many)
    impatient = {"behind_before_heal_s": 0.0, "behind_elsewhere_before_heal_s": 0.0}
    async with working(settings.model_copy(update=impatient)):
        for log in many:
            await until_folded(read, log)
        many[0].add("feed/visits", many[0].facts[-1].data)
        await until_folded(read, many[0])
    await expect_exactly(read, database, many[0])


async def test_with_kafka_away_everything_comes_from_the_feed(
    settings: WorkerSettings, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = running_example("shop")
    feed.serve(log)
    (nobody,) = free_ports(1)
    without = {"kafka_bootstrap_servers": f"127.0.0.1:{nobody}", "behind_before_heal_s": 0.0}
    async with working(settings.model_copy(update=without)):
        await until_folded(read, log)
    await expect_exactly(read, database, log)


async def test_a_feed_that_is_away_is_asked_again(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed
) -> None:
    log, other = visits("shop", 10), visits("other", 10)
    feed.serve(log)
    feed.away = True
    await topic.publish_these(log, [1, 5])
    async with working(settings):
        await topic.publish(other)
        await until_folded(read, other)
        await until_folded(read, log, 1)
        feed.away = False
        await until_folded(read, log)


async def test_a_higher_epoch_replaces_what_was_folded(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = running_example("shop")
    await topic.publish(log)
    feed.serve(log)
    recovered = log.under(2, kept=30)
    async with working(settings):
        await until_folded(read, log)
        feed.serve(recovered)
        await topic.publish(recovered, to=1)
        await until_folded(read, recovered, 30)
        assert await read.fetchval("SELECT rebuilding FROM positions WHERE workspace = 'shop'")
        recovered.add("workspace/shop", StoreRestored(30, 2), actor="operator")
        recovered.add("unit/sales", log.facts[10].data)
        await topic.publish(recovered, after=30)
        await topic.publish(log, after=40)
        await until_folded(read, recovered)
        assert not await read.fetchval("SELECT rebuilding FROM positions WHERE workspace = 'shop'")
    await expect_exactly(read, database, recovered)


async def test_a_gap_in_a_new_epoch_is_healed_along_it(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = running_example("shop")
    recovered = log.under(2, kept=30)
    recovered.add("workspace/shop", StoreRestored(30, 2), actor="operator")
    feed.serve(recovered)
    async with working(settings):
        await topic.publish(log)
        await until_folded(read, log)
        await topic.publish_these(recovered, [31])
        await until_folded(read, recovered)
    await expect_exactly(read, database, recovered)


async def test_two_workers_that_both_believe_to_be_the_owner_do_no_harm(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    logs = [visits(f"shop-{n}", 300) for n in range(4)]
    feed.serve(*logs)
    zombie = settings.model_copy(update={"consumer_group": f"{settings.consumer_group}-zombie"})
    async with working(settings), working(zombie):
        await asyncio.gather(*(topic.publish(log) for log in logs))
        for log in logs:
            await until_folded(read, log)
    for log in logs:
        await expect_exactly(read, database, log)


async def test_a_topic_deleted_and_made_again_is_read_from_its_beginning(
    settings: WorkerSettings, topic: Topic, read: Read, database: WorkersDatabase
) -> None:
    log, other = visits("shop", 100), visits("other", 20)
    await topic.publish(log, to=60)
    async with working(settings):
        await until_folded(read, log, 60)
    await topic.delete()
    await topic.make()
    await topic.publish(log)
    await topic.publish(other)
    async with working(settings):
        await until_folded(read, log)
        await until_folded(read, other)
    await expect_exactly(read, database, log)


async def test_a_topic_made_again_under_a_running_worker_is_noticed(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = visits("shop", 100)
    feed.serve(log)
    await topic.publish(log, to=60)
    async with working(settings):
        await until_folded(read, log, 60)
        await topic.delete()
        await topic.make()
        await topic.publish(log)
        await until_folded(read, log)
    await expect_exactly(read, database, log)


async def test_a_workspace_with_a_fact_that_cannot_be_applied_stands_still_alone(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed
) -> None:
    bad, good = visits("bad", 20), visits("good", 20)
    whole = bad.stored[9]
    bad.stored[9] = whole.replace(b'"ReadingRecorded"', b'"ReadingFromTheFuture"')
    async with working(settings):
        await asyncio.gather(topic.publish(bad), topic.publish(good))
        mark = await until_parked(read, "bad")
        await until_folded(read, good)
    assert mark["seq"] == 10 and "ReadingFromTheFuture" in mark["reason"]
    assert await read.fetchval("SELECT next_seq FROM positions WHERE workspace = 'bad'") == 10
    assert await read.fetchval("SELECT count(*) FROM readings WHERE workspace = 'bad'") == 7


async def test_a_parked_workspace_goes_on_when_it_is_retried(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    from goal_ledger_projection.folding.retry import retry_parked

    log = visits("shop", 20)
    whole = log.stored[9]
    log.stored[9] = whole.replace(b'"increment"', b'"incr\\u0000ment"')
    await topic.publish(log)
    feed.serve(log)
    async with working(settings):
        await until_parked(read, "shop")
        assert await retry_parked(settings, None) == ["shop"]
        log.stored[9] = whole
        assert await retry_parked(settings, None) == []
        await until_folded(read, log)
        log.add("feed/visits", log.facts[-1].data)
        await topic.publish(log, after=len(log.facts) - 1)
        await until_folded(read, log)
    await expect_exactly(read, database, log)


async def test_a_store_behind_its_reader_stops_that_workspace(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = visits("shop", 20)
    feed.serve(log)
    await topic.publish(log)
    async with working(settings) as worker:
        await until_folded(read, log)
        feed.serve(log.under(1, kept=10))
        assert (await until_parked(read, "shop"))["reason"] == "store_behind_reader"
        recovered = log.under(2, kept=22)
        recovered.add("workspace/shop", StoreRestored(22, 2), actor="operator")
        feed.serve(recovered)
        await topic.publish(recovered)
        await until_folded(read, recovered)
        await worker.healer.settled()
    await expect_exactly(read, database, recovered)


async def test_a_worker_killed_in_the_middle_leaves_exact_rows(
    settings: WorkerSettings, topic: Topic, read: Read, database: WorkersDatabase
) -> None:
    log = visits("shop", 3000)
    publishing = asyncio.create_task(topic.publish(log))
    in_flight = 0
    for seen in (200, 900, 1800):
        async with opened(settings.model_copy(update={"batch_records": 50})) as worker:
            async with worker.running() as tasks:
                await until_folded(read, log, seen)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            at = await read.fetchval("SELECT next_seq FROM positions WHERE workspace = 'shop'")
            assert await read.fetchval("SELECT count(*) FROM facts") == at - 1
            in_flight += at - 1 < len(log.facts)
    await publishing
    assert in_flight
    async with working(settings):
        await until_folded(read, log)
    await expect_exactly(read, database, log)


async def test_connections_lost_in_the_middle_are_made_again(
    settings: WorkerSettings, topic: Topic, read: Read, database: WorkersDatabase
) -> None:
    log = visits("shop", 2000)
    async with working(settings.model_copy(update={"batch_records": 50})):
        publishing = asyncio.create_task(topic.publish(log))
        for seen in (100, 700, 1500):
            await until_folded(read, log, seen)
            await read.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await publishing
        await until_folded(read, log)
    assert await read.fetchval("SELECT count(*) FROM parked") == 0
    again = await WorkersDatabase.open(settings.read_database_url)
    try:
        await expect_exactly(read, again, log)
    finally:
        await again.close()


async def test_it_waits_for_a_topic_that_is_not_there_yet(
    settings: WorkerSettings, topic: Topic, read: Read
) -> None:
    await topic.delete()
    log = visits("shop", 5)
    async with working(settings) as worker:
        assert worker.checks()["kafka"] != "ok"
        await topic.make()
        await topic.publish(log)
        await until_folded(read, log)
        assert worker.checks() == {"kafka": "ok"}


async def test_lag_is_measured_against_the_heads(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed
) -> None:
    log = visits("shop", 20)
    feed.serve(log)
    await topic.publish(log, to=15)
    async with working(settings) as worker:
        await until_folded(read, log, 15)
        await until_metric(worker, "lag_facts", 7)
        await topic.publish(log, after=15)
        await until_folded(read, log)
