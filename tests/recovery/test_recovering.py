"""A store restored to an earlier dump gets back from Kafka what was published: byte for byte, with answers and identities."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from command.routes import BODIES, address, furnished
from command.service import Organisation
from command.test_operator import operator
from command.test_readings import batch, event
from goal_ledger_command.cli.operations import meta
from goal_ledger_command.fold import FoldOfGoals
from goal_ledger_command.recovery import recovering
from goal_ledger_command.recovery.recovering import Recoverable, Recovery
from goal_ledger_command.restoring import Lost
from goal_ledger_command.wiring import store_for_operator
from goal_ledger_contracts.canonical import canonical
from goal_ledger_ledger.submission import NotRecorded, StoreBehindLog
from relay.test_foreign_records import send

from recovery.drill import Drill, check_ins

WHY = ("--reason", "Ledger database restored")


async def recover(drill: Drill, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and what is told by workspace."""
    ran = await operator(drill.environment, "store", "recover", *drill.workspaces, *words, "--json")
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode, {one["workspace"]: one for one in told}


async def test_facts_answers_and_identities_come_back_byte_for_byte(drill: Drill) -> None:
    async with drill.running() as service:
        one, other = [await drill.organisation(service, name) for name in ("behind", "whole")]
        for org in (one, other):
            await furnished(org)
    await drill.publish()
    dump, kept = await drill.dumped(), (await drill.head(one.workspace))[1]
    async with drill.running() as service:
        one = Organisation(service.public, one.workspace, one.keys)
        await batch(one, [event(f"r{number}", value=str(number)) for number in range(20)])
        for number, path in enumerate(BODIES):
            await one.post(address(path), BODIES[path], Idempotency_Key=f"key-{number}")
    await drill.publish()
    signed = (await drill.head(one.workspace))[1]
    async with drill.running() as service:
        first = (await check_ins(Organisation(service.public, one.workspace), 3))[0]
    await drill.publish(signing=False)
    _, last, _ = await drill.head(one.workspace)
    before = await drill.rows(one.workspace, last)
    whole = await drill.head(other.workspace)
    await drill.put_back(dump)

    code, told = await recover(drill, "--dry-run")
    assert (code, told.keys(), told[one.workspace]["epoch"]) == (0, {one.workspace}, None)
    assert (await drill.head(one.workspace))[:2] == (1, kept)

    code, told = await recover(drill, *WHY)
    assert code == 0
    report = told[one.workspace]
    assert (report["kept"], report["recovered"], report["last_seq"], report["signed_to"]) == (
        kept,
        last - kept,
        last,
        signed,
    )
    assert (report["epoch"], report["unknown_beyond"], report["lost_heads"]) == (2, f"1-{last}", [])
    assert await drill.rows(one.workspace, last) == before
    assert (await drill.head(one.workspace))[:2] == (2, last + 1)
    assert await drill.head(other.workspace) == whole
    async with drill.running() as service:
        again = (await check_ins(Organisation(service.public, one.workspace), 1))[0]
    assert (again.status_code, again.json()["position"]) == (first.status_code, first.json()["position"])
    assert (await recover(drill, *WHY)) == (0, {})


async def test_a_forged_next_fact_is_left_out_if_only_signed_ones_are_wanted_and_the_workspace_goes_on(
    drill: Drill,
) -> None:
    """The first fact of a new stream continues every log: nothing but the missing head tells it from ours."""
    async with drill.running() as service:
        org = await drill.organisation(service, "forged")
        await furnished(org)
    await drill.publish()
    _, last, _ = await drill.head(org.workspace)
    before = await drill.rows(org.workspace, last)
    forged = json.loads(before["facts"][-1][7]) | {
        "seq": last + 1,
        "event_id": "4c7d0000-0000-7000-8000-000000000000",
        "stream": "unit/forged",
        "version": 1,
        "previous": None,
        "type": "UnitCreated",
        "data": {"name": "Forged"},
    }
    kafka = drill.settings.kafka
    await send(kafka, org.workspace, (1, last + 1, canonical(forged), "UnitCreated"))

    code, told = await recover(drill, "--dry-run")
    assert (code, told[org.workspace]["recoverable"], told[org.workspace]["foreign_records"]) == (0, 1, 0)

    code, told = await recover(drill, *WHY, "--signed-only")
    report = told[org.workspace]
    assert (code, report["recovered"], report["last_seq"], report["epoch"]) == (0, 0, last, 2)
    assert await drill.rows(org.workspace, last) == before
    assert (await drill.head(org.workspace))[:2] == (2, last + 1)
    assert (await recover(drill, *WHY)) == (0, {})


@asynccontextmanager
async def opened(drill: Drill) -> AsyncIterator[Recovery]:
    settings = drill.settings
    key = settings.signing_key()
    assert key is not None
    async with store_for_operator(settings) as store:
        kafka, domain = settings.kafka, FoldOfGoals()
        yield Recovery(
            store.engine,
            kafka,
            store.keyring,
            domain,
            key.public_key(),
            settings.heads_origin,
            store.ledger.erase_again,
        )


async def looked(recovery: Recovery, drill: Drill) -> list[Recoverable]:
    return [one async for some in recovery.look(drill.workspaces) for one in some]


async def test_a_recovery_killed_half_way_leaves_the_workspace_behind_and_is_run_again(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "FACTS_PER_TRANSACTION", 10)
    async with drill.running() as service:
        org = await drill.organisation(service, "killed")
        await furnished(org)
    await drill.publish()
    dump, kept = await drill.dumped(), (await drill.head(org.workspace))[1]
    async with drill.running() as service:
        await check_ins(Organisation(service.public, org.workspace), 35)
    await drill.publish()
    _, last, _ = await drill.head(org.workspace)
    before = await drill.rows(org.workspace, last)
    await drill.put_back(dump)

    class Killed(Exception):
        pass

    def says(workspace: str, done: int, of: int) -> None:
        if done >= of / 2:
            raise Killed

    async with opened(drill) as recovery:
        with pytest.raises(Killed):
            await recovery.recover(await looked(recovery, drill), meta("Restored"), datetime.now(UTC), says)
    epoch, half, _ = await drill.head(org.workspace)
    assert (epoch, kept < half < last) == (1, True)
    async with store_for_operator(drill.settings) as store:
        with pytest.raises(StoreBehindLog):
            await store.ledger.read(org.workspace)
    async with opened(drill) as recovery:
        [found] = await looked(recovery, drill)
        assert (found.kept, found.reaches, found.stopped_because) == (half, last, None)
        done = await recovery.recover([found], meta("Restored"), datetime.now(UTC), lambda *_: None)
    assert done == {org.workspace: 2}
    assert await drill.rows(org.workspace, last) == before


async def test_of_two_recoveries_one_begins_an_epoch_and_none_begins_one_over_less_than_it_found(
    drill: Drill,
) -> None:
    async with drill.running() as service:
        org = await drill.organisation(service, "raced")
        await furnished(org)
    await drill.publish()
    dump = await drill.dumped()
    async with drill.running() as service:
        await check_ins(Organisation(service.public, org.workspace), 5)
    await drill.publish()
    await drill.put_back(dump)

    async def recover(found: Recoverable) -> dict[str, int]:
        return await recovery.recover([found], meta("Restored"), datetime.now(UTC), lambda *_: None)

    async with opened(drill) as recovery:
        [found] = await looked(recovery, drill)
        with pytest.raises(NotRecorded, match="No epoch was begun"):
            await recover(replace(found, reaches=found.reaches + 1))
        assert (await drill.head(org.workspace))[0] == 1
        before = await recovery.folded(org.workspace)
        assert await recover(found) == {org.workspace: 2}
        head = await drill.head(org.workspace)
        with pytest.raises(NotRecorded, match="Somebody else"):
            await recover(found)
        with pytest.raises(NotRecorded, match="Somebody else"):
            await recovery.finish(before, [], Lost(), meta("Restored"), datetime.now(UTC))
        assert await drill.head(org.workspace) == head
