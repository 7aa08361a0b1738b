"""A ledger with a web shop that emits readings, and the intake beside the test."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest_asyncio
from goal_ledger_command.fold import FoldOfGoals
from goal_ledger_command.intake import running
from goal_ledger_command.migrations import migrate
from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide, lookups, neighbours
from goal_ledger_domain.feed import RegisterFeed
from goal_ledger_domain.system import RegisterSystem
from goal_ledger_domain.workspace import CreateWorkspace
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.store import create_engine, raw_connection
from goal_ledger_ledger.submission import CommandAnswer, OpenGate, Submission
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_messaging import producer as producers
from goal_ledger_messaging.security import Cluster
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import Emitter, emitter_topics, ensure_topics
from goal_ledger_observability.metrics import new_registry
from sqlalchemy.ext.asyncio import AsyncEngine

_names = itertools.count(1)
SESSION = uuid.uuid4().hex[:6]
OPERATOR = Meta(actor="operator", correlation_id="test", causation_id="test")
HELD_S = 60.0
"""An upper limit that is never reached when the thing waited for happens."""


def event(id: str, value: str = "1", **changes: Any) -> bytes:
    """A structured reading of the shop's visitors."""
    whole = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "/shop",
        "id": id,
        "subject": "webshop.visitors",
        "time": "2026-05-01T12:00:00Z",
        "data": {"value": value},
        **changes,
    }
    return json.dumps({name: one for name, one in whole.items() if one is not ...}).encode()


def headers_of(id: str) -> list[tuple[str, bytes]]:
    """The same in binary mode; the value is the data alone."""
    named = json.loads(event(id))
    named.pop("data")
    return [
        *((f"ce_{name}", text.encode()) for name, text in named.items()),
        ("content-type", b"application/json"),
    ]


@dataclass
class Shop:
    """One workspace with one system and two feeds (visitors: event count, stock: gauge)."""

    bench: Bench
    workspace: str
    system: str = "shop"

    @property
    def emitter(self) -> Emitter:
        return Emitter(self.workspace, self.system)

    async def send(self, *values: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> None:
        """Records into the inbox, acknowledged."""
        producer = producers.reliable(self.bench.bootstrap)
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(self.emitter.readings, value, key=b"k", headers=headers or [])
        finally:
            await producers.discard(producer)

    async def taken(self, upto: int) -> None:
        """Returns when the inbox's present generation is taken up to there."""

        async def is_taken() -> bool:
            return await self.position() >= upto

        await until(is_taken)

    async def position(self) -> int:
        ids = TopicIds(self.bench.bootstrap)
        await ids.start()
        try:
            generation = (await ids.of([self.emitter.readings])).get(self.emitter.readings)
        finally:
            await ids.close()
        async with raw_connection(self.bench.engine) as raw:
            found: int | None = await raw.fetchval(
                "SELECT next_offset FROM inbox_positions WHERE topic = $1 AND generation = $2",
                self.emitter.readings,
                generation,
            )
        return found or 0

    async def readings(self) -> list[Fact]:
        """Recorded and quarantined readings, in order."""
        async with raw_connection(self.bench.engine) as raw:
            rows = await raw.fetch(
                "SELECT bytes FROM facts WHERE workspace = $1 AND type LIKE 'Reading%' ORDER BY seq",
                self.workspace,
            )
        return [from_bytes(row[0]) for row in rows]

    async def outcomes(self) -> list[dict[str, Any]]:
        async with raw_connection(self.bench.engine) as raw:
            rows = await raw.fetch(
                'SELECT * FROM outcomes WHERE workspace = $1 ORDER BY "offset"', self.workspace
            )
        return [dict(row) for row in rows]

    async def do(self, command: Any) -> CommandAnswer:
        return await self.bench.ledger.submit(
            Submission(
                self.workspace,
                lambda world, situation: decide(world, command, situation),
                lookups(command),
                neighbours(command),
                creates_workspace=isinstance(command, CreateWorkspace),
            )
        )


@dataclass
class Bench:
    ledger: Ledger
    engine: AsyncEngine
    bootstrap: Cluster | str
    url: str

    async def shop(self) -> Shop:
        shop = await self.registered_shop()
        await ensure_topics(self.bootstrap, list(emitter_topics(shop.emitter)))
        return shop

    async def registered_shop(self) -> Shop:
        """Without its topics: the relay makes them."""
        shop = Shop(self, f"intake-{SESSION}-{next(_names)}")
        await shop.do(CreateWorkspace(OPERATOR, shop.workspace, "Shop", "Europe/Oslo"))
        await shop.do(RegisterSystem(OPERATOR, "shop", "Web shop"))
        await shop.do(RegisterFeed(OPERATOR, "webshop.visitors", "shop", "event_count"))
        await shop.do(RegisterFeed(OPERATOR, "webshop.stock", "shop", "gauge"))
        return shop

    @contextlib.asynccontextmanager
    async def intaking(self) -> AsyncIterator[None]:
        settings = SimpleNamespace(ledger_database_url=self.url, kafka=self.bootstrap)
        async with running(self.ledger, settings, new_registry("test")):
            yield


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Returns as soon as it holds."""
    async with asyncio.timeout(HELD_S):
        while not await holds():  # noqa: ASYNC110  (what is waited for happens in Kafka or PostgreSQL)
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def opened_bench(url: str, keys_url: str, kafka: Cluster | str) -> AsyncIterator[Bench]:
    """On migrated databases."""
    engine = create_engine(url, application="tests", connections=6)
    own = create_engine(url, application="ledger", connections=12)
    keys_engine = create_engine(keys_url, application="tests", connections=2)
    ledger = Ledger(
        own, Keyring(keys_engine, b"m" * 32), FoldOfGoals(), OpenGate(), allow_unsafe_durability=True
    )
    await ledger.start()
    yield Bench(ledger, engine, kafka, url)
    await ledger.close()
    await engine.dispose()
    await own.dispose()
    await keys_engine.dispose()


@pytest_asyncio.fixture(scope="session")
async def bench(postgres: Postgres, kafka: Kafka) -> AsyncIterator[Bench]:
    url, keys_url = await postgres.create("intake"), await postgres.create("keys")
    await migrate(url, keys_url)
    async with opened_bench(url, keys_url, kafka.bootstrap) as bench:
        yield bench


@pytest_asyncio.fixture
async def shop(bench: Bench) -> Shop:
    return await bench.shop()
