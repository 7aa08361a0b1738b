"""The process that tells `goals.changed`, life by life, on a database and a topic of the test's own."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging import messages
from goal_ledger_messaging.topics import FACTS_PARTITIONS
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.changed.marks import Marks
from goal_ledger_projection.changed.process import ChangedMetrics, Teller
from goal_ledger_projection.changed.settings import ChangedSettings
from goal_ledger_projection.changed.topic import ChangedTopic
from goal_ledger_projection.database import one_connection
from goal_ledger_projection.history.snapshots import ReadDatabase

_names = itertools.count(1)
SESSION = uuid.uuid4().hex[:6]


@dataclass
class Told:
    """What stands in the topic."""

    records: list[ConsumerRecord] = field(default_factory=list)

    @property
    def by_id(self) -> dict[tuple[str, str], bytes]:
        """By (source, id), whoever drops what comes again. Every record again is the same bytes."""
        found: dict[tuple[str, str], bytes] = {}
        for one in self.records:
            named = dict(one.headers)
            key = (named["ce_source"].decode(), named["ce_id"].decode())
            assert found.setdefault(key, one.value) == one.value
        return found

    @property
    def compacted(self) -> dict[str, bytes]:
        """By key, as compaction leaves it."""
        return {one.key.decode(): one.value for one in self.records}

    def of(self, workspace: str) -> list[dict[str, Any]]:
        """Each once, in order, read by the typed messages."""
        seen: dict[str, dict[str, Any]] = {}
        for one in self.records:
            headers = messages.GoalChangedHeaders.model_validate(
                {name: value.decode() for name, value in one.headers}
            )
            if headers.workspace == workspace and headers.ce_id not in seen:
                messages.GoalChanged.model_validate_json(one.value)
                body = json.loads(one.value)
                assert one.key.decode() == f"{workspace}/{body['goal']}"
                seen[headers.ce_id] = body
        return list(seen.values())


@dataclass
class Telling:
    """`now`: the process's clock."""

    url: str
    kafka: str
    now: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    topic: str = field(default_factory=lambda: f"goals.changed.{SESSION}.{next(_names)}")

    @property
    def settings(self) -> ChangedSettings:
        return ChangedSettings(
            read_database_url=self.url,
            kafka_bootstrap_servers=self.kafka,
            changed_topic=self.topic,
            allow_unsafe_durability=True,
        )

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Teller]:
        """One life, begun."""
        database = ReadDatabase(self.settings)
        connection, topic = await one_connection(self.url), ChangedTopic(self.settings.kafka, self.topic)
        await database.start()
        try:
            marks = Marks(connection)
            assert await marks.become_the_one()
            await topic.open()
            metrics = ChangedMetrics(new_registry("changed"))
            teller = Teller(self.settings, database, marks, topic, metrics, lambda: self.now)
            await teller.begin()
            yield teller
        finally:
            await topic.close()
            connection.terminate()
            await database.close()

    async def tell_all(self) -> None:
        """Until there is nothing to tell."""
        async with self.life() as teller:
            while await teller.round():
                pass

    async def told(self) -> Told:
        """All records, in order within each partition."""
        reader, told = consumers.reader(self.settings.kafka), Told()
        await reader.start()
        try:
            places = [TopicPartition(self.topic, one) for one in range(FACTS_PARTITIONS)]
            reader.assign(places)
            ends = await reader.end_offsets(places)
            while any([await reader.position(place) < ends[place] for place in places]):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    told.records += records
        finally:
            await consumers.discard(reader)
        return told

    async def forget(self) -> None:
        """As if nothing had ever been told; the next topic is another."""
        connection = await one_connection(self.url)
        await connection.execute("TRUNCATE goals_told, goals_told_to, goals_told_offsets")
        await connection.close()
        self.topic = f"goals.changed.{SESSION}.{next(_names)}"
