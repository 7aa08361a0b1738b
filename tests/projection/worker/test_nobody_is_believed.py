"""Nobody is believed because of where a record came from: what does not continue the log is not applied."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import pytest
from goal_ledger_contracts.envelope import Fact, to_bytes
from goal_ledger_contracts.feed import ReadingRecorded
from goal_ledger_contracts.ids import uuid7
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding.rebuild import rebuild
from goal_ledger_projection.folding.retry import retry_parked
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
from projection.worker.stories import visits
from projection.worker.test_worker import expect_exactly, metric, until_metric

Read: TypeAlias = "asyncpg.Connection[Any]"


@pytest.fixture
def settings(read_url: str, topic: Topic, feed: Feed) -> WorkerSettings:
    return worker_settings(read_url, topic, feed)


def forged(log: Log, **changed: Any) -> Log:
    """The log with a fact more that nobody recorded: the next seq, another value."""
    more = log.under(log.epoch, kept=len(log.facts))
    told = more.add("feed/visits", replace(reading(log.facts[-1]), id="forged", value=Decimal(9)))
    if changed:
        more.stored[-1] = to_bytes(replace(told, event_id=uuid7(), **changed))
    return more


def reading(fact: Fact) -> ReadingRecorded:
    assert isinstance(fact.data, ReadingRecorded)
    return fact.data


NOT_CHAINED = {
    "a broken chain": {"previous": "0" * 64},
    "no chain": {"previous": None},
    "a stream begun anew": {"previous": None, "version": 1},
    "a version left out": {"version": 99},
    "another stream's next": {"stream": "feed/orders", "version": 2},
}


@pytest.mark.parametrize("how", NOT_CHAINED)
async def test_a_record_that_does_not_continue_its_stream_is_not_applied(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase, how: str
) -> None:
    log = visits("shop", 20)
    feed.serve(log)
    await topic.publish(log)
    async with working(settings) as worker:
        await until_folded(read, log)
        await topic.publish(forged(log, **NOT_CHAINED[how]), after=len(log.facts))
        await until_metric(worker, "foreign_records_total", 1)
        log.add("feed/visits", replace(reading(log.facts[-1]), id="true", value=Decimal(2)))
        await topic.publish(log, after=len(log.facts) - 1)
        await until_folded(read, log)
        assert await metric(worker, "parkings_total") == 0
    await expect_exactly(read, database, log)


async def test_the_true_fact_is_taken_from_the_command_service_when_kafka_does_not_bring_it(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = visits("shop", 20)
    feed.serve(log)
    await topic.publish(log, to=10)
    await topic.publish(forged(log.under(1, kept=10), previous="0" * 64), after=10)
    async with working(settings):
        await until_folded(read, log)
    await expect_exactly(read, database, log)


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", b"\xff", b'{"seq": 1}', b"[]", b'{"seq":1.5}', b"[" * 5000],
    ids=["empty", "no members", "not UTF-8", "not canonical", "no object", "a float", "deep"],
)
async def test_bytes_that_are_no_fact_park_nothing(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase, value: bytes
) -> None:
    log = visits("shop", 12)
    feed.serve(log)
    foreign = log.under(1, kept=len(log.facts))
    foreign.stored[9] = value
    await topic.publish(foreign)
    async with working(settings) as worker:
        await until_folded(read, log)
        assert await metric(worker, "parkings_total") == 0
    await expect_exactly(read, database, log)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("workspace", b"a\0b"),
        ("workspace", b"x" * 10_000),
        ("epoch", b"9" * 20),
        ("seq", b"9" * 20),
        ("seq", b"9" * 5_000),
    ],
)
async def test_a_place_that_no_database_could_hold_ends_no_worker(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, name: str, written: bytes
) -> None:
    log = visits("shop", 12)
    feed.serve(log)
    place = {"workspace": b"shop", "epoch": b"1", "seq": b"1", name: written}
    async with working(settings) as worker:
        await topic.publish_foreign(b"{}", list(place.items()))
        await until_metric(worker, "strangers_total", 1)
        await topic.publish(log)
        await until_folded(read, log)


async def test_the_same_fact_in_other_bytes_is_not_applied(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = visits("shop", 12)
    feed.serve(log)
    foreign = log.under(1, kept=len(log.facts))
    foreign.stored[9] = foreign.stored[9].replace(b'"actor":', b'"actor": ')
    await topic.publish(foreign)
    async with working(settings):
        await until_folded(read, log)
    await expect_exactly(read, database, log)


async def test_a_rebuild_does_not_fold_it_either(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed
) -> None:
    log = visits("shop", 20)
    feed.serve(log)
    await topic.publish(log)
    await topic.publish(forged(log, previous="0" * 64), after=len(log.facts))
    log.add("feed/visits", replace(reading(log.facts[-1]), id="true", value=Decimal(2)))
    await topic.publish(log, after=len(log.facts) - 1)
    async with working(settings):
        await until_folded(read, log)
    live = await all_rows(read, "shop")
    assert await rebuild(settings)
    await read.execute("SET search_path TO read_v2")
    assert live == await all_rows(read, "shop")


async def test_a_rebuild_folds_anew_what_the_command_services_log_contradicts(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed
) -> None:
    log, other = visits("shop", 20), visits("other", 5)
    feed.serve(log, other)
    await topic.publish(log)
    await topic.publish(other)
    await topic.publish(forged(log), after=len(log.facts))
    await topic.publish(other.under(7, kept=5))
    log.add("feed/orders", replace(reading(log.facts[-1]), id="true", value=Decimal(2)))
    await topic.publish(log, after=len(log.facts) - 1)
    async with working(settings):
        await until_folded(read, other)
        await until_parked(read, "shop")
        assert await retry_parked(settings, None) == []
    live = [await all_rows(read, name) for name in ("shop", "other")]
    assert await rebuild(settings)
    await read.execute("SET search_path TO read_v2")
    assert live == [await all_rows(read, name) for name in ("shop", "other")]


async def test_an_epoch_is_the_command_services_word(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log, fresh = visits("shop", 20), visits("fresh", 5)
    feed.serve(log, fresh)
    await topic.publish(log)
    async with working(settings):
        await until_folded(read, log)
        await topic.publish(log.under(7, kept=20))
        await topic.publish(fresh.under(7, kept=5), to=1)
        await topic.publish(fresh)
        await until_folded(read, fresh)
        log.add("feed/visits", replace(reading(log.facts[-1]), id="true"))
        await topic.publish(log, after=len(log.facts) - 1)
        await until_folded(read, log)
        assert await read.fetch("SELECT DISTINCT epoch FROM positions") == [(1,)]
    await expect_exactly(read, database, log)


async def test_a_forged_record_with_the_right_chain_is_found_by_the_head(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed, database: WorkersDatabase
) -> None:
    log = visits("shop", 20)
    feed.serve(log)
    await topic.publish(log)
    async with working(settings) as worker:
        await until_metric(worker, "heads_checked_total", 1)
        await topic.publish(forged(log), after=len(log.facts))
        await until_folded(read, log, len(log.facts) + 1)
        log.add("feed/orders", replace(reading(log.facts[-1]), id="true", value=Decimal(2)))
        mark = await until_parked(read, "shop")
        assert mark["seq"] == len(log.facts) and mark["reason"].startswith("log_contradicted")
        assert await metric(worker, "heads_contradicted_total") == 1
        assert await retry_parked(settings, None) == []
    await expect_exactly(read, database, log)


async def test_a_row_changed_by_hand_before_a_head_is_found_by_it(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed
) -> None:
    log = visits("shop", 20)
    await topic.publish(log)
    async with working(settings):
        await until_folded(read, log)
        await read.execute("UPDATE facts SET bytes = overlay(bytes placing 'x' from 5) WHERE seq = 7")
        feed.serve(log)
        assert (await until_parked(read, "shop"))["reason"].startswith("log_contradicted")
        await asyncio.gather(retry_parked(settings, "shop"))
        assert await read.fetchval("SELECT count(*) FROM parked") == 0
