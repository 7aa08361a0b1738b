"""Reconciliation: a row or record that differs is found and named, in each table of the read side and in Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import pytest
from goal_ledger_contracts.feed import ReadingRecorded
from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.reconciling.findings import KAFKA, READ, PassReport
from goal_ledger_projection.reconciling.passing import Passes
from goal_ledger_projection.reconciling.refolding import REFOLDED
from goal_ledger_projection.settings import WorkerSettings
from projection.worker.given import Feed, Log, Topic, until_folded, worker_settings, working
from projection.worker.stories import LAUNCH, running_example, visits

Read: TypeAlias = "asyncpg.Connection[Any]"


@pytest.fixture
def settings(read_url: str, topic: Topic, feed: Feed) -> WorkerSettings:
    return worker_settings(read_url, topic, feed)


@pytest.fixture
async def passes(settings: WorkerSettings) -> AsyncIterator[Passes]:
    feed = CommandFeed(settings.command_url, None, settings.command_timeout_s)
    yield Passes(settings, feed)
    await feed.close()


@pytest.fixture
async def shop(settings: WorkerSettings, topic: Topic, feed: Feed, read: Read) -> Log:
    """The running example, published and folded, beside another workspace."""
    log, other = running_example("shop"), visits("other", 30)
    numbered = ReadingRecorded("shop", "r9", LAUNCH, Decimal(9), "absolute", sequence="9")
    log.add("feed/webshop.visitors", numbered)
    feed.serve(log, other)
    await topic.publish(log)
    await topic.publish(other)
    async with working(settings):
        await until_folded(read, log)
        await until_folded(read, other)
    return log


def named(report: PassReport) -> set[tuple[str, str, str, str]]:
    assert not report.unread
    return {(one.copy, one.table, one.workspace, one.key) for one in report.found}


@pytest.mark.usefixtures("shop")
async def test_what_agrees_is_intact_also_when_looked_at_again(passes: Passes) -> None:
    for _ in range(2):
        report = await passes.look()
        assert report.is_intact
        assert report.facts > 30


CHANGED = {
    "facts": "actor = 'person/eve'",
    "definitions": "id = id || '-other'",
    "check_ins": "after_closing = NOT after_closing",
    "value_rows": "effective_at = effective_at - interval '1 day'",
    "readings": "value = value + 1",
    "sequences": "number = number + 1",
    "reading_sums": "total = total + 1",
}


def test_a_change_is_tried_in_every_table() -> None:
    assert set(CHANGED) == set(REFOLDED)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("table", REFOLDED)
async def test_a_row_changed_or_deleted_by_hand_is_named(passes: Passes, read: Read, table: str) -> None:
    assert (await passes.look()).is_intact
    for words in (f"UPDATE {table} SET {CHANGED[table]}", f"DELETE FROM {table}"):
        last, key = ("touched_seq", "grain") if table == "reading_sums" else ("seq", "seq")
        one = f"(SELECT ctid FROM {table} WHERE workspace = 'shop' ORDER BY {last} DESC LIMIT 1)"
        value = await read.fetchval(f"{words} WHERE ctid = {one} RETURNING {key}::text")
        report = await passes.look()
        assert {(one.copy, one.table, one.workspace) for one in report.found} == {
            (READ, f"read_v1.{table}", "shop")
        }
        assert f"{key}={value}" in " ".join(one.key for one in report.found)


async def test_a_record_with_other_bytes_is_named_until_the_fact_is_published_again(
    passes: Passes, topic: Topic, shop: Log
) -> None:
    forged = shop.under(1, len(shop.facts))
    forged.stored[6] = forged.stored[6].replace(b"ada", b"eve")
    await topic.publish_these(forged, [7])
    assert named(await passes.look()) == {(KAFKA, topic.name, "shop", "seq=7")}
    await topic.publish_these(shop, [7])
    assert (await passes.look()).is_intact


async def test_facts_that_kafka_does_not_hold_are_named_when_they_are_missing_twice(
    passes: Passes, topic: Topic, feed: Feed, shop: Log, settings: WorkerSettings, read: Read
) -> None:
    fact = shop.add("unit/sales", shop.facts[10].data)
    async with working(settings.model_copy(update={"behind_before_heal_s": 0.0})):
        await until_folded(read, shop)
    assert (await passes.look()).is_intact
    assert named(await passes.look()) == {(KAFKA, topic.name, "shop", f"seq={fact.seq}")}


@pytest.mark.usefixtures("shop")
async def test_what_cannot_be_read_is_not_intact(passes: Passes, feed: Feed) -> None:
    feed.away = True
    report = await passes.look()
    assert not report.is_intact
    assert {one.copy for one in report.unread} == {"store", "kafka", "read"}
