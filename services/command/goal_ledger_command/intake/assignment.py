"""Which inboxes this process has, and where it stands in each.

Kafka hands partitions out; where to read on stands in our database. A partition that was just assigned is paused
before anything else, and only after its generation and position are known is it sought to and resumed: records that
arrive before that would be those of a place that Kafka remembers or guesses. None of this happens inside the rebalance
(its listener must neither wait for a database nor fail: aiokafka logs what it raises, and reads on).

A partition whose records cannot be taken now is paused, waits, and is sought to again: the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import Emitter
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.intake.positions import Inbox, find

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0
MOST_RECORDS = 5_000
"""Of a take. Between two takes nothing is decided while something is written, so a backlog goes in large ones."""
FEWEST_RECORDS = 20

log = logger("intake.assignment")


@dataclass(slots=True)
class Place:
    """Where this process stands in an inbox. ``failures`` in a row make it wait longer."""

    inbox: Inbox
    emitter: Emitter
    next_offset: int
    failures: int = 0
    own_failures: int = 0
    """Of these, such as were no passing ones: one of the next records is to blame."""
    piece: int = MOST_RECORDS
    """So many records are taken in one transaction: fewer after a failure, which may be for want of time; a single one
    while it is to be found out which is to blame."""
    hole: tuple[int, int] | None = None
    """(position, first offset seen beyond it), when that was looked at once already."""


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """The consumer's partitions and their places."""

    def __init__(self, engine: AsyncEngine, ids: TopicIds) -> None:
        self._engine, self._ids = engine, ids
        self._get_consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self._places: dict[TopicPartition, Place] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, get_consumer: Callable[[], AIOKafkaConsumer | None]) -> None:
        """Whose partitions these are; there is none before it starts."""
        self._get_consumer = get_consumer

    @property
    def count(self) -> int:
        return len(self._places)

    def place(self, tp: TopicPartition) -> Place | None:
        """None: the partition is not ours, or its position is not known yet."""
        return self._places.get(tp)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.forget()
        for tp in assigned:
            self._pause(tp)
            try:
                emitter = Emitter.of_topic(tp.topic)
            except ValueError:
                log.warning("not an emitter's topic: not read", topic=tp.topic)
                continue
            self._run(self._open(tp, emitter))

    def forget(self) -> None:
        """Drop all places, and what was on the way to find some."""
        self._places.clear()
        for task in self._tasks:
            task.cancel()

    def wait(self, tp: TopicPartition, place: Place, why: str, *, alone: bool = False) -> None:
        """Pause the partition for a while that grows with its failures, then go on at its place.

        ``alone``: a record is to blame; it is looked for one by one.
        """
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**place.failures)
        place.failures = min(place.failures + 1, 10)
        place.own_failures += alone
        place.piece = 1 if alone else max(FEWEST_RECORDS, place.piece // 4)
        log.warning("inbox waits", topic=tp.topic, partition=tp.partition, seconds=wait_s, reason=why)
        self._pause(tp)
        self._run(self._resume_after(tp, place, wait_s))

    def taken(self, place: Place, upto: int) -> None:
        """Everything before ``upto`` is taken."""
        place.next_offset, place.hole = upto, None
        place.failures = place.own_failures = 0
        place.piece = min(MOST_RECORDS, place.piece * 2)

    def reopen(self, tp: TopicPartition, place: Place) -> None:
        """Find generation and position anew."""
        self._pause(tp)
        self._places.pop(tp, None)
        self._run(self._open(tp, place.emitter))

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Read on there, if the partition is still ours."""
        if (consumer := self._having(tp)) is not None:
            consumer.seek(tp, offset)

    async def _open(self, tp: TopicPartition, emitter: Emitter) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                generation = (await self._ids.of([tp.topic])).get(tp.topic)
                if generation is not None:
                    inbox = Inbox(tp.topic, generation, tp.partition)
                    self._places[tp] = Place(inbox, emitter, await find(self._engine, inbox))
                    self._resume(tp, self._places[tp])
                    return
            except Exception as away:
                log.warning("position not known yet", topic=tp.topic, error=f"{type(away).__name__}: {away}")
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    async def _resume_after(self, tp: TopicPartition, place: Place, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        if self._places.get(tp) is place:
            self._resume(tp, place)

    def _resume(self, tp: TopicPartition, place: Place) -> None:
        if (consumer := self._having(tp)) is not None:
            consumer.seek(tp, place.next_offset)
            consumer.resume(tp)

    def _pause(self, tp: TopicPartition) -> None:
        if (consumer := self._having(tp)) is not None:
            consumer.pause(tp)

    def _having(self, tp: TopicPartition) -> AIOKafkaConsumer | None:
        """The consumer, if it has this partition (seek and pause raise for another)."""
        consumer = self._get_consumer()
        return consumer if consumer is not None and tp in consumer.assignment() else None

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
