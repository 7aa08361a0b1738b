"""The ledger's database is put back to an earlier dump: nobody writes, nothing in Kafka is overwritten, reads go on."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncpg
from goal_ledger_client import Emitter, exchange
from goal_ledger_local.processes import PartFailed
from goal_ledger_local.stack import Stack

from faults.another_command import running_commands, two_commands
from faults.emitting import inbox_is_there, sale
from faults.finding import Finding
from faults.ground import Ground, break_ground
from faults.records import facts_of, header
from faults.sending import Attempt, attempt, http_client
from faults.waiting import NotInTime, until
from faults.whole import compare

BEHIND = "store_behind_log"
REFUSED_WITHIN_S = 30.0
STILL_REFUSED_FOR_S = 6.0
SERVICES = ("command", "command-2", "relay", "worker", "query")


async def restored_while_running(stack: Stack, check_ins: int = 50) -> Finding:
    """As below, but our services run on while their database is put back; and of two command processes one has never
    been asked for the workspace, so that nothing in its memory tells it."""
    async with two_commands(stack):
        return await store_restored(stack, check_ins, killed=False)


async def store_restored(stack: Stack, check_ins: int = 50, *, killed: bool = True) -> Finding:
    """Dump, write on, kill our services, restore, start. The workspace stays behind: use a stack of its own, or last."""
    found = Finding("a store set back refuses to write and overwrites nothing")
    ground = await asyncio.to_thread(break_ground, stack, "restored")
    untouched = await asyncio.to_thread(break_ground, stack, "untouched")
    await inbox_is_there(ground)
    await _check_in(ground, check_ins)
    found.wrong += (await compare(ground)).wrong
    with tempfile.TemporaryDirectory() as directory:
        dump = Path(directory) / "ledger.dump"
        await asyncio.to_thread(stack.postgres.dump, "ledger", dump)
        await _check_in(ground, check_ins)
        found.wrong += (await compare(ground)).wrong
        before = await _seen(ground)
        await asyncio.to_thread(_set_back, stack, dump, SERVICES if killed else ())
    kept = await _head(ground)
    found.expect(kept == len(before) - check_ins, f"the store is at {kept}, {len(before)} were published")
    async with _two_commands(stack, killed) as urls:
        await _nobody_writes(found, ground, urls, len(before))
    after = await _seen(ground)
    found.expect(after[: len(before)] == before, "records in Kafka have changed")
    found.expect(len(after) == len(before), f"{len(after) - len(before)} records came to Kafka afterwards")
    found.expect(await _head(ground) == kept, "the store has grown")
    await _reads_go_on(found, ground)
    await _check_in(untouched, 1)
    found.wrong += (await compare(untouched)).wrong
    found.note(published=len(before), kept=kept)
    return found


def _two_commands(stack: Stack, killed: bool) -> AbstractAsyncContextManager[tuple[str, str]]:
    """Those that run already, or a second one started on the store that was put back."""
    return two_commands(stack) if killed else running_commands(stack)


def _set_back(stack: Stack, dump: Path, killed: Sequence[str]) -> None:
    services = [name for name in killed if name in stack.services]
    for name in services:
        stack.kill(name)
    if services:
        stack.postgres.restore("ledger", dump)
    else:
        asyncio.run(_put_in_its_place(stack, dump))
    for name in services:
        stack.restart(name)


async def _put_in_its_place(stack: Stack, dump: Path) -> None:
    """Restore aside, then swap: services that run on would write into tables that are still being filled."""
    admin = await asyncpg.connect(stack.postgres.admin_url)
    try:
        await admin.execute("CREATE DATABASE ledger_earlier OWNER ledger_owner")
        await admin.execute("REVOKE CONNECT ON DATABASE ledger_earlier FROM PUBLIC")
        await admin.execute("GRANT CONNECT ON DATABASE ledger_earlier TO command, relay")
        words = ("-U", "postgres", "-d", "ledger_earlier", str(dump))
        await asyncio.to_thread(stack.postgres.run, "pg_restore", *words, as_ourselves=True)
        await admin.execute("ALTER DATABASE ledger ALLOW_CONNECTIONS false")
        await admin.execute("DROP DATABASE ledger WITH (FORCE)")
        await admin.execute("ALTER DATABASE ledger_earlier RENAME TO ledger")
    finally:
        await admin.close()


async def _nobody_writes(found: Finding, ground: Ground, urls: tuple[str, str], published: int) -> None:
    """Commands to both processes, the operator's command line, and the intake."""
    async with http_client() as http, Emitter(ground.kafka, ground.inbox) as emitter:

        async def command(url: str) -> Attempt:
            body = {"values": [{"part": "value", "value": "1"}]}
            path = f"/v1/key-results/{ground.key_results[0]}/check-ins"
            return await attempt(http, url, ground.token, path, body)

        async def reading(url: str) -> Attempt:
            return await attempt(http, url, ground.token, "/v1/units", {"id": "late", "name": "Late"})

        await emitter.emit([sale("after-the-restore")])
        refused = 0
        for url in urls:
            for send in (command, reading):
                refused += await _refused(found, url, send)
        loop = asyncio.get_running_loop()
        still = loop.time() + STILL_REFUSED_FOR_S
        while loop.time() < still:
            for url in urls:
                one = await command(url)
                found.expect((one.status, one.code) == (503, BEHIND), f"then {one.status} {one.code}")
                refused += one.code == BEHIND
        answer = await http.get(
            f"{urls[0]}/v1/receipts",
            params={"source": "/shop/till", "id": "after-the-restore"},
            headers=exchange.headers(ground.emitter_key),
        )
        found.expect(answer.status_code != 200, f"the reading has a receipt: {answer.text[:200]}")
        found.note(refused=refused)
    said = await asyncio.to_thread(_operator, ground)
    found.expect(BEHIND in said, f"the operator's command line said: {said[:200]}")


async def _refused(found: Finding, url: str, send: Any) -> int:
    """Until it is said why; nothing may be recorded on the way."""
    last: list[Attempt] = []

    async def says_so() -> bool:
        last.append(await send(url))
        return last[-1].code == BEHIND

    try:
        await until(says_so, REFUSED_WITHIN_S, f"{url} refuses to write", every_s=0.2)
    except NotInTime as late:
        found.wrong.append(f"{late}; it said {last[-1].status} {last[-1].code}")
    written = [one for one in last if one.status < 300 and one.status]
    found.expect(not written, f"{url} recorded {len(written)} commands")
    return sum(one.code == BEHIND for one in last)


def _operator(ground: Ground) -> str:
    words = ("issue-key", "--workspace", ground.workspace, "--holder", "system/shop")
    try:
        return ground.stack.operator(*words)
    except PartFailed as refused:
        return str(refused)


async def _check_in(ground: Ground, many: int) -> None:
    def write() -> None:
        with ground.client() as ada:
            for number in range(many):
                body = {"values": [{"part": "value", "value": str(number)}]}
                ada.command(f"/v1/key-results/{ground.key_results[0]}/check-ins", body)

    await asyncio.to_thread(write)


async def _seen(ground: Ground) -> list[tuple[int, int, str | None, bytes]]:
    """What Kafka holds of the workspace."""
    return [
        (one.partition, one.offset, header(one, "seq"), one.value)
        for one in await facts_of(ground.kafka, ground.workspace)
    ]


async def _head(ground: Ground) -> int:
    """Out of the store itself: a process that folded further than the store now goes does not read it either."""
    store = await asyncpg.connect(ground.stack.postgres.url("ledger", "postgres"))
    try:
        seq = await store.fetchval("SELECT seq FROM heads WHERE workspace = $1", ground.workspace)
        return int(seq)
    finally:
        await store.close()


async def _reads_go_on(found: Finding, ground: Ground) -> None:
    """The query side still answers, at the position it had seen."""
    async with http_client() as http:
        answer = await http.get(
            f"{ground.query_url}/v1/key-results/{ground.key_results[0]}",
            headers=exchange.headers(ground.token),
        )
    found.expect(
        answer.status_code == 200, f"the query side answers {answer.status_code} {answer.text[:200]}"
    )
    found.note(query_position=answer.headers.get("Goal-Ledger-Position"))
