"""The emitter: plain Kafka, CloudEvents, every third reading sent twice. What Kafka acknowledged must be recorded once."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_client import Emitter, Reading

from faults.ground import SALES, Ground
from faults.waiting import until

SOURCE = "/shop/till"
PAUSE_S = 0.01
INBOX_WITHIN_S = 30.0


def sale(id: str, value: str = "1") -> Reading:
    """One sale, now."""
    return Reading(SOURCE, id, SALES, datetime.now(UTC), value, "pieces", "increment")


async def inbox_is_there(ground: Ground) -> None:
    """The relay makes an emitter's topics within 10 s of its registration."""
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka)
    await admin.start()
    try:

        async def there() -> bool:
            return {ground.inbox, ground.receipts, ground.rejected} <= set(await admin.list_topics())

        await until(there, INBOX_WITHIN_S, f"the topics of {ground.workspace} are there")
    finally:
        await admin.close()


class Emitting:
    """Emits from the start of the block to its end, but for pauses. `acknowledged`: ids that Kafka has taken."""

    def __init__(self, ground: Ground) -> None:
        self.acknowledged: set[str] = set()
        self.in_hand = 0
        self._ground = ground
        self._going = asyncio.Event()
        self._emitter = Emitter(ground.kafka, ground.inbox)

    async def __aenter__(self) -> Self:
        await inbox_is_there(self._ground)
        await self._emitter.__aenter__()
        self._task = asyncio.create_task(self._emit())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.wait_for(self._emitter.__aexit__(None, None, None), 10)

    def go(self) -> None:
        self._going.set()

    async def settle(self) -> None:
        """Begin nothing new; return when Kafka has all. Raises what ended the emitter."""
        self._going.clear()
        while self.in_hand:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.01)

    async def _emit(self) -> None:
        for number in itertools.count(1):
            await self._going.wait()
            reading = sale(f"sale-{number}")
            self.in_hand = 1
            await self._emitter.emit([reading] * (2 if number % 3 == 0 else 1))
            self.acknowledged.add(reading.id)
            self.in_hand = 0
            await asyncio.sleep(PAUSE_S)
