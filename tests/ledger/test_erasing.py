"""Sealed before it is hashed, erased with its key, and never sealed for that person again."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import asyncpg
import pytest
from goal_ledger_ledger import erasing
from goal_ledger_ledger.sealing import ERASED, OwnerShredded
from goal_ledger_ledger.submission import NotRecorded

KARI, OLA = "person/kari", "person/ola"


async def everything(databases, workspace) -> bytes:
    """All that the ledger database holds of a workspace, as text."""
    connection = await asyncpg.connect(databases.ledger_url)
    parts = []
    for table in ("facts", "answers", "identities", "points", "heads"):
        for row in await connection.fetch(f"SELECT * FROM {table} WHERE workspace = $1", workspace):
            parts += [value if isinstance(value, bytes) else repr(value).encode() for value in row.values()]
    await connection.close()
    return b"\n".join(parts)


async def test_no_personal_text_is_in_clear_in_the_ledger_database(databases, ledger, commands):
    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    await ledger.submit(commands.check_in("c1", "I was ill", actor=OLA, key="k"))
    held = await everything(databases, commands.workspace)
    assert b"Nordmann" not in held and b"ill" not in held
    assert b'"k":"person/ola"' in held


async def test_many_new_owners_of_one_batch_get_their_keys_in_one_go(databases, ledger, commands, audit):
    told = await ledger.submit_all([commands.person(f"p{n}", f"Person {n}") for n in range(300)])
    assert all(not isinstance(each, Exception) for each in told)
    keys = await databases.keyring().listing(commands.workspace)
    assert len(keys) == 300 and all(keys.values())
    assert len(await audit.facts()) == 301


async def test_shredding_deletes_the_key_and_no_text_is_sealed_for_that_person_again(
    process, databases, ledger, commands, audit
):
    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    other = await process()
    await other.read(commands.workspace)
    await ledger.submit(commands.shred("ola"))
    assert await databases.keyring().listing(commands.workspace) == {OLA: None}
    for each in (ledger, other, await process()):
        with pytest.raises(OwnerShredded):
            await each.submit(commands.check_in("c1", "again", actor=OLA))
        await each.submit(commands.check_in(f"c-{id(each)}", actor=OLA))
    assert await databases.keyring().listing(commands.workspace) == {OLA: None}
    await audit.facts()


async def test_a_text_in_the_same_batch_after_the_shredding_is_refused(ledger, commands):
    await ledger.submit(commands.person("ola", "Ola"))
    told = await asyncio.gather(
        ledger.submit(commands.check_in("c1", "before", actor=OLA)),
        ledger.submit(commands.shred("ola")),
        ledger.submit(commands.check_in("c2", "after", actor=OLA)),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in told] == ["CommandAnswer", "CommandAnswer", "OwnerShredded"]


async def test_an_erased_name_is_folded_as_erased_and_the_chain_still_holds(process, ledger, commands, audit):
    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    await ledger.submit(commands.person("kari", "Kari"))
    await ledger.submit(commands.shred("ola"))
    other = await process()
    world, _ = await other.read(commands.workspace)
    assert (world.get("person", "ola"), world.get("person", "kari")) == ("gone", "Kari")
    await audit.facts()


async def test_a_name_whose_key_is_gone_reads_erased_in_the_fold(process, databases, ledger, commands):
    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    await databases.keyring().delete(commands.workspace, [OLA])
    world, _ = await (await process()).read(commands.workspace)
    assert world.get("person", "ola") == ERASED


async def test_a_start_repeats_the_erasing_for_every_shredding_fact(
    process, databases, ledger, commands, monkeypatch
):
    async def die(*_):
        raise ConnectionError("died between the fact and the key")

    await ledger.submit(commands.person("ola", "Ola Nordmann"))
    with monkeypatch.context() as dying:
        dying.setattr(erasing.Erasing, "_erase", die)
        await ledger.submit(commands.shred("ola"))
    assert (await databases.keyring().listing(commands.workspace))[OLA] is not None
    with pytest.raises(OwnerShredded):
        await ledger.submit(commands.check_in("c1", "again", actor=OLA))
    await process()
    assert (await databases.keyring().listing(commands.workspace))[OLA] is None


async def test_a_note_is_sealed_under_a_key_that_is_in_its_database_although_that_was_set_back(
    ledger, commands, databases, workspace
):
    await ledger.submit(commands.check_in("c1", "before", actor=OLA))
    await put_back(databases, workspace, {})
    await ledger.submit(commands.check_in("c2", "after", actor=OLA))
    kept = await databases.keyring().look_up(workspace, [OLA])
    assert kept[OLA] == ledger._keyring.keys(workspace)[OLA].raw


async def test_a_shredded_persons_key_that_is_back_is_deleted_again_while_the_process_runs(
    process, commands, databases, workspace, monkeypatch
):
    monkeypatch.setattr(erasing, "KEYS_LOOK_EVERY_S", 0.05)
    ledger = await process()
    await ledger.submit(commands.person("ola", "Ola Dahl"))
    wrapped = await stored(databases, workspace)
    await ledger.submit(commands.shred("ola"))
    assert await stored(databases, workspace) == {OLA: None}
    await put_back(databases, workspace, wrapped)
    async with asyncio.timeout(30):
        while await stored(databases, workspace) != {OLA: None}:  # noqa: ASYNC110  (happens in PostgreSQL)
            await asyncio.sleep(0.05)


async def test_of_two_processes_one_makes_no_new_key_while_the_other_holds_the_one_that_was_set_back(
    process, databases, commands, workspace, monkeypatch, audit
):
    """Nor is a shredded person's key that came back left there: both are mended without a restart."""
    monkeypatch.setattr(erasing, "KEYS_LOOK_EVERY_S", 0.05)
    first = await process()
    await first.submit(commands.person("kari", "Kari Dahl"))
    dump = await stored(databases, workspace)
    await first.submit(commands.check_in("c1", "before", actor=OLA))
    before = first._keyring.keys(workspace)[OLA].raw
    second = await process()
    await second._keyring.was_set_back()
    await first.submit(commands.shred("kari"))
    await second._keyring.was_set_back()
    await put_back(databases, workspace, dump)

    with contextlib.suppress(NotRecorded):
        await second.submit(commands.check_in("c2", "after", actor=OLA))
    async with asyncio.timeout(30):
        while not is_mended(await stored(databases, workspace)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await second.submit(commands.check_in("c3", "later", actor=OLA))
    kept = await databases.keyring().look_up(workspace, [KARI, OLA])
    assert kept == {KARI: None, OLA: before}
    await audit.facts()


def is_mended(keys: dict[str, bytes | None]) -> bool:
    return bool(keys.get(OLA)) and KARI in keys and keys[KARI] is None


async def stored(databases, workspace) -> dict[str, bytes | None]:
    connection = await asyncpg.connect(databases.keys_url)
    rows = await connection.fetch("SELECT subject, wrapped FROM text_keys WHERE workspace = $1", workspace)
    await connection.close()
    return dict(rows)


async def put_back(databases, workspace, keys: dict[str, bytes | None]) -> None:
    """The database as an older dump has it."""
    connection = await asyncpg.connect(databases.keys_url)
    await connection.execute("DELETE FROM text_keys WHERE workspace = $1", workspace)
    await connection.executemany(
        "INSERT INTO text_keys VALUES ($1, $2, $3, now())",
        [(workspace, *one) for one in keys.items()],
    )
    await connection.close()


async def test_recorded_at_never_runs_backwards(process, ledger, commands, audit):
    await ledger.submit(commands.unit("a"))
    late = await process(now=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    await late.submit(commands.unit("b"))
    facts = await audit.facts()
    assert facts[-1]["recorded_at"] == facts[-2]["recorded_at"]
