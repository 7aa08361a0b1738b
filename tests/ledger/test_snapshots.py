"""Snapshots: a shorter way to the same state, readable by nobody else, gone with a shredding."""

from __future__ import annotations

import asyncio

from goal_ledger_ledger import sequencer
from goal_ledger_ledger.keyring import SNAPSHOT
from goal_ledger_ledger.snapshots import Snapshots
from goal_ledger_ledger.store import raw_connection


async def folded_of(ledger, workspace):
    await ledger.read(workspace)
    return ledger._lines[workspace].appender.folded


def snapshots(databases, keyring=None, version="tiny-1"):
    return Snapshots(databases.ledger, keyring or databases.keyring(), version)


async def load(databases, workspace, epoch=1, seq=10**9, version="tiny-1"):
    async with raw_connection(databases.ledger) as raw:
        return await snapshots(databases, version=version).load(raw, workspace, epoch, seq)


async def kept_within(databases, workspace, seconds):
    """The snapshot that a task behind the writes is still saving."""
    async with asyncio.timeout(seconds):
        while True:
            kept = await load(databases, workspace)
            if kept is not None:
                return kept
            await asyncio.sleep(0.02)


async def test_a_state_comes_back_from_its_snapshot_as_it_was(databases, ledger, commands, workspace):
    await ledger.submit(commands.person("ola", "Ola"))
    await ledger.submit_all([commands.unit(f"u{n}") for n in range(50)])
    folded = await folded_of(ledger, workspace)
    assert await snapshots(databases).save(folded)
    back = await load(databases, workspace)
    assert (back.position, back.tips, back.frontier, back.recorded_at) == (
        folded.position,
        folded.tips,
        folded.frontier,
        folded.recorded_at,
    )
    assert dict(back.world.all("unit")) == dict(folded.world.all("unit"))
    assert back.world.get("person", "ola") == "Ola"


async def test_a_process_begins_from_a_snapshot_and_folds_the_rest(
    process, databases, ledger, commands, workspace
):
    await ledger.submit(commands.unit("a", "A"))
    await snapshots(databases).save(await folded_of(ledger, workspace))
    await ledger.submit(commands.unit("b", "B"))
    other = await process()
    world, position = await other.read(workspace)
    assert (world.get("unit", "a"), world.get("unit", "b"), position.seq) == ("A", "B", 3)
    assert other._lines[workspace].appender.snapshot_seq == 2
    assert (await other.submit(commands.unit("c"))).position.seq == 4


async def test_a_snapshot_that_does_not_fit_is_thrown_away(databases, ledger, commands, workspace):
    await ledger.submit(commands.unit("a"))
    await snapshots(databases).save(await folded_of(ledger, workspace))
    assert await load(databases, workspace) is not None
    assert await load(databases, workspace, version="tiny-2") is None
    assert await load(databases, workspace, epoch=2) is None
    assert await load(databases, workspace, seq=1) is None
    async with raw_connection(databases.ledger) as raw:
        await raw.execute("UPDATE snapshots SET seq = 1 WHERE workspace = $1", workspace)
    assert await load(databases, workspace) is None


async def test_a_snapshot_holds_no_name_in_clear_and_its_key_goes_with_the_next(
    databases, ledger, commands, workspace
):
    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    folded = await folded_of(ledger, workspace)
    ring = databases.keyring()
    await snapshots(databases, ring).save(folded)
    async with raw_connection(databases.ledger) as raw:
        first_key, body = await raw.fetchrow(
            "SELECT key_id, body FROM snapshots WHERE workspace = $1", workspace
        )
    assert b"Nordmann" not in body and first_key.startswith(SNAPSHOT)
    await ledger.submit(commands.unit("a"))
    await snapshots(databases, ring).save(folded)
    fresh = databases.keyring()
    await fresh.load(workspace, [first_key])
    assert fresh.keys(workspace)[first_key] is None


async def test_an_older_state_does_not_replace_a_newer_snapshot(
    process, databases, ledger, commands, workspace
):
    other = await process()
    old = await folded_of(other, workspace)
    await ledger.submit(commands.unit("a"))
    assert await snapshots(databases).save(await folded_of(ledger, workspace))
    assert not await snapshots(databases).save(old)
    assert (await load(databases, workspace)).seq == 2


async def test_shredding_drops_the_snapshot_and_a_late_one_from_before_is_not_kept(
    process, databases, ledger, commands, workspace
):
    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    other = await process()
    before = await folded_of(other, workspace)
    await snapshots(databases).save(before)
    await ledger.submit(commands.shred("ola"))
    assert await load(databases, workspace) is None
    assert not await snapshots(databases).save(before)
    assert await load(databases, workspace) is None
    assert await snapshots(databases).save(await folded_of(ledger, workspace))
    await process()
    assert (await load(databases, workspace)).world.get("person", "ola") == "gone"


async def test_a_snapshot_is_taken_behind_the_writes_every_so_many_facts(
    databases, ledger, commands, workspace, monkeypatch
):
    monkeypatch.setattr(sequencer, "EVERY_FACTS", 100)
    await ledger.submit_all([commands.unit(f"u{n}") for n in range(120)])
    assert (await kept_within(databases, workspace, seconds=20)).seq == 121
