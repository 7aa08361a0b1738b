"""Readings after they were taken: released from quarantine or rejected, corrected or retracted, each by a person and
with a reason. A correction is the whole new content; what ended stays ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.decision import (
    ENDED,
    LIVE,
    Claim,
    Decision,
    Draft,
    Found,
    Identity,
    Point,
    Situation,
)
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.feed import ReadingCorrected, ReadingRejected, ReadingReleased, ReadingRetracted
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import times, values
from goal_ledger_domain.command import Meta, need_reason, nothing_new, slot_in
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.feed import Feed, Segment, feed
from goal_ledger_domain.reading import (
    RECORDED,
    REJECTED,
    RELEASED,
    RETRACTED,
    WAITING,
    as_taken,
    identity,
    mode_in,
    points_of,
    stated_unit,
)
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class ReleaseReading:
    meta: Meta
    feed: str
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class RejectReading:
    meta: Meta
    feed: str
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class CorrectReading:
    """The whole new content; ``mode`` and ``unit`` None: those of the feed."""

    meta: Meta
    feed: str
    source: str
    id: str
    time: datetime
    value: Decimal
    unit: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class RetractReading:
    meta: Meta
    feed: str
    source: str
    id: str


Judging = ReleaseReading | RejectReading | CorrectReading | RetractReading


def correction(source: str, id: str) -> Identity:
    """Holds the reading's latest correction."""
    return Identity("reading-correction", (source, id))


def _with_correction(command: CorrectReading) -> tuple[Identity, ...]:
    return (identity(command.source, command.id), correction(command.source, command.id))


def _release(world: World, command: ReleaseReading, situation: Situation) -> Decision:
    known, stream, before = _taken(world, command, situation)
    if before.subject in (RECORDED, RELEASED):
        return nothing_new(command.id, stream)
    _need_not_ended(before)
    need_reason(command.meta, "releasing a reading")
    data = before.fact.data
    known_as = identity(command.source, command.id)
    return Decision(
        command.id,
        stream,
        (_judged(command, situation, stream, ReadingReleased(command.source, command.id)),),
        (Claim(known_as, 0, RELEASED, LIVE, keeps_content=True),),
        points_of(known.at(data.time), stream, data.time, data.value, known_as),
    )


def _reject(world: World, command: RejectReading, situation: Situation) -> Decision:
    _, stream, before = _taken(world, command, situation)
    if before.subject == REJECTED:
        return nothing_new(command.id, stream)
    _need_not_ended(before)
    if before.subject != WAITING:
        raise Refusal("reading_not_quarantined", "The reading counts: retract it instead.")
    need_reason(command.meta, "rejecting a reading")
    return Decision(
        command.id,
        stream,
        (_judged(command, situation, stream, ReadingRejected(command.source, command.id)),),
        (Claim(identity(command.source, command.id), 0, REJECTED, ENDED, keeps_content=True),),
    )


def _correct(world: World, command: CorrectReading, situation: Situation) -> Decision:
    known, stream, before = _taken(world, command, situation)
    _need_counting(before)
    segment = known.at(command.time)
    data = _corrected(command, segment)
    latest = situation.found.get(correction(command.source, command.id)) or before
    if _is_corrected(latest, data):
        return nothing_new(command.id, stream)
    need_reason(command.meta, "correcting a reading")
    known_as = identity(command.source, command.id)
    points = points_of(segment, stream, data.time, data.value, known_as)
    return Decision(
        command.id,
        stream,
        (slot_in(command.meta, situation, stream, data, data.time, "time"),),
        (Claim(correction(command.source, command.id), 0, stream),),
        points or _gone(known, stream, before, known_as),
    )


def _retract(world: World, command: RetractReading, situation: Situation) -> Decision:
    known, stream, before = _taken(world, command, situation)
    if before.subject == RETRACTED:
        return nothing_new(command.id, stream)
    _need_counting(before)
    need_reason(command.meta, "retracting a reading")
    known_as = identity(command.source, command.id)
    return Decision(
        command.id,
        stream,
        (_judged(command, situation, stream, ReadingRetracted(command.source, command.id)),),
        (Claim(known_as, 0, RETRACTED, ENDED, keeps_content=True),),
        _gone(known, stream, before, known_as),
    )


def _taken(world: World, command: Judging, situation: Situation) -> tuple[Feed, str, Found]:
    """The feed, its stream and the reading as it was taken. Refuses ``unknown_feed``, ``reading_unknown``."""
    known, stream = feed(world, command.feed), f"feed/{command.feed}"
    before = situation.found.get(identity(command.source, command.id))
    if before is None or before.fact.stream != stream:
        raise Refusal("reading_unknown", f"The feed {command.feed} has no such reading.", field="id")
    return known, stream, before


def _need_not_ended(before: Found) -> None:
    if before.subject == REJECTED:
        raise Refusal("reading_rejected", "The reading was rejected.")
    if before.subject == RETRACTED:
        raise Refusal("reading_retracted", "The reading was retracted.")


def _need_counting(before: Found) -> None:
    _need_not_ended(before)
    if before.subject == WAITING:
        raise Refusal("reading_quarantined", "The reading is in quarantine: release or reject it.")


def _judged(command: Judging, situation: Situation, stream: str, data: FactData) -> Draft:
    return slot_in(command.meta, situation, stream, data, command.meta.effective_at)


def _corrected(command: CorrectReading, segment: Segment) -> ReadingCorrected:
    unit = stated_unit(command.unit)
    if unit not in (None, segment.definition.unit):
        raise Refusal(
            "reading_unit_mismatch", f"The feed is read in {segment.definition.unit}.", field="unit"
        )
    return ReadingCorrected(
        source=command.source,
        id=command.id,
        time=times.instant(command.time, "time"),
        value=values.value(command.value, "value"),
        mode=mode_in(command.mode, segment),
        unit=segment.definition.unit,
    )


def _is_corrected(latest: Found, data: ReadingCorrected) -> bool:
    now = latest.fact.data
    return (now.time, now.value, now.mode, now.unit) == (data.time, data.value, data.mode, data.unit)


def _gone(known: Feed, stream: str, before: Found, known_as: Identity) -> tuple[Point, ...]:
    """Its point, if it may have one, leaves the series."""
    if not known.counts_ever:
        return ()
    data = before.fact.data
    return (Point(stream, data.time, data.value, 0, known_as, gone=True),)


DECIDER = Decider(
    commands={
        ReleaseReading: Rule(
            _release, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=as_taken
        ),
        RejectReading: Rule(
            _reject, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=as_taken
        ),
        CorrectReading: Rule(
            _correct, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=_with_correction
        ),
        RetractReading: Rule(
            _retract, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=as_taken
        ),
    },
)
