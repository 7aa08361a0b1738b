"""A rebuild: a new projection version is folded from Kafka alone, beside the live one, compared, and switched to.

Never in place. The topic is read from its beginning by two readers (one folds while PostgreSQL writes for the other)
through the same consumer rule, fold and transaction as live; only the rows are written without indexes (`building.py`).
When the end that Kafka had at the start is reached the indexes are made and the ends applied, then the rest is caught
up in the usual way, the two versions are compared at equal position, and the new one goes live.

A workspace that misses facts in Kafka is drained from the command service's feed at the end. Nor is Kafka believed: of
an epoch the command service's heads vouch, and what a head contradicts is folded anew from the feed. Without a command
service the records are taken as they are; the comparison decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_messaging import consumer as messaging
from goal_ledger_messaging.records import read_place
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import partition_counts
from goal_ledger_observability.logs import logger
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import DropSchema

from goal_ledger_projection.command_feed import CommandFeed, FeedUnavailable, HeadTold
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding import building, positions
from goal_ledger_projection.folding.applying import Applied, Applier, ReadTo
from goal_ledger_projection.folding.head_check import HeadCheck
from goal_ledger_projection.folding.heal import Healer, let_go_on
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.folding.retrying import Pauses, RetryingApplier
from goal_ledger_projection.folding.writing import INDEXED_ROWS
from goal_ledger_projection.migration import engine_url
from goal_ledger_projection.projections import make_version
from goal_ledger_projection.settings import WorkerSettings
from goal_ledger_projection.tables import projection_versions

log = logger("goal_ledger.projection.rebuild")

READERS = 2
TellProgress = Callable[[int, int], None]
"""Told of progress: records read since last time, and how many there are to read in all."""


class Rebuild:
    """One rebuild, from an empty version to one that can be switched to."""

    def __init__(
        self,
        settings: WorkerSettings,
        database: WorkersDatabase,
        feed: CommandFeed,
        meters: Meters,
        told: TellProgress,
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
        self._feed = feed
        self._head_check = HeadCheck(database, self._retrying, meters)
        self._heads: dict[str, HeadTold] = {}
        self._gaps: set[str] = set()
        self._readers: list[_Reader] = []

    async def fill(self) -> None:
        """Fold what Kafka holds now, without indexes; then make them."""
        self._heads = await _heads(self._feed)
        topic_id = await _topic_id(self._settings)
        partitions = await _partitions(self._settings)
        self._readers = [
            _Reader(self._settings, topic_id, partitions[n::READERS], self._heads)
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
        await self._fold_anew_what_is_contradicted()

    async def catch_up(self) -> None:
        """Fold what has come to Kafka since, and drain from the feed what Kafka misses."""
        await self._read_to_the_end()
        for workspace in sorted(self._gaps):
            await self._healer.drain(workspace)
        self._gaps.clear()

    async def _fold_anew_what_is_contradicted(self) -> None:
        for head in self._heads.values():
            await self._head_check.check(head)
        async with self._database.connection() as connection:
            standings = await positions.all_positions(connection, self._database.projection)
        for workspace, standing in standings.items():
            if (standing.parked or "").startswith(positions.LOG_CONTRADICTED):
                async with self._database.transaction() as connection:
                    await let_go_on(connection, self._database.projection, workspace, standing)
                await self._healer.drain(workspace)

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

    def __init__(
        self,
        settings: WorkerSettings,
        topic_id: str,
        partitions: Sequence[int],
        heads: Mapping[str, HeadTold],
    ) -> None:
        self._heads = heads
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
            records += [record for one in many if (record := _record(one, self._heads)) is not None]
        return records, ReadTo(self._topic, self._topic_id, ends), sum(map(len, found.values()))


def _record(one: ConsumerRecord[Any, Any], heads: Mapping[str, HeadTold]) -> Record | None:
    place = read_place(one.headers)
    if place is None or one.value is None:
        log.error("not a fact's record", partition=one.partition, offset=one.offset)
        return None
    workspace, epoch, seq = place
    head = heads.get(workspace)
    return Record(workspace, epoch, seq, one.value, vouched=head is None or epoch <= head.position.epoch)


async def _heads(feed: CommandFeed) -> dict[str, HeadTold]:
    """By workspace; none while the command service is out of reach."""
    try:
        return {head.workspace: head for head in await feed.heads(None)}
    except FeedUnavailable as away:
        log.warning("the heads are out of reach: nothing vouches for the records", error=str(away))
        return {}


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
            versions = projection_versions.c
            rows = await connection.execute(select(versions.name, versions.live_since.is_(None)))
            known = {name: unfinished for name, unfinished in rows}
            for name in (name for name, unfinished in known.items() if unfinished):
                await connection.execute(DropSchema(name, cascade=True))
                await connection.execute(projection_versions.delete().where(versions.name == name))
            name = f"read_v{max(int(name.removeprefix('read_v')) for name in known) + 1}"
            await connection.run_sync(lambda sync: make_version(sync, name, indexes_last=True))
    finally:
        await engine.dispose()
    return name
