"""Several processes on one workspace: safe by the guard, live by the lock."""

from __future__ import annotations

import asyncio
import time

import pytest
from goal_ledger_ledger.submission import StoreBehindLog

from ledger.tiny import Refused


async def hammer(ledger, commands, clients: int, until: float) -> tuple[int, float]:
    """(commands recorded, the longest that one waited) by clients that send one after another."""
    longest = 0.0
    recorded = 0

    async def client() -> None:
        nonlocal longest, recorded
        while time.monotonic() < until:
            started = time.monotonic()
            await ledger.submit(commands.add_to("n"))
            longest = max(longest, time.monotonic() - started)
            recorded += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return recorded, longest


async def test_two_writers_lose_no_update_and_each_gets_its_share(process, commands, audit):
    ledgers = [await process(), await process()]
    until = time.monotonic() + 2.0
    told = await asyncio.gather(*(hammer(ledger, commands, 16, until) for ledger in ledgers))
    total = sum(recorded for recorded, _ in told)
    numbers = [int(fact["data"]["name"]) for fact in (await audit.facts())[1:]]
    assert numbers == list(range(1, total + 1))
    assert min(recorded for recorded, _ in told) >= total / 4
    assert max(longest for _, longest in told) < 1.0


async def test_a_lost_race_is_decided_anew_on_what_the_other_recorded(process, commands, audit):
    one, two = await process(), await process()
    await asyncio.gather(one.read(commands.workspace), two.read(commands.workspace))
    for round in range(10):
        told = await asyncio.gather(
            *(ledger.submit(commands.unit(f"u{round}")) for ledger in (one, two)), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in told) == ["CommandAnswer", "Refused"]
    assert one.counts.lost_races + two.counts.lost_races > 0
    assert len(await audit.facts()) == 11


async def test_a_refusal_is_never_taken_on_a_state_that_others_have_left_behind(process, commands):
    one, two = await process(), await process()
    await one.submit(commands.unit("a"))
    with pytest.raises(Refused):
        await two.submit(commands.unit("a"))
    await two.submit(commands.unit("b"))
    with pytest.raises(Refused):
        await one.submit(commands.unit("b"))


async def test_a_writer_alone_returns_from_the_lock_to_the_guard(process, commands):
    one, two = await process(), await process()
    await one.submit(commands.unit("a"))
    await two.submit(commands.unit("b"))
    await one.submit(commands.unit("c"))
    assert one.counts.lost_races == 1
    for n in range(20):
        await one.submit(commands.unit(f"d{n}"))
    assert one.counts.lost_races == 1
    assert one.counts.locked_batches < 12


async def test_a_read_sees_what_another_process_recorded_a_second_ago(process, commands, monkeypatch):
    from goal_ledger_ledger import sequencer

    one, two = await process(), await process()
    await two.read(commands.workspace)
    answer = await one.submit(commands.unit("a", "There"))
    monkeypatch.setattr(sequencer, "READ_FRESH_S", 0.0)
    world, position = await two.read(commands.workspace)
    assert (world.get("unit", "a"), position) == ("There", answer.position)


async def test_a_store_behind_what_was_folded_stops_the_writes_of_that_workspace(
    process, databases, commands, workspace, audit, monkeypatch
):
    from goal_ledger_ledger import sequencer

    ledger = await process()
    await ledger.submit_all([commands.unit(f"u{n}") for n in range(5)])
    await audit.value("DELETE FROM facts WHERE workspace = $1 AND seq > 3")
    await audit.value("UPDATE heads SET seq = 3 WHERE workspace = $1")
    with pytest.raises(StoreBehindLog):
        await ledger.submit(commands.unit("v"))
    with pytest.raises(StoreBehindLog):
        await ledger.submit(commands.unit("w"))
    monkeypatch.setattr(sequencer, "READ_FRESH_S", 0.0)
    with pytest.raises(StoreBehindLog):
        await ledger.read(workspace)
    assert list(ledger.stopped) == [workspace]
    assert await audit.value("SELECT count(*) FROM facts WHERE workspace = $1") == 3


async def test_a_store_set_back_and_grown_again_is_known_by_its_hashes(process, commands, workspace, audit):
    """The head is where this process left it, or beyond, but what lies there was written by another history."""
    one, two = await process(), await process()
    for ledger in (one, two):
        await ledger.submit(commands.unit(f"before-{id(ledger)}"))
    await audit.value("DELETE FROM facts WHERE workspace = $1 AND seq > 1")
    await audit.value(
        "UPDATE heads SET seq = 1, root = (SELECT hash FROM facts f WHERE f.workspace = $1), "
        "frontier = (SELECT hash FROM facts f WHERE f.workspace = $1) WHERE workspace = $1"
    )
    fresh = await process()
    for id_ in ("x", "y"):
        await fresh.submit(commands.unit(id_))
    with pytest.raises(StoreBehindLog):
        await two.submit(commands.unit("z"))
    await fresh.submit(commands.unit("z"))
    with pytest.raises(StoreBehindLog):
        await one.submit(commands.unit("w"))
    assert len(await audit.facts()) == 4


async def test_a_recovery_raises_the_epoch_and_ends_the_stop(
    process, commands, workspace, audit, monkeypatch
):
    from goal_ledger_ledger import sequencer

    ledger = await process()
    await ledger.submit_all([commands.unit(f"u{n}") for n in range(5)])
    kept = await audit.value("SELECT hash FROM facts WHERE workspace = $1 AND seq = 1")
    await audit.value("DELETE FROM facts WHERE workspace = $1 AND seq > 1")
    await audit.value("UPDATE heads SET seq = 1, root = $2, frontier = $2 WHERE workspace = $1", kept)
    with pytest.raises(StoreBehindLog):
        await ledger.submit(commands.unit("v"))
    await audit.value("UPDATE heads SET epoch = 2 WHERE workspace = $1")
    monkeypatch.setattr(sequencer, "READ_FRESH_S", 0.0)
    assert str((await ledger.submit(commands.unit("v"))).position) == "2-2"
    assert ledger.stopped == {}


async def test_writing_can_be_stopped_and_taken_up_again(ledger, commands):
    ledger.stop_writing(None, "the log holds more than the store")
    with pytest.raises(StoreBehindLog, match="the log holds more"):
        await ledger.submit(commands.unit("a"))
    ledger.resume_writing(None)
    await ledger.submit(commands.unit("a"))


async def test_the_gate_is_asked_before_every_batch_and_may_refuse(process, commands):
    from goal_ledger_ledger.submission import NotRecorded

    class Gate:
        def __init__(self) -> None:
            self.asked: list[str] = []
            self.opened = False

        async def check(self, workspace: str) -> None:
            self.asked.append(workspace)
            if not self.opened:
                raise NotRecorded("Kafka is away")

    gate = Gate()
    ledger = await process(gate)
    await ledger.read(commands.workspace)
    with pytest.raises(NotRecorded, match="Kafka is away"):
        await ledger.submit(commands.unit("a"))
    gate.opened = True
    await ledger.submit(commands.unit("a"))
    await ledger.submit(commands.unit("b"))
    gate.opened = False
    with pytest.raises(NotRecorded, match="Kafka is away"):
        await ledger.submit(commands.unit("c"))
    assert gate.asked == [commands.workspace] * 5  # the read asks too


async def test_a_new_epoch_is_folded_anew(process, commands, audit, workspace):
    ledger = await process()
    await ledger.submit(commands.unit("a"))
    await audit.value("UPDATE heads SET epoch = 2 WHERE workspace = $1")
    answer = await ledger.submit(commands.unit("b"))
    assert str(answer.position) == "2-3"
