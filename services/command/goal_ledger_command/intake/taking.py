"""From records of one inbox to facts and outcomes.

The topic says who sent them: the workspace, and the system as the actor. Each reading is decided for itself, through
the same deciders and the same append as over HTTP; one that is bad costs no other. A record that was taken before (a
crash came between its fact and its position) is known as itself: the fact that it repeats names this very record as
its origin, and there is nothing to add, for its receipt is made from that fact.

What is passing (the store away, an outcome unknown, a store behind Kafka) rejects nothing: it is raised, and the
partition waits. Passing failures are known by their class (:func:`is_passing`); any other is the record's own. It is
raised too, for it may be ours; but a record that fails so again and again is given up: it goes whole to the rejected
topic, and those behind it go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Origin
from goal_ledger_contracts.position import Position
from goal_ledger_domain.authorise import authorise_reading
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide, lookups, neighbours
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World
from goal_ledger_ledger import store
from goal_ledger_ledger.submission import (
    CommandAnswer,
    FactTooLarge,
    NotRecorded,
    OutcomeUnknown,
    StoreBehindLog,
    Submission,
    UnknownWorkspace,
)
from goal_ledger_messaging.reading_event import NotAReading, ReadingEvent, from_record
from goal_ledger_messaging.topics import Emitter
from goal_ledger_observability.context import usable_traceparent
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_command.intake.outcomes import DUPLICATE, REFUSED, UNREADABLE, Outcome
from goal_ledger_command.intake.positions import Inbox
from goal_ledger_command.receipts import UNDECIDABLE

PIECE_RECORDS = 500
"""As many as the ledger writes in one batch; other work of the process gets its turn in between."""


class LedgerOfReadings(Protocol):
    """What the intake needs of :class:`goal_ledger_ledger.sequencer.Ledger`."""

    async def submit_all(self, submissions: list[Submission]) -> list[CommandAnswer | Exception]: ...
    async def read(self, workspace: str) -> tuple[World, Position]: ...


log = logger("intake.taking")

_PASSING = (NotRecorded, OutcomeUnknown, StoreBehindLog, KafkaError)


def is_passing(failure: BaseException) -> bool:
    """Whether it says nothing about the records: they wait, and nothing of them is rejected."""
    if isinstance(failure, asyncpg.PostgresError):
        return not store.blames_the_data(failure)
    return isinstance(failure, _PASSING) or store.is_passing(failure)


@dataclass(slots=True)
class ReadingFromKafka:
    """A readable record on its way: what was last decided about it."""

    record: ConsumerRecord
    event: ReadingEvent
    origin: Origin
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Took:
    """What became of a poll's records of one inbox: how many facts are recorded, and what left none."""

    recorded: int
    outcomes: list[Outcome]


async def take(
    ledger: LedgerOfReadings,
    inbox: Inbox,
    emitter: Emitter,
    records: Sequence[ConsumerRecord],
    *,
    gives_up: bool,
) -> Took:
    """Appends the readings; the outcomes of all else, in offset order. Raises what kept one from being decided; with
    ``gives_up`` only what is passing.

    Handed to the ledger in pieces, in order: while it writes one, the next is taken apart.
    """
    world = await _lately(ledger, emitter.workspace)
    readable: list[ReadingFromKafka] = []
    outcomes: list[Outcome] = []
    submitting: list[asyncio.Task[list[CommandAnswer | Exception]]] = []
    for start in range(0, len(records), PIECE_RECORDS):
        piece: list[ReadingFromKafka] = []
        for record in records[start : start + PIECE_RECORDS]:
            read = _read(inbox, record, gives_up)
            if isinstance(read, ReadingFromKafka):
                piece.append(read)
            else:
                outcomes.append(read)
        submissions = [_submission(emitter, one, world) for one in piece]
        submitting.append(asyncio.create_task(_submit(ledger, submissions)))
        readable += piece
        await asyncio.sleep(0)
    answers = [one for done in await asyncio.gather(*submitting) for one in done]
    left_none = [_outcome(one, answer, gives_up) for one, answer in zip(readable, answers, strict=True)]
    outcomes += [one for one in left_none if one is not None]
    outcomes.sort(key=lambda one: one.offset)
    return Took(len(records) - len(outcomes), outcomes)


def given_up(record: ConsumerRecord, failure: Exception, event: ReadingEvent | None = None) -> Outcome:
    """Of a record that fails for a reason of its own, whatever that is: the log has it, the emitter its record."""
    log.error(
        "a record cannot be decided: rejected",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        error=failure_text(failure)[:500],
    )
    source, id, feed = (None, None, None) if event is None else (event.source, event.id, event.feed)
    return Outcome(
        record.offset, UNREADABLE, source, id, feed, UNDECIDABLE.code, UNDECIDABLE.sentence, record=record
    )


def _read(inbox: Inbox, record: ConsumerRecord, gives_up: bool) -> ReadingFromKafka | Outcome:
    try:
        event = from_record(record.headers, record.value)
    except NotAReading as bad:
        return Outcome(
            record.offset, UNREADABLE, bad.source, bad.id, bad.feed, bad.code, bad.sentence, record=record
        )
    except Exception as failed:
        if gives_up:
            return given_up(record, failed)
        raise
    origin = Origin("kafka", inbox.topic, inbox.generation, inbox.partition, record.offset)
    return ReadingFromKafka(record, event, origin)


async def _submit(ledger: LedgerOfReadings, submissions: list[Submission]) -> list[CommandAnswer | Exception]:
    try:
        return await ledger.submit_all(submissions)
    except UnknownWorkspace as unknown:
        return [unknown] * len(submissions)


async def _lately(ledger: LedgerOfReadings, workspace: str) -> World | None:
    """The folded state of about now: it tells which look-ups can be left out."""
    try:
        return (await ledger.read(workspace))[0]
    except UnknownWorkspace:
        return None


def _submission(emitter: Emitter, taken: ReadingFromKafka, world: World | None) -> Submission:
    event, origin = taken.event, taken.origin
    came = f"{origin.topic}/{origin.partition}/{origin.offset}"
    command = TakeReading(
        Meta(actor=f"system/{emitter.system}", correlation_id=came, causation_id=came, origin=origin),
        feed=event.feed,
        source=event.source,
        id=event.id,
        time=event.time,
        value=event.value,
        unit=event.unit,
        mode=event.mode,
        sequence=event.sequence,
        backfill=event.backfill,
    )

    def decided(world: World, situation: Situation) -> Decision:
        authorise_reading(world, command, situation)
        taken.decision = decide(world, command, situation)
        return taken.decision

    trace = event.traceparent
    return Submission(
        workspace=emitter.workspace,
        decide=decided,
        lookups=lookups(command),
        neighbours=neighbours(command, world),
        traceparent=trace if trace is not None and usable_traceparent(trace) else None,
    )


def _outcome(taken: ReadingFromKafka, answer: CommandAnswer | Exception, gives_up: bool) -> Outcome | None:
    """None: the record has a fact of its own. Raises what kept it from being decided."""
    event, offset = taken.event, taken.record.offset
    named = (event.source, event.id, event.feed)
    if isinstance(answer, CommandAnswer):
        assert taken.decision is not None
        same = taken.decision.same_as
        if same is None or same.origin == taken.origin:
            return None
        position = str(Position(answer.position.epoch, same.seq))
        return Outcome(offset, DUPLICATE, *named, event_id=same.event_id, position=position)
    if isinstance(answer, Refusal | FactTooLarge | UnknownWorkspace):
        return Outcome(offset, REFUSED, *named, answer.code, answer.sentence)
    if gives_up and not is_passing(answer):
        return given_up(taken.record, answer, event)
    raise answer
