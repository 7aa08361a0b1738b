"""Text keys: there before they are needed, gone for good when deleted."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from goal_ledger_ledger import keyring
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.store import Unreachable

KARI, OLA = "person/kari", "person/ola"


async def test_a_key_is_made_once_whoever_asks_first(databases, workspace):
    rings = [databases.keyring() for _ in range(4)]
    await asyncio.gather(*(ring.ensure(workspace, [KARI, OLA]) for ring in rings))
    raws = {ring.keys(workspace)[KARI].raw for ring in rings}
    assert len(raws) == 1
    assert rings[0].keys(workspace)[OLA].raw not in raws


async def test_a_key_is_another_in_another_workspace(databases, workspace):
    ring = databases.keyring()
    await ring.ensure(workspace, [KARI])
    await ring.ensure(workspace + "-b", [KARI])
    assert ring.keys(workspace)[KARI].raw != ring.keys(workspace + "-b")[KARI].raw


async def test_a_deleted_key_leaves_a_mark_and_no_new_key_is_made_past_it(databases, workspace):
    ring = databases.keyring()
    await ring.ensure(workspace, [KARI])
    await ring.delete(workspace, [KARI])
    await ring.delete(workspace, [KARI])
    fresh = databases.keyring()
    await fresh.ensure(workspace, [KARI])
    assert ring.keys(workspace)[KARI] is None
    assert fresh.keys(workspace)[KARI] is None
    assert await fresh.listing(workspace) == {KARI: None}


async def test_a_mark_can_be_made_for_a_subject_that_never_had_a_key(databases, workspace):
    ring = databases.keyring()
    await ring.delete(workspace, [OLA])
    await ring.ensure(workspace, [OLA])
    assert ring.keys(workspace)[OLA] is None


async def test_loading_makes_no_key(databases, workspace):
    ring = databases.keyring()
    await ring.load(workspace, [KARI])
    assert KARI not in ring.keys(workspace)


async def test_a_key_deleted_by_another_process_is_dropped_when_it_is_confirmed(databases, workspace):
    ring, other = databases.keyring(), databases.keyring()
    await ring.ensure(workspace, [KARI])
    assert await ring.confirm(workspace, [KARI])
    await other.delete(workspace, [KARI])
    assert not await ring.confirm(workspace, [KARI])
    assert ring.keys(workspace)[KARI] is None


async def test_a_key_that_is_gone_is_put_back_and_one_made_anew_is_taken_over(databases, workspace):
    ring = databases.keyring()
    await ring.ensure(workspace, [KARI, OLA])
    before = ring.keys(workspace)[KARI].raw
    await _set_back(databases, workspace)
    other = databases.keyring()
    await other.ensure(workspace, [OLA])
    assert not await ring.confirm(workspace, [KARI, OLA])
    assert await ring.confirm(workspace, [KARI, OLA])
    assert ring.keys(workspace)[OLA].raw == other.keys(workspace)[OLA].raw
    assert (await databases.keyring().look_up(workspace, [KARI]))[KARI] == before


async def test_a_mark_that_is_gone_tells_that_the_database_was_set_back(databases, workspace):
    ring = databases.keyring()
    assert not await ring.was_set_back()
    await ring.delete(workspace, [KARI])
    assert not await ring.was_set_back()
    await _set_back(databases, workspace)
    assert await ring.was_set_back()
    assert not await ring.was_set_back()


async def test_what_was_made_anew_since_does_not_hide_it(databases, workspace):
    ring, other = databases.keyring(), databases.keyring()
    await ring.ensure(workspace, [OLA])
    await ring.delete(workspace, [KARI])
    await _set_back(databases, workspace)
    await other.ensure(workspace, [OLA])
    await other.delete(workspace, [KARI])
    assert await ring.was_set_back()


async def test_a_key_that_is_deleted_tells_nothing_of_the_kind(databases, workspace):
    ring, other = databases.keyring(), databases.keyring()
    await ring.ensure(workspace, [KARI])
    assert not await ring.was_set_back()
    await other.delete(workspace, [KARI])
    assert not await ring.was_set_back()


async def test_no_key_is_made_for_who_had_one_before_all_have_put_theirs_back(
    databases, workspace, monkeypatch
):
    holds, other = databases.keyring(), databases.keyring()
    await holds.ensure(workspace, [KARI])
    assert not await other.was_set_back()
    await _set_back(databases, workspace)
    with pytest.raises(Unreachable, match="set back"):
        await other.ensure(workspace, [KARI])
    await holds.put_back()
    await other.ensure(workspace, [KARI])
    assert other.keys(workspace)[KARI].raw == holds.keys(workspace)[KARI].raw
    monkeypatch.setattr(keyring, "PUT_BACK_WITHIN_S", 0.0)
    await other.ensure(workspace, [OLA])
    assert other.keys(workspace)[OLA] is not None


async def test_a_process_that_has_just_started_waits_for_the_key_of_who_must_have_had_one(
    databases, workspace, monkeypatch
):
    holds = databases.keyring()
    await holds.ensure(workspace, [KARI])
    await _set_back(databases, workspace)
    fresh, begun = databases.keyring(), {KARI}
    await fresh.ensure(workspace, [OLA], begun)
    for _ in range(2):
        with pytest.raises(Unreachable, match="puts them back"):
            await fresh.ensure(workspace, [KARI], begun)
    await holds.put_back()
    await fresh.ensure(workspace, [KARI], begun)
    assert fresh.keys(workspace)[KARI].raw == holds.keys(workspace)[KARI].raw


async def test_a_key_that_nobody_puts_back_is_made_anew(databases, workspace, monkeypatch):
    fresh, begun = databases.keyring(), {KARI}
    with pytest.raises(Unreachable):
        await fresh.ensure(workspace, [KARI], begun)
    monkeypatch.setattr(keyring, "PUT_BACK_WITHIN_S", 0.0)
    await fresh.ensure(workspace, [KARI], begun)
    assert fresh.keys(workspace)[KARI] is not None


async def _set_back(databases, workspace) -> None:
    """As a dump from before the workspace would leave it."""
    connection = await asyncpg.connect(databases.keys_url)
    await connection.execute("DELETE FROM text_keys WHERE workspace = $1", workspace)
    await connection.close()


async def test_the_database_holds_no_key_in_clear_and_another_master_key_opens_none(databases, workspace):
    ring = databases.keyring()
    await ring.ensure(workspace, [KARI])
    connection = await asyncpg.connect(databases.keys_url)
    wrapped = await connection.fetchval("SELECT wrapped FROM text_keys WHERE workspace = $1", workspace)
    await connection.close()
    assert ring.keys(workspace)[KARI].raw not in wrapped
    try:
        await Keyring(databases.keys, b"x" * 32).load(workspace, [KARI])
    except Exception as refused:
        assert type(refused).__name__ == "InvalidTag"
    else:
        raise AssertionError("opened under another master key")


async def test_keys_are_listed_by_pages_without_the_ledgers_own(databases, workspace):
    ring = databases.keyring()
    await ring.ensure(workspace, [KARI, OLA, "snapshot/1"])
    first = await ring.listing(workspace, limit=1)
    rest = await ring.listing(workspace, after=KARI)
    assert (list(first), list(rest)) == ([KARI], [OLA])
    assert list(await ring.look_up(workspace, [OLA, "snapshot/1", "person/nobody"])) == [OLA]
