"""A store with facts as the ledger writes them, relays that run beside the test, and readers of what they published."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from goal_ledger_command.migrations import migrate
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.process import Relay
from goal_ledger_contracts.canonical import canonical
from goal_ledger_contracts.envelope import leaf_hash
from goal_ledger_ledger.merkle import Frontier
from goal_ledger_ledger.store import create_engine, raw_connection
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging import messages
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import FACTS, HEADS
from goal_ledger_observability.metrics import new_registry
from sqlalchemy.ext.asyncio import AsyncEngine

_names = itertools.count(1)
SESSION = uuid.uuid4().hex[:6]
AT = datetime(2026, 5, 1, tzinfo=UTC)
ORIGIN = "tests.goal-ledger"

HELD_S = 60.0
"""An upper limit that is never reached when the thing waited for happens."""


@dataclass
class Written:
    """What one workspace's store holds."""

    workspace: str
    epoch: int = 1
    facts: list[bytes] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)

    def next(self, **fact: Any) -> dict[str, Any]:
        """The body of a fact that continues the log, and its stream, as far as it says nothing else."""
        stream = fact.get("stream", f"objective/{self.workspace}")
        version, previous = self._tip(stream)
        return {
            "actor": "system/shop",
            "data": {},
            "event_id": str(uuid.uuid4()),
            "previous": previous,
            "seq": len(self.facts) + 1,
            "stream": stream,
            "type": "ObjectiveDrafted",
            "version": version + 1,
            "workspace": self.workspace,
            **fact,
        }

    def _tip(self, stream: str) -> tuple[int, str | None]:
        for stored in reversed(self.facts):
            body = json.loads(stored)
            if body["stream"] == stream:
                return body["version"], leaf_hash(stored).hex()
        return 0, None


class Store:
    """Writes facts and heads in one transaction, as the ledger does; the content is any JSON."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    def workspace(self) -> Written:
        return Written(f"relay-{SESSION}-{next(_names)}")

    def workspace_elsewhere(self, than: Written) -> Written:
        """One whose facts lie in another partition."""
        while partition_of((other := self.workspace()).workspace, 24) == partition_of(than.workspace, 24):
            pass
        return other

    async def append(self, to: Written, *facts: dict[str, Any]) -> None:
        rows = []
        for fact in facts:
            body = to.next(**fact)
            seq, version = body["seq"], body["version"]
            stored = canonical(body)
            to.facts.append(stored)
            leaf = leaf_hash(stored)
            to.frontier = to.frontier.append([leaf])
            event_id = uuid.UUID(body["event_id"])
            rows.append(
                (to.workspace, seq, body["stream"], version, body["type"], event_id, AT, leaf, stored, None)
            )
        async with raw_connection(self.engine) as raw, raw.transaction():
            await raw.executemany("INSERT INTO facts VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)", rows)
            await raw.execute(
                "INSERT INTO heads VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT (workspace) DO UPDATE "
                "SET epoch = $2, seq = $3, frontier = $5, root = $6, moved_at = now()",
                to.workspace,
                to.epoch,
                len(to.facts),
                AT,
                to.frontier.to_bytes(),
                to.frontier.root,
            )

    async def many(self, to: Written, count: int) -> None:
        await self.append(
            to, *({"data": {"n": n, "text": sha256(b"%d" % n).hexdigest()}} for n in range(count))
        )


@dataclass
class Bench:
    """Everything a test of the relay needs."""

    store: Store
    bootstrap: str
    url: str
    key: Ed25519PrivateKey

    @property
    def engine(self) -> AsyncEngine:
        return self.store.engine

    def relay(self) -> Relay:
        return Relay(self.engine, self.bootstrap, RelayMetrics(new_registry("test")), self.key, ORIGIN)

    @contextlib.asynccontextmanager
    async def relaying(self) -> AsyncIterator[asyncio.Task[None]]:
        """A relay beside the test; cancelled at the end, as by SIGTERM."""
        task = asyncio.create_task(self.relay().run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def published(self, to: Written) -> int:
        async with raw_connection(self.engine) as raw:
            seq: int | None = await raw.fetchval(
                "SELECT seq FROM published WHERE workspace = $1 AND epoch = $2", to.workspace, to.epoch
            )
        return seq or 0

    async def all_published(self, *written: Written) -> None:
        for one in written:
            await until(lambda one=one: self._is_published(one))  # type: ignore[misc]

    async def _is_published(self, one: Written) -> bool:
        return await self.published(one) >= len(one.facts)

    async def records(self, topic: str, workspace: str | None = None) -> list[ConsumerRecord]:
        """Everything in a topic up to its present end, in order per partition; of one workspace if named."""
        reader = consumers.reader(self.bootstrap)
        await reader.start()
        found: list[ConsumerRecord] = []
        try:
            partitions = [TopicPartition(topic, one) for one in range(await self._partitions(topic))]
            ends = {tp: end for tp, end in (await reader.end_offsets(partitions)).items() if end}
            if not ends:
                return []
            reader.assign(list(ends))
            await reader.seek_to_beginning()
            while any([await reader.position(tp) < end for tp, end in ends.items()]):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found += records
        finally:
            await consumers.discard(reader)
        for one in found:
            need_described(one)
        wanted = None if workspace is None else workspace.encode()
        return [one for one in found if wanted is None or dict(one.headers).get("workspace") == wanted]

    async def _partitions(self, topic: str) -> int:
        ids = TopicIds(self.bootstrap)
        await ids.start()
        try:
            found = (await ids.describe([topic])).get(topic)
            return 0 if found is None else found.partitions
        finally:
            await ids.close()

    async def facts(self, of: Written) -> list[tuple[int, int, bytes]]:
        """(epoch, seq, bytes) of a workspace in ``ledger.facts``, as they lie there."""
        return [
            (int(dict(one.headers)["epoch"]), int(dict(one.headers)["seq"]), one.value)
            for one in await self.records(FACTS, of.workspace)
        ]


def need_described(record: ConsumerRecord) -> None:
    """Every record of ours is as its type in ``messages.py``, hence as AsyncAPI says. Raises ValidationError."""
    headers = {name: raw.decode(errors="replace") for name, raw in record.headers}
    if record.topic == FACTS:
        messages.FactHeaders.model_validate(headers)
    elif record.topic == HEADS:
        messages.HeadHeaders.model_validate(headers)
    elif record.topic.startswith("progress.receipts."):
        messages.ReceiptHeaders.model_validate(headers)
        messages.Receipt.model_validate_json(record.value)
    elif record.topic.startswith("progress.rejected."):
        messages.RejectedHeaders.model_validate(headers)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Returns as soon as it holds."""
    async with asyncio.timeout(HELD_S):
        while not await holds():  # noqa: ASYNC110  (what is waited for happens in Kafka or PostgreSQL)
            await asyncio.sleep(0.02)


async def cut(bench: Bench, partition: int, topic: str = FACTS) -> int:
    """Deletes all that the partition holds, as a retention that is not for ever would; its new beginning."""
    place = TopicPartition(topic, partition)
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({place: RecordsToDelete(before_offset=-1)})
    finally:
        await admin.close()
    reader = consumers.reader(bench.bootstrap)
    await reader.start()
    try:
        return (await reader.beginning_offsets([place]))[place]
    finally:
        await consumers.discard(reader)


async def delete_topic(bench: Bench, topic: str) -> None:
    """Returns when the broker no longer knows it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        while topic in await admin.list_topics():
            pass
    finally:
        await admin.close()


def folded(records: list[tuple[int, int, bytes]], epoch: int = 1) -> list[bytes]:
    """What a reader who follows the consumer rule has applied; a gap is an error."""
    applied: list[bytes] = []
    for record_epoch, seq, stored in records:
        if record_epoch != epoch:
            continue
        assert seq <= len(applied) + 1, f"gap: seq {seq} after {len(applied)}"
        if seq == len(applied) + 1:
            applied.append(stored)
    return applied


@pytest_asyncio.fixture
async def bench(postgres: Postgres, kafka: Kafka) -> AsyncIterator[Bench]:
    url = await postgres.create("relay")
    await migrate(url, await postgres.create("keys"))
    engine = create_engine(url, application="tests", connections=12)
    yield Bench(Store(engine), kafka.bootstrap, url, Ed25519PrivateKey.generate())
    await engine.dispose()


@pytest.fixture
def a_system() -> str:
    return f"shop-{next(_names)}"
