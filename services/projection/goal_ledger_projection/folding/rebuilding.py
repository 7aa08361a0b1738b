"""A rebuild: a new projection version is folded from Kafka alone, beside the live one, compared, and switched to.

Never in place. The topic is read from its beginning by two readers (one folds while PostgreSQL writes for the other)
through the same consumer rule, fold and transaction as live; only the rows are written without indexes (`building.py`).
When the end that Kafka had at the start is reached the indexes are made and the ends applied, then the rest is caught
up in the usual way, the two versions are compared at equal position, and the new one goes live.

A workspace that misses facts in Kafka is drained from the command service's feed at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_messaging import consumer as messaging
from goal_ledger_messaging.records import read_place
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import partition_counts
from goal_ledger_observability.logs import logger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.database import ReadDatabase
from goal_ledger_projection.folding import building
from goal_ledger_projection.folding.applying import Applied, Applier, ReadTo
from goal_ledger_projection.folding.heal import Healer
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.folding.retrying import Pauses, RetryingApplier
from goal_ledger_projection.folding.writing import INDEXED_ROWS
from goal_ledger_projection.migration import engine_url
from goal_ledger_projection.projections import make_version
from goal_ledger_projection.settings import WorkerSettings

log = logger("goal_ledger.projection.rebuild")

READERS = 2
Told = Callable[[int, int], None]
"""Told of progress: records read since last time, and how many there are to read in all."""


class Rebuild:
    """One rebuild, from an empty version to one that can be switched to."""

    def __init__(
        self, settings: WorkerSettings, database: ReadDatabase, feed: CommandFeed, meters: Meters, told: Told
    ) -> None:
        pauses = Pauses(settings.retry_first_pause_s, settings.retry_longest_pause_s)
        self._settings = settings
        self._database = database
        self._told = told
        self._applier = Applier(
            database,
            settings.cached_definitions,
            cached_streams=None,
            rows=building.UnindexedRows(),
            only_live=False,
        )
        self._retrying = RetryingApplier(self._applier, database, pauses, meters)
        self._healer = Healer(
            database,
            feed,
            self._retrying,
            pauses,
            meters,
            page_facts=settings.heal_page_facts,
            at_once=settings.heal_workspaces_at_once,
            on_applied=lambda _: None,
        )
        self._gaps: set[str] = set()
        self._readers: list[_Reader] = []

    async def fill(self) -> None:
        """Fold what Kafka holds now, without indexes; then make them."""
        topic_id = await _topic_id(self._settings)
        partitions = await _partitions(self._settings)
        self._readers = [
            _Reader(self._settings, topic_id, partitions[n::READERS])
            for n in range(min(READERS, len(partitions)))
        ]
        for reader in self._readers:
            await reader.start()
        async with self._database.connection() as connection:
            await building.make_room_for_ends(connection)
        await self._read_to_the_end()
        await building.finish(self._database)
        self._applier.rows = INDEXED_ROWS
        await self.catch_up()

    async def catch_up(self) -> None:
        """Fold what has come to Kafka since, and drain from the feed what Kafka misses."""
        await self._read_to_the_end()
        for workspace in sorted(self._gaps):
            await self._healer.drain(workspace)
        self._gaps.clear()

    async def come_level(self, behind: list[str]) -> None:
        """Bring these workspaces to where the live version stands; it waits meanwhile."""
        await self._read_to_the_end()
        for workspace in behind:
            await self._healer.drain(workspace)

    async def close(self) -> None:
        """Let Kafka go."""
        for reader in self._readers:
            await messaging.discard(reader.consumer)

    async def _read_to_the_end(self) -> None:
        total = sum([await reader.look_at_end() for reader in self._readers])
        await asyncio.gather(*(self._fold(reader, total) for reader in self._readers))

    async def _fold(self, reader: _Reader, total: int) -> None:
        while (batch := await reader.next()) is not None:
            records, taken, count = batch
            applied: Applied = await self._retrying.apply(records, taken)
            for workspace, (seq, reason) in applied.foreign.items():
                log.error("foreign_record", workspace=workspace, seq=seq, reason=reason)
            self._gaps |= applied.gaps | applied.foreign.keys()
            self._told(count, total)


class _Reader:
    """Reads some partitions from their beginning to an end."""

    def __init__(self, settings: WorkerSettings, topic_id: str, partitions: Sequence[int]) -> None:
        self._topic = settings.facts_topic
        self._topic_id = topic_id
        self._places = [TopicPartition(self._topic, partition) for partition in partitions]
        self._max_records = settings.rebuild_records
        self.consumer: AIOKafkaConsumer = messaging.reader(settings.kafka)
        self._ends: dict[TopicPartition, int] = {}
        self._read: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Begin at the beginning."""
        await self.consumer.start()
        self.consumer.assign(self._places)
        self._read = dict(await self.consumer.beginning_offsets(self._places))
        for place, offset in self._read.items():
            self.consumer.seek(place, offset)

    async def look_at_end(self) -> int:
        """Read to the end that Kafka has now; how many records that is at most."""
        self._ends = await self.consumer.end_offsets(self._places)
        return sum(max(0, self._ends[place] - self._read[place]) for place in self._places)

    async def next(self) -> tuple[list[Record], ReadTo, int] | None:
        """The next batch, with how many records it was; None at the end."""
        if all(self._read[place] >= self._ends[place] for place in self._places):
            return None
        found = await self.consumer.getmany(timeout_ms=1000, max_records=self._max_records)
        ends: dict[int, int] = {}
        records: list[Record] = []
        for place, many in found.items():
            self._read[place] = ends[place.partition] = many[-1].offset + 1
            records += [record for one in many if (record := _record(one)) is not None]
        return records, ReadTo(self._topic, self._topic_id, ends), sum(map(len, found.values()))


def _record(one: ConsumerRecord[Any, Any]) -> Record | None:
    place = read_place(one.headers)
    if place is None or one.value is None:
        log.error("not a fact's record", partition=one.partition, offset=one.offset)
        return None
    return Record(*place, one.value, vouched=True)


async def _topic_id(settings: WorkerSettings) -> str:
    ids = TopicIds(settings.kafka)
    await ids.start()
    try:
        found = await ids.of([settings.facts_topic])
    finally:
        await ids.close()
    if settings.facts_topic not in found:
        raise SystemExit(f"there is no topic {settings.facts_topic}: nothing to rebuild from")
    return found[settings.facts_topic]


async def _partitions(settings: WorkerSettings) -> list[int]:
    admin = AIOKafkaAdminClient(**settings.kafka.options())
    await admin.start()
    try:
        return list(range((await partition_counts(admin, [settings.facts_topic]))[settings.facts_topic]))
    finally:
        await admin.close()


async def new_version(url: str) -> str:
    """Make the next version, empty and without indexes; versions that never went live are removed first."""
    engine = create_async_engine(engine_url(url), hide_parameters=True)
    try:
        async with engine.begin() as connection:
            rows = await connection.execute(
                text("SELECT name, live_since IS NULL FROM public.projection_versions")
            )
            known = {name: unfinished for name, unfinished in rows}
            for name in (name for name, unfinished in known.items() if unfinished):
                await connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
                await connection.execute(
                    text("DELETE FROM public.projection_versions WHERE name = :name"), {"name": name}
                )
            name = f"read_v{max(int(name.removeprefix('read_v')) for name in known) + 1}"
            await connection.run_sync(lambda sync: make_version(sync, name, indexes_last=True))
    finally:
        await engine.dispose()
    return name
