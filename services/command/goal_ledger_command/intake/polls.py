"""One poll: the records of several inboxes, each inbox taken for itself, in order, and its position moved.

What may arrive and must not be believed: records fetched before a seek (below the position: dropped; beyond it: the
hole is looked at once more before it counts as one), records of a topic that was deleted and made again under the same
name (its id is asked for after the records arrived: the same id as when the place was found means they are its own).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby

from aiokafka import ConsumerRecord, TopicPartition
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_observability.logs import logger
from goal_ledger_observability.metrics import CollectorRegistry, Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.intake.assignment import Assignment, Place
from goal_ledger_command.intake.outcomes import keep
from goal_ledger_command.intake.positions import PositionMoved, taking
from goal_ledger_command.intake.taking import Ledger, Took, given_up, is_passing, take

TRIES = 3
"""So often a record is tried that fails for a reason of its own; then it is given up."""
INBOXES_AT_ONCE = 6
"""Each holds a database connection while its readings are appended."""

log = logger("intake")


class IntakeMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.recorded = Counter(
            "goal_ledger_intake_recorded", "Readings from Kafka that are facts now.", registry=registry
        )
        self.outcomes = Counter(
            "goal_ledger_intake_outcomes", "Records that left no fact.", ("outcome",), registry=registry
        )
        self.waits = Counter(
            "goal_ledger_intake_waits", "Times that an inbox had to wait.", registry=registry
        )


class Polls:
    """Handles what a poll brought."""

    def __init__(
        self,
        engine: AsyncEngine,
        ledger: Ledger,
        ids: TopicIds,
        assignment: Assignment,
        metrics: IntakeMetrics,
    ) -> None:
        self._engine, self._ledger, self._ids = engine, ledger, ids
        self._assignment, self._metrics = assignment, metrics
        self._at_once = asyncio.Semaphore(INBOXES_AT_ONCE)

    async def handle(self, records: Iterable[ConsumerRecord]) -> None:
        """Returns when every inbox's records are taken or its partition waits. Never raises."""
        by_inbox = {
            TopicPartition(*key): list(some)
            for key, some in groupby(records, key=lambda one: (one.topic, one.partition))
        }
        try:
            generations = await self._ids.of(sorted({tp.topic for tp in by_inbox}))
        except Exception as away:
            self._wait_all(by_inbox, f"{type(away).__name__}: {away}")
            return
        await asyncio.gather(*(self._one(tp, some, generations) for tp, some in by_inbox.items()))

    def _wait_all(self, tps: Iterable[TopicPartition], why: str) -> None:
        for tp in tps:
            place = self._assignment.place(tp)
            if place is not None:
                self._assignment.wait(tp, place, why)

    async def _one(
        self, tp: TopicPartition, records: list[ConsumerRecord], generations: dict[str, str]
    ) -> None:
        place = self._assignment.place(tp)
        if place is None:
            return
        if generations.get(tp.topic) != place.inbox.generation:
            self._assignment.reopen(tp, place)
            return
        wanted = self._wanted(tp, place, records)
        if not wanted:
            return
        async with self._at_once:
            while wanted and await self._take(tp, place, wanted[: place.piece]):
                wanted = [one for one in wanted if one.offset >= place.next_offset]

    def _wanted(
        self, tp: TopicPartition, place: Place, records: list[ConsumerRecord]
    ) -> list[ConsumerRecord]:
        """The records from the position on. Nothing, and a seek, if these cannot be the next."""
        wanted = [one for one in records if one.offset >= place.next_offset]
        if not wanted:
            self._assignment.seek(tp, place.next_offset)
            return []
        hole = (place.next_offset, wanted[0].offset)
        if hole[0] != hole[1] and place.hole != hole:
            place.hole = hole
            self._assignment.seek(tp, place.next_offset)
            return []
        return wanted

    async def _take(self, tp: TopicPartition, place: Place, records: Sequence[ConsumerRecord]) -> bool:
        """Whether to go on with the records behind these."""
        upto = records[-1].offset + 1
        try:
            async with taking(self._engine, place.inbox, place.next_offset, upto) as raw:
                took = await self._decided(place, records)
                if took.outcomes:
                    await keep(raw, place.inbox, place.emitter, took.outcomes)
        except PositionMoved as moved:
            log.info("taken by another process", topic=tp.topic, next_offset=moved.next_offset)
            place.next_offset = moved.next_offset
            self._assignment.seek(tp, place.next_offset)
        except Exception as failed:
            self._wait(tp, place, failed)
        else:
            self._assignment.taken(place, upto)
            self._metrics.recorded.inc(took.recorded)
            for one in took.outcomes:
                self._metrics.outcomes.labels(one.outcome).inc()
            return self._assignment.place(tp) is place
        return False

    async def _decided(self, place: Place, records: Sequence[ConsumerRecord]) -> Took:
        """What became of the records; one that fails by itself for the last time is given up."""
        gives_up = place.own_failures >= TRIES
        try:
            return await take(self._ledger, place.inbox, place.emitter, records, gives_up=gives_up)
        except Exception as failed:
            if not gives_up or len(records) > 1 or is_passing(failed):
                raise
            return Took(0, [given_up(records[0], failed)])

    def _wait(self, tp: TopicPartition, place: Place, failed: Exception) -> None:
        self._metrics.waits.inc()
        if self._assignment.place(tp) is place:
            why = f"{type(failed).__name__}: {failed}"[:500]
            self._assignment.wait(tp, place, why, alone=not is_passing(failed))
