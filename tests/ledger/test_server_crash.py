"""The database server is killed under two busy writers: what was answered is there, once, at its position."""

from __future__ import annotations

import asyncio
from pathlib import Path

from goal_ledger_command.migrations import migrate
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.store import create_engine
from goal_ledger_ledger.submission import CommandAnswer, NotRecorded, OpenGate, OutcomeUnknown
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner

from ledger.audit import Audit
from ledger.tiny import Commands, TinyDomain

CLIENTS = 24
ANSWERS_PER_LIFE = 100


class Clients:
    """Each sends one check-in after another; what failed is sent again under its key until it is answered."""

    def __init__(self, ledgers: list[Ledger], commands: Commands) -> None:
        self.ledgers, self.commands = ledgers, commands
        self.answers: dict[str, CommandAnswer] = {}
        self.failures: list[Exception] = []
        self.enough = asyncio.Event()
        self.wanted = ANSWERS_PER_LIFE

    async def run(self, number: int) -> None:
        sent = 0
        while not self.enough.is_set():
            sent += 1
            await self._until_answered(number, f"c{number}-{sent}")

    async def _until_answered(self, number: int, id: str) -> None:
        while True:
            try:
                answer = await self.ledgers[number % 2].submit(self.commands.check_in(id, "note", key=id))
            except (NotRecorded, OutcomeUnknown) as failure:
                self.failures.append(failure)
                await asyncio.sleep(0.02)
                continue
            self.answers[id] = answer
            if len(self.answers) >= self.wanted:
                self.enough.set()
            return


async def test_nothing_answered_is_lost_or_doubled_when_the_server_is_killed(
    session_directory: Path, process_owner: ProcessOwner
):
    # With synchronous_commit=off a killed server forgets commits; the ledgers notice that (store_behind_log) and stop.
    server = Postgres(session_directory / "crash", process_owner, durable=True)
    server.start()
    urls = await server.create("ledger"), await server.create("keys")
    await migrate(*urls)
    engines = [create_engine(url, application="crash") for url in (*urls, *urls)]
    ledgers = [
        Ledger(store, Keyring(keys, b"m" * 32), TinyDomain(), OpenGate(), allow_unsafe_durability=True)
        for store, keys in (engines[:2], engines[2:])
    ]
    commands = Commands("crash")
    await ledgers[0].submit(commands.create())
    clients = Clients(ledgers, commands)
    for life in range(3):
        clients.wanted = ANSWERS_PER_LIFE * (life + 1)
        clients.enough.clear()
        running = [
            asyncio.create_task(clients.run(number)) for number in range(life * 100, life * 100 + CLIENTS)
        ]
        if life:
            server.kill()
            await asyncio.to_thread(server.restart)
        await asyncio.gather(*running)
    facts = await Audit(urls[0], "crash").facts()
    recorded = {fact["data"]["check_in"]: fact for fact in facts[1:]}
    assert len(recorded) == len(facts) - 1 == len(clients.answers)
    for id, answer in clients.answers.items():
        assert (recorded[id]["event_id"], recorded[id]["seq"]) == (
            answer.facts[0].event_id,
            answer.position.seq,
        )
    assert clients.failures
    for ledger in ledgers:
        await ledger.close()
    for engine in engines:
        await engine.dispose()
    server.stop()
