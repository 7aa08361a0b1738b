"""A dump is taken while commands go on, and is older by more than a thousand facts when it is put back."""

from __future__ import annotations

import asyncio

import httpx2
from command.routes import furnished
from command.service import Organisation
from relay.conftest import until

from recovery.drill import Drill
from recovery.test_recovering import WHY, recover

CLIENTS = 24
BEFORE, BEHIND, NEVER_PUBLISHED = 150, 1_000, 7


class Load:
    """Check-ins, each under a key of its own, as fast as so many clients send them."""

    def __init__(self, org: Organisation) -> None:
        self._org, self._sent = org, 0
        self.acknowledged: dict[str, httpx2.Response] = {}
        self._stopped = asyncio.Event()

    async def client(self) -> None:
        while not self._stopped.is_set():
            self._sent += 1
            await self.send(f"load-{self._sent}", self._sent)

    async def send(self, key: str, number: int) -> httpx2.Response:
        body = {"values": [{"part": "value", "value": str(number)}], "note": f"Note {number}"}
        answer = await self._org.post("/v1/key-results/visitors/check-ins", body, Idempotency_Key=key)
        assert answer.status_code == 201, answer.text
        self.acknowledged[key] = answer
        return answer

    async def until_acknowledged(self, many: int) -> None:
        async def are_there() -> bool:
            return len(self.acknowledged) >= many

        await until(are_there)

    def stop(self) -> None:
        self._stopped.set()


async def test_what_was_acknowledged_and_published_since_a_dump_under_load_comes_back_and_the_rest_is_said_to_be_unknown(
    drill: Drill,
) -> None:
    async with drill.running() as service:
        org = await drill.organisation(service, "loaded")
        await furnished(org)
        load = Load(org)
        async with drill.relaying(), asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(load.client())
            await load.until_acknowledged(BEFORE)
            dump = await drill.dumped_in_use()
            await load.until_acknowledged(len(load.acknowledged) + BEHIND)
            load.stop()
        _, last, _ = await drill.head(org.workspace)
        published = dict(load.acknowledged)
        for number in range(NEVER_PUBLISHED):
            await load.send(f"never-published-{number}", number)
    before = await drill.rows(org.workspace, last)
    await drill.restored(dump)
    _, kept, _ = await drill.head(org.workspace)
    assert BEFORE < kept <= last - BEHIND

    code, told = await recover(drill, *WHY)
    report = told[org.workspace]
    assert (code, report["kept"], report["recovered"], report["signed_to"]) == (0, kept, last - kept, last)
    assert report["unknown_beyond"] == f"1-{last}"
    assert await drill.rows(org.workspace, last) == before
    async with drill.running() as service:
        again = Load(Organisation(service.public, org.workspace))
        for number in (BEFORE, len(published)):
            key = f"load-{number}"
            answer = await again.send(key, number)
            assert answer.json()["position"] == published[key].json()["position"]
            assert answer.headers["Idempotency-Replayed"] == "true"
        lost = await again.send("never-published-0", 0)
        assert "Idempotency-Replayed" not in lost.headers
        assert lost.json()["position"] == f"2-{last + 2}"
