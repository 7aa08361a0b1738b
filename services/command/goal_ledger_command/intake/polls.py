"""One poll: the records of several inboxes, each inbox taken for itself, in order, and its position moved.

What may arrive and must not be believed: records fetched before a seek (below the position: dropped; beyond it: the
hole is looked at once more before it counts as one), and records of a topic that was deleted and made again under the
same name, which the fenced consumer holds back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from goal_ledger_messaging.fenced import FencedConsumer, Polled, Subscribed
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topics import READINGS_PATTERN
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger
from goal_ledger_observability.metrics import CollectorRegistry, Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.intake.outcomes import keep
from goal_ledger_command.intake.places import MOST_RECORDS, InboxPlace, InboxPositions
from goal_ledger_command.intake.positions import PositionMoved, taking
from goal_ledger_command.intake.taking import LedgerOfReadings, Took, given_up, is_passing, take

TRIES = 3
"""So often a record is tried that fails for a reason of its own; then it is given up."""
ASK_TIMEOUT_S = 5.0
INBOXES_AT_ONCE = 6
"""Each holds a database connection while its readings are appended."""
INBOXES = Subscribed(
    group="goal-ledger-intake",
    pattern=READINGS_PATTERN,
    max_records=MOST_RECORDS,
    timeout_ms=20,
    committed_only=True,
    look_at_ids=True,
)

log = logger("intake")


class IntakeMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.recorded = Counter(
            "goal_ledger_intake_recorded", "Readings from Kafka that are facts now.", registry=registry
        )
        self.outcomes = Counter(
            "goal_ledger_intake_outcomes", "Records that left no fact.", ("outcome",), registry=registry
        )
        self.lost = Counter(
            "goal_ledger_intake_lost_records",
            "Records that the inboxes no longer held when they were to be taken.",
            registry=registry,
        )
        self.waits = Counter(
            "goal_ledger_intake_waits", "Times that an inbox had to wait.", registry=registry
        )


class Polls:
    """Takes what its consumer reads."""

    def __init__(
        self, kafka: Kafka, engine: AsyncEngine, ledger: LedgerOfReadings, metrics: IntakeMetrics
    ) -> None:
        self._engine, self._ledger, self._metrics = engine, ledger, metrics
        self._at_once = asyncio.Semaphore(INBOXES_AT_ONCE)
        self.consumer: FencedConsumer[InboxPlace] = FencedConsumer(
            kafka, INBOXES, InboxPositions(engine), self.take
        )

    async def take(self, polled: Polled[InboxPlace]) -> None:
        """Returns when every inbox's records are taken or its partition waits. Never raises."""
        await asyncio.gather(*(self._one(place, some) for place, some in polled.items()))

    async def _one(self, place: InboxPlace, records: Sequence[ConsumerRecord]) -> None:
        wanted = self._wanted(place, records)
        if not wanted:
            return
        if place.hole is not None:
            await self._tell_of_lost(place)
        async with self._at_once:
            while wanted and await self._take(place, wanted[: place.piece]):
                wanted = [one for one in wanted if one.offset >= place.next_offset]

    def _wanted(self, place: InboxPlace, records: Sequence[ConsumerRecord]) -> list[ConsumerRecord]:
        """The records from the position on. Nothing, and a seek, if these cannot be the next."""
        wanted = [one for one in records if one.offset >= place.next_offset]
        if not wanted:
            self.consumer.seek(place)
            return []
        hole = (place.next_offset, wanted[0].offset)
        if hole[0] != hole[1] and place.hole != hole:
            place.hole = hole
            self.consumer.seek(place)
            return []
        return wanted

    async def _tell_of_lost(self, place: InboxPlace) -> None:
        """A hole is no more than a transaction's marker, unless the inbox begins behind the position: then records ran out
        of its retention, or were deleted, before they were taken. Nobody has them; it is said loudly."""
        consumer, tp = self.consumer.consumer, place.partition
        if consumer is None:
            return
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(ASK_TIMEOUT_S):
                first = (await consumer.beginning_offsets([tp]))[tp]
            if first > place.next_offset:
                lost = first - place.next_offset
                self._metrics.lost.inc(lost)
                log.error("an inbox lost records before they were taken", topic=tp.topic, records=lost)

    async def _take(self, place: InboxPlace, records: Sequence[ConsumerRecord]) -> bool:
        """Whether to go on with the records behind these."""
        upto = records[-1].offset + 1
        try:
            async with taking(self._engine, place.inbox, place.next_offset, upto) as raw:
                took = await self._decided(place, records)
                if took.outcomes:
                    await keep(raw, place.inbox, place.emitter, took.outcomes)
        except PositionMoved as moved:
            log.info("taken by another process", topic=place.inbox.topic, next_offset=moved.next_offset)
            place.next_offset = moved.next_offset
            self.consumer.seek(place)
        except Exception as failed:
            self._wait(place, failed)
        else:
            place.taken(upto)
            self._metrics.recorded.inc(took.recorded)
            for one in took.outcomes:
                self._metrics.outcomes.labels(one.outcome).inc()
            return self.consumer.is_ours(place)
        return False

    async def _decided(self, place: InboxPlace, records: Sequence[ConsumerRecord]) -> Took:
        """What became of the records; one that fails by itself for the last time is given up."""
        gives_up = place.own_failures >= TRIES
        try:
            return await take(self._ledger, place.inbox, place.emitter, records, gives_up=gives_up)
        except Exception as failed:
            if not gives_up or len(records) > 1 or is_passing(failed):
                raise
            return Took(0, [given_up(records[0], failed)])

    def _wait(self, place: InboxPlace, failed: Exception) -> None:
        self._metrics.waits.inc()
        if self.consumer.is_ours(place):
            place.failed(alone=not is_passing(failed))
            self.consumer.wait(place, failure_text(failed)[:500])
