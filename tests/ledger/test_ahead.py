"""While a batch is written the next is decided on what it will leave: the same facts come of it, or it is dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from goal_ledger_ledger import ahead, append
from goal_ledger_ledger.batch import BATCH_MAX_FACTS
from goal_ledger_ledger.submission import CommandAnswer

HELD_S = 30.0


@pytest.fixture(autouse=True)
def large_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr("goal_ledger_ledger.batch.DECIDING_MAX_S", 10.0)


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch):
    """Says which comes first where a batch is decided ahead: its ``look`` at the store, or the ``write`` beside it."""

    def first(which: str) -> None:
        real_look, real_write = ahead.look_up, append.write
        done = {name: asyncio.Event() for name in ("look", "write")}

        async def look(*given: Any) -> Any:
            if which == "write":
                await asyncio.wait_for(done["write"].wait(), HELD_S)
            looked = await real_look(*given)
            done["look"].set()
            return looked

        async def write(*given: Any) -> bool:
            if which == "look":
                await asyncio.wait_for(done["look"].wait(), HELD_S)
            moved = await real_write(*given)
            done["write"].set()
            return moved

        monkeypatch.setattr(ahead, "look_up", look)
        monkeypatch.setattr(append, "write", write)

    return first


async def test_bulk_is_decided_ahead_and_comes_out_dense_chained_and_in_its_order(ledger, commands, audit):
    answers = await ledger.submit_all([commands.add_to("n") for _ in range(4 * BATCH_MAX_FACTS)])
    assert ledger.counts.decided_ahead == 3
    facts = (await audit.facts())[1:]
    assert [fact["data"]["name"] for fact in facts] == [str(n + 1) for n in range(len(facts))]
    assert [fact["event_id"] for fact in facts] == [answer.facts[0].event_id for answer in answers]
    assert [answer.position.seq for answer in answers] == [fact["seq"] for fact in facts]


@pytest.mark.parametrize("which", ["look", "write"])
async def test_what_the_batch_under_way_records_is_found_whether_or_not_it_is_committed_yet(
    ledger, commands, audit, order, which
):
    order(which)
    again = [commands.check_in(f"c{n}", "note") for n in range(BATCH_MAX_FACTS)]
    answers = await ledger.submit_all(again * 2)
    assert ledger.counts.decided_ahead == 1
    assert [one.facts for one in answers[BATCH_MAX_FACTS:]] == [
        one.facts for one in answers[:BATCH_MAX_FACTS]
    ]
    assert len(await audit.facts()) == 1 + BATCH_MAX_FACTS


@pytest.mark.parametrize("which", ["look", "write"])
async def test_what_the_batch_under_way_ends_is_known_to_have_ended(ledger, commands, audit, order, which):
    half = BATCH_MAX_FACTS // 2
    await ledger.submit_all([commands.check_in(f"c{n}") for n in range(half)])
    order(which)
    retracted = [commands.retract(f"c{n}") for n in range(half)]
    others = [commands.check_in(f"d{n}") for n in range(half)]
    told = await ledger.submit_all([*retracted, *others, *retracted])
    assert ledger.counts.decided_ahead == 1
    assert [type(one).__name__ for one in told] == ["CommandAnswer"] * 2 * half + ["Refused"] * half
    assert len(await audit.facts()) == 1 + 3 * half


@pytest.mark.parametrize("which", ["look", "write"])
async def test_a_key_used_in_the_batch_under_way_gives_its_answer_again(
    ledger, commands, audit, order, which
):
    order(which)
    units = [commands.unit(f"u{n}", key=f"k{n}") for n in range(BATCH_MAX_FACTS)]
    told = await ledger.submit_all(units * 2)
    assert ledger.counts.decided_ahead == 1
    first, second = told[:BATCH_MAX_FACTS], told[BATCH_MAX_FACTS:]
    assert all(isinstance(one, CommandAnswer) and one.replayed for one in second)
    assert [(one.id, one.facts, one.location) for one in first] == [
        (one.id, one.facts, one.location) for one in second
    ]


async def test_counters_are_not_decided_ahead(ledger, commands, audit):
    readings = [commands.reading(f"r{n}", n % 1440, n % 1440) for n in range(2 * BATCH_MAX_FACTS)]
    told = await ledger.submit_all(readings)
    assert ledger.counts.decided_ahead == 0
    assert all(isinstance(one, CommandAnswer) for one in told)


async def test_another_process_that_writes_in_between_is_seen(process, commands, audit):
    one, two = await process(), await process()
    async with asyncio.TaskGroup() as both:
        asked = [commands.add_to("n") for _ in range(8 * BATCH_MAX_FACTS)]
        bulk = both.create_task(one.submit_all(asked))
        while not bulk.done():
            await two.submit(commands.add_to("n"))
    assert all(isinstance(told, CommandAnswer) for told in bulk.result())
    names = [fact["data"]["name"] for fact in (await audit.facts())[1:]]
    assert names == [str(n + 1) for n in range(len(names))]
    assert len(names) > 8 * BATCH_MAX_FACTS


@pytest.mark.parametrize("committed", [True, False])
async def test_a_write_that_breaks_loses_and_doubles_nothing_of_what_was_decided_ahead(
    ledger, commands, audit, monkeypatch, committed
):
    real, writes = append.write, 0

    async def write(raw: Any, folded: Any, batch: Any) -> bool:
        nonlocal writes
        writes += 1
        if writes == 2 and not committed:
            batch.sent = True
            raise ConnectionResetError("the network is gone")
        moved = await real(raw, folded, batch)
        if writes == 2:
            batch.sent = True
            raise ConnectionResetError("the network is gone")
        return moved

    monkeypatch.setattr(append, "write", write)
    told = await ledger.submit_all([commands.add_to("n") for _ in range(4 * BATCH_MAX_FACTS)])
    assert ledger.counts.unknown_commits == 1
    facts = (await audit.facts())[1:]
    assert [fact["event_id"] for fact in facts] == [one.facts[0].event_id for one in told]
    assert [fact["data"]["name"] for fact in facts] == [str(n + 1) for n in range(4 * BATCH_MAX_FACTS)]


async def test_a_batch_that_is_run_again_one_by_one_decides_nothing_ahead(
    ledger, commands, audit, monkeypatch
):
    real, writes = append.write, 0

    async def write(raw: Any, folded: Any, batch: Any) -> bool:
        nonlocal writes
        writes += 1
        if writes == 1:
            raise ValueError("the driver cannot write this down")
        return await real(raw, folded, batch)

    await ledger.submit(commands.unit("a"))
    monkeypatch.setattr(append, "write", write)
    told = await ledger.submit_all([commands.add_to("n") for _ in range(BATCH_MAX_FACTS + 300)])
    assert all(isinstance(one, CommandAnswer) for one in told)
    assert (writes, ledger.counts.decided_ahead) == (1 + BATCH_MAX_FACTS + 1, 0)
    assert len(await audit.facts()) == 2 + BATCH_MAX_FACTS + 300
