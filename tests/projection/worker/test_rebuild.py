"""A rebuild from Kafka alone gives the same rows, beside the live version, and goes live in one step."""

from __future__ import annotations

from typing import Any, TypeAlias

import asyncpg
import pytest
from goal_ledger_contracts.workspace import StoreRestored
from goal_ledger_projection.folding.rebuild import compare_versions, rebuild
from goal_ledger_projection.folding.switching import NoSuchVersion, switch
from goal_ledger_projection.projections import LIVE
from goal_ledger_projection.settings import WorkerSettings
from projection.worker.given import Feed, Topic, all_rows, until_folded, worker_settings, working
from projection.worker.stories import running_example, visits

Read: TypeAlias = "asyncpg.Connection[Any]"


@pytest.fixture
def settings(read_url: str, topic: Topic, feed: Feed) -> WorkerSettings:
    return worker_settings(read_url, topic, feed, transaction_records=10, rebuild_records=10)


async def rows_of(read: Read, schema: str, workspace: str) -> dict[str, list[str]]:
    await read.execute(f"SET search_path TO {schema}")
    return await all_rows(read, workspace)


async def test_a_rebuild_equals_the_live_version_row_for_row(
    settings: WorkerSettings, topic: Topic, read: Read
) -> None:
    log, other = running_example("shop"), visits("other", 100)
    await topic.publish(log)
    await topic.publish(other)
    async with working(settings):
        await until_folded(read, log)
        await until_folded(read, other)
    assert await rebuild(settings)
    assert await read.fetchval(LIVE) == "read_v2"
    for one in ("shop", "other"):
        assert await rows_of(read, "read_v1", one) == await rows_of(read, "read_v2", one)


async def test_a_rebuild_follows_repeats_gaps_and_new_epochs(
    settings: WorkerSettings, topic: Topic, read: Read, feed: Feed
) -> None:
    log, gapped = running_example("shop"), visits("gapped", 30)
    recovered = log.under(2, kept=50)
    recovered.add("workspace/shop", StoreRestored(50, 2), actor="operator")
    feed.serve(recovered, gapped)
    await topic.publish(log)
    await topic.publish(log, after=20)
    await topic.publish_these(gapped, [1, 2, 3, 20, 21])
    await topic.publish(recovered)
    async with working(settings):
        await until_folded(read, recovered)
        await until_folded(read, gapped)
    assert await rebuild(settings)
    for one in ("shop", "gapped"):
        assert await rows_of(read, "read_v1", one) == await rows_of(read, "read_v2", one)


async def test_a_worker_follows_a_switch_and_a_switch_back(
    settings: WorkerSettings, topic: Topic, read: Read, read_url: str
) -> None:
    log = visits("shop", 200)
    await topic.publish(log, to=100)
    async with working(settings) as worker:
        await until_folded(read, log, 100)
        assert await rebuild(settings)
        await topic.publish(log, after=100, to=150)
        await read.execute("SET search_path TO read_v2")
        await until_folded(read, log, 150)
        assert worker.database.projection == "read_v2"
        assert await read.fetchval("SELECT next_seq FROM read_v1.positions") == 101
        assert await switch(read_url, "read_v1") == "read_v2"
        await topic.publish(log, after=150)
        await read.execute("SET search_path TO read_v1")
        await until_folded(read, log)
    assert (await compare_versions(read_url, "read_v1", "read_v2")).is_equal


async def test_an_idle_worker_follows_a_switch_and_heals_the_version_it_finds(
    settings: WorkerSettings, topic: Topic, read: Read, read_url: str, feed: Feed
) -> None:
    log = visits("shop", 20)
    feed.serve(log)
    await topic.publish(log)
    impatient = settings.model_copy(update={"behind_before_heal_s": 0.0})
    async with working(impatient) as worker:
        await until_folded(read, log)
        assert await rebuild(settings)
        await read.execute("DELETE FROM read_v2.facts WHERE seq > 10")
        await read.execute("DELETE FROM read_v2.readings WHERE seq > 10")
        await read.execute("UPDATE read_v2.positions SET next_seq = 11")
        await read.execute("SET search_path TO read_v2")
        await until_folded(read, log)
        assert worker.database.projection == "read_v2"
    assert (await compare_versions(read_url, "read_v1", "read_v2")).is_equal


async def test_a_version_that_differs_is_not_switched_to_unless_it_is_meant_to(
    settings: WorkerSettings, topic: Topic, read: Read, capsys: pytest.CaptureFixture[str]
) -> None:
    log = running_example("shop")
    await topic.publish(log)
    async with working(settings):
        await until_folded(read, log)
    await read.execute("UPDATE value_rows SET value = value + 1 WHERE check_in = 'c3'")
    capsys.readouterr()
    assert not await rebuild(settings)
    said = capsys.readouterr().err
    assert "only in read_v1.value_rows: (" in said and "rebuild --changed value_rows" in said
    assert await read.fetchval(LIVE) == "read_v1"
    found = await compare_versions(settings.read_database_url, "read_v1", "read_v2")
    assert [name for name, (one, other) in found.sums.items() if one != other] == ["value_rows"]
    assert not await rebuild(settings, changed=("readings",))
    assert await read.fetchval(LIVE) == "read_v1"
    assert await rebuild(settings, changed=("value_rows",))
    assert await read.fetchval(LIVE) == "read_v4"


async def test_versions_are_compared_at_equal_position(
    settings: WorkerSettings, topic: Topic, read: Read, read_url: str
) -> None:
    log = running_example("shop")
    await topic.publish(log, to=35)
    async with working(settings):
        await until_folded(read, log, 35)
    assert await rebuild(settings, only_compare=True)
    await topic.publish(log, after=35)
    async with working(settings):
        await until_folded(read, log)
    assert (await compare_versions(read_url, "read_v1", "read_v2")).is_equal
    assert await read.fetchval("SELECT count(*) FROM read_v2.facts") == 35


async def test_nobody_switches_to_what_is_not_there(read_url: str) -> None:
    with pytest.raises(NoSuchVersion):
        await switch(read_url, "read_v9")


async def test_a_workspace_of_which_nothing_was_folded_keeps_no_version_from_going_live(
    settings: WorkerSettings, topic: Topic, read: Read
) -> None:
    log, unknown = running_example("shop"), visits("nobody", 3)
    await topic.publish(log)
    async with working(settings):
        await topic.publish_these(unknown, [3])
        await until_folded(read, log)
    await read.execute(
        "INSERT INTO positions (projection, workspace, epoch, next_seq) VALUES ('read_v1', 'nowhere', 1, 1)"
    )
    assert await rebuild(settings)
    assert await read.fetchval(LIVE) == "read_v2"
