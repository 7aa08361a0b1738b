"""Signed heads are committed heads, on the topic and for the checkpoint, and each is consistent with those before."""

from __future__ import annotations

import pytest
from goal_ledger_command.relay import latest_checkpoint
from goal_ledger_contracts.envelope import leaf_hash
from goal_ledger_ledger.checkpoint import verify
from goal_ledger_ledger.kept_tiles import KeptTiles
from goal_ledger_ledger.merkle import root_of, verify_inclusion
from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.topics import HEADS, ensure_topics, heads_topic

from .conftest import ORIGIN, Bench, Written, cut, delete_topic, until


@pytest.fixture(autouse=True)
def signing_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goal_ledger_command.relay.heads.LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("goal_ledger_command.relay.heads.SIGN_EVERY_S", 0.0)


async def signed_up_to(bench: Bench, one: Written) -> None:
    async def is_signed() -> bool:
        async with raw_connection(bench.engine) as raw:
            note = await latest_checkpoint(raw, one.workspace)
        return note is not None and f"\n{len(one.facts)}\n" in note

    await until(is_signed)


async def test_the_newest_head_is_signed_kept_and_published(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 9)
    async with bench.relaying():
        await signed_up_to(bench, one)
    async with raw_connection(bench.engine) as raw:
        note = await latest_checkpoint(raw, one.workspace)
    assert note is not None
    head = verify(note, bench.key.public_key(), f"{ORIGIN}/{one.workspace}/1")
    assert head.size == 9
    assert head.root == root_of([leaf_hash(stored) for stored in one.facts])
    [record] = await bench.records(HEADS, one.workspace)
    assert (record.key, record.value) == (one.workspace.encode(), note.encode())


async def test_every_published_head_is_that_of_the_log_at_its_size(bench: Bench):
    one = bench.store.workspace()
    async with bench.relaying():
        for _ in range(4):
            await bench.store.many(one, 3)
            await signed_up_to(bench, one)
    leaves = [leaf_hash(stored) for stored in one.facts]
    heads = [
        verify(record.value.decode(), bench.key.public_key())
        for record in await bench.records(HEADS, one.workspace)
    ]
    assert [head.size for head in heads] == [3, 6, 9, 12]
    assert [head.root for head in heads] == [root_of(leaves[: head.size]) for head in heads]


async def test_a_new_epoch_has_heads_under_an_origin_of_its_own(bench: Bench):
    one = bench.store.workspace()
    await bench.store.many(one, 4)
    async with bench.relaying():
        await signed_up_to(bench, one)
        one.epoch = 2
        await bench.store.many(one, 1)
        await signed_up_to(bench, one)
    notes = [record.value.decode() for record in await bench.records(HEADS, one.workspace)]
    assert [note.split("\n")[0] for note in notes] == [
        f"{ORIGIN}/{one.workspace}/1",
        f"{ORIGIN}/{one.workspace}/2",
    ]


async def test_another_origin_signs_the_head_of_a_resting_log_again_at_its_size(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    one = bench.store.workspace()
    await bench.store.many(one, 4)
    async with bench.relaying():
        await signed_up_to(bench, one)
    other = "ledger.example/v1/logs"
    monkeypatch.setattr("relay.conftest.ORIGIN", other)

    async def is_signed_again() -> bool:
        async with raw_connection(bench.engine) as raw:
            note = await latest_checkpoint(raw, one.workspace)
        return note is not None and note.startswith(other)

    async with bench.relaying():
        await until(is_signed_again)
    heads = [
        verify(record.value.decode(), bench.key.public_key())
        for record in await bench.records(HEADS, one.workspace)
    ]
    assert {(head.origin, head.size) for head in heads} == {
        (f"{origin}/{one.workspace}/1", 4) for origin in (ORIGIN, other)
    }
    assert len({head.root for head in heads}) == 1


async def test_the_tiles_under_a_signed_head_are_kept_before_it_is_signed(bench: Bench):
    one = bench.store.workspace()
    leaves: list[bytes] = []
    async with bench.relaying():
        for _ in range(3):
            await bench.store.many(one, 200)
            await signed_up_to(bench, one)
            leaves = [leaf_hash(stored) for stored in one.facts]
            proof = await KeptTiles(bench.engine).inclusion(one.workspace, 1, len(leaves))
            assert verify_inclusion(leaves[0], 0, len(leaves), proof, root_of(leaves))
    async with raw_connection(bench.engine) as raw:
        kept = await raw.fetchval("SELECT count(*) FROM tiles WHERE workspace = $1", one.workspace)
    assert kept == 2


async def test_there_is_no_checkpoint_before_the_first_head(bench: Bench):
    async with raw_connection(bench.engine) as raw:
        assert await latest_checkpoint(raw, "nobody") is None


async def test_a_heads_topic_made_again_gets_the_newest_head_of_every_workspace(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goal_ledger_command.relay.heads.LOOK_AT_TOPIC_EVERY_S", 0.1)
    written = [bench.store.workspace() for _ in range(2)]
    for one in written:
        await bench.store.many(one, 4)
    async with bench.relaying():
        for one in written:
            await signed_up_to(bench, one)
        await delete_topic(bench, HEADS)
        await ensure_topics(bench.bootstrap, [heads_topic()])
        for one in written:

            async def is_there(one: Written = one) -> bool:
                return bool(await bench.records(HEADS, one.workspace))

            await until(is_there)


async def test_a_heads_topic_cut_at_its_beginning_gets_the_newest_heads_once_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goal_ledger_command.relay.heads.LOOK_AT_TOPIC_EVERY_S", 0.1)
    one = bench.store.workspace()
    await bench.store.many(one, 4)
    async with bench.relaying():
        await signed_up_to(bench, one)
        (signed,) = {record.value for record in await bench.records(HEADS, one.workspace)}
        await cut(bench, partition_of(one.workspace, 24), HEADS)

        async def is_there() -> bool:
            return bool(await bench.records(HEADS, one.workspace))

        await until(is_there)
    assert [record.value for record in await bench.records(HEADS, one.workspace)] == [signed]
