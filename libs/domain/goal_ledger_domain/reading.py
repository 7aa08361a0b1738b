"""Readings: one fact each in their feed's stream, known by (source, id), compared as bytes.

A repeat is the same reading, whatever was corrected since; other content under the same identity is refused. What is
implausible is recorded but quarantined until a person releases or rejects it. A rejected reading may come again with
other content. Readings are not folded: whether one exists is looked up, and a counter is compared with its accepted
neighbours in ``time`` within the same definition of its feed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.decision import (
    ENDED,
    LIVE,
    QUARANTINED,
    Claim,
    Decision,
    Draft,
    Found,
    Identity,
    Neighbours,
    Point,
    Situation,
)
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.feed import (
    ReadingCorrected,
    ReadingQuarantined,
    ReadingRecorded,
    ReadingRejected,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_contracts.ids import ID
from goal_ledger_contracts.made_often import made_often

from goal_ledger_domain import limits, text, times, values
from goal_ledger_domain.access import roles
from goal_ledger_domain.command import Meta, drafted, need_reason, nothing_new, slot_in
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.feed import COUNTER, MODE_OF, Feed, Segment, feed, feed_state, its_feed
from goal_ledger_domain.permission import Permission
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import registered
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.world import World


@made_often
class TakeReading:
    """``mode`` and ``unit`` None: those of the feed. ``backfill``: no plausibility by clock."""

    meta: Meta
    feed: str
    source: str
    id: str
    time: datetime
    value: Decimal
    unit: str | None = None
    mode: str | None = None
    sequence: str | None = None
    backfill: bool = False


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

RECORDED, WAITING, RELEASED, REJECTED, RETRACTED = (
    "recorded",
    "quarantined",
    "released",
    "rejected",
    "retracted",
)
"""What became of a reading: the ``subject`` noted with its identity."""


def identity(source: str, id: str) -> Identity:
    """Holds the reading as it was first taken."""
    return Identity("reading", (source, id))


def correction(source: str, id: str) -> Identity:
    """Holds the reading's latest correction."""
    return Identity("reading-correction", (source, id))


def _as_taken(command: TakeReading | Judging) -> tuple[Identity, ...]:
    return (identity(command.source, command.id),)


def _with_correction(command: CorrectReading) -> tuple[Identity, ...]:
    return (identity(command.source, command.id), correction(command.source, command.id))


def _around(command: TakeReading, world: World | None) -> tuple[tuple[str, datetime], ...]:
    """Where a counter's reading lies. Left out if the feed was no counter lately, or if no feed can bear that name:
    what anybody wrote there is not for a store to be asked about.

    Should it be redefined as one before the command is decided, nothing was counted under that definition yet, or only
    since then: there is nothing to compare with.
    """
    if ID.fullmatch(command.feed) is None:
        return ()
    known = None if world is None else feed_state(world, command.feed)
    if known is not None and not known.counts_ever:
        return ()
    return ((f"feed/{command.feed}", command.time),)


# Taking a reading


def _take(world: World, command: TakeReading, situation: Situation) -> Decision:
    known, stream = feed(world, command.feed), f"feed/{command.feed}"
    _need_own(world, command.meta, known)
    known_as = identity(command.source, command.id)
    before = situation.found.get(known_as)
    if before is not None and _is_same(before, command, stream):
        return Decision(command.id, stream, same_as=before.fact)
    if before is not None and before.subject != REJECTED:
        raise Refusal("id_taken", "Another reading is recorded under this source and id.", field="id")
    registered(world, known.system, "feed")
    return _record(command, situation, known, stream, known_as)


def _need_own(world: World, meta: Meta, known: Feed) -> None:
    own = not meta.actor.startswith("system/") or meta.actor == f"system/{known.system}"
    if not own and not roles(world, meta.actor) & {"admin", "importer"}:
        raise Refusal("feed_of_another_system", "The feed belongs to another system.", field="feed")


def _is_same(before: Found, command: TakeReading, stream: str) -> bool:
    """Equal content, in its clean form. A repeat that leaves out mode or unit says nothing against those taken."""
    data = before.fact.data
    return (
        before.fact.stream == stream
        and data.time == command.time
        and data.value == command.value
        and command.mode in (None, data.mode)
        and _unit(command) in (None, data.unit)
        and data.sequence == _sequence(command)
    )


def _unit(command: TakeReading | CorrectReading) -> str | None:
    return text.optional_line(command.unit, "unit", limits.MEASURE_UNIT_MAX_CHARACTERS)


def _sequence(command: TakeReading) -> str | None:
    return text.optional_line(command.sequence, "sequence", limits.SEQUENCE_MAX_CHARACTERS)


def _record(
    command: TakeReading, situation: Situation, known: Feed, stream: str, known_as: Identity
) -> Decision:
    segment = known.at(command.time)
    data = _valid(command, segment)
    why = _implausible(data, known, segment, situation, stream)
    if why is not None:
        waiting = _drafted_reading(command.meta, situation, stream, _quarantined(data, why))
        return Decision(command.id, stream, (waiting,), (Claim(known_as, 0, WAITING, QUARANTINED),))
    recorded = _drafted_reading(command.meta, situation, stream, data)
    points = _points(segment, stream, data.time, data.value, known_as)
    return Decision(command.id, stream, (recorded,), (Claim(known_as, 0, RECORDED),), points)


def _valid(command: TakeReading, segment: Segment) -> ReadingRecorded:
    _need_name(command.source, "source")
    _need_name(command.id, "id")
    sequence = _sequence(command)
    unit = usual = segment.definition.unit
    if command.unit not in (None, usual):
        unit = _unit(command)
    return ReadingRecorded(
        source=command.source,
        id=command.id,
        time=times.instant(command.time, "time"),
        value=values.value(command.value, "value"),
        mode=_mode(command.mode, segment),
        unit=unit,
        sequence=sequence,
        backfill=command.backfill,
    )


def _need_name(name: str, field: str) -> None:
    if (
        not name
        or len(name.encode(errors="replace")) > limits.READING_NAME_MAX_BYTES
        or text.REFUSED_IN_LINE.search(name)
    ):
        raise Refusal(
            "reading_name_malformed",
            f"{field} is 1–{limits.READING_NAME_MAX_BYTES} bytes of UTF-8 without control or direction characters.",
            field=field,
        )


def _mode(stated: str | None, segment: Segment) -> str:
    mode = MODE_OF[segment.definition.kind]
    if stated not in (None, mode):
        raise Refusal(
            "mode_mismatch", f"A {segment.definition.kind} is read as {mode}.", field="mode", expected=mode
        )
    return mode


def _implausible(
    data: ReadingRecorded, known: Feed, segment: Segment, situation: Situation, stream: str
) -> str | None:
    """Why the reading is quarantined; None if it is plausible."""
    definition = segment.definition
    if data.unit != definition.unit:
        return "wrong_unit"
    if not data.backfill and data.time - situation.now > limits.AHEAD_MAX:
        return "future"
    if definition.low is not None and data.value < definition.low:
        return "out_of_limits"
    if definition.high is not None and data.value > definition.high:
        return "out_of_limits"
    if definition.kind == COUNTER:
        around = situation.neighbours.get((stream, data.time), Neighbours())
        if goes_back(data.value, data.time, known, around):
            return "counter_backwards"
    return None


def goes_back(value: Decimal, time: datetime, known: Feed, around: Neighbours) -> bool:
    """Whether a counter's reading is below the accepted one before it or above the one after it.

    A redefinition starts the count anew; a restart, from its base.
    """
    before, after, restart = around.before, around.after, known.restart_at(time)
    if around.before_at is None or not known.counts_on(around.before_at, time):
        before = None if restart is None else restart.base
    if around.after_at is None or not known.counts_on(around.after_at, time):
        after = None
    return (before is not None and value < before) or (after is not None and value > after)


def _quarantined(data: ReadingRecorded, why: str) -> ReadingQuarantined:
    return ReadingQuarantined(
        source=data.source,
        id=data.id,
        time=data.time,
        value=data.value,
        mode=data.mode,
        why=why,
        unit=data.unit,
        sequence=data.sequence,
        backfill=data.backfill,
    )


def _points(
    segment: Segment, stream: str, at: datetime, value: Decimal, known_as: Identity
) -> tuple[Point, ...]:
    return (Point(stream, at, value, 0, known_as),) if segment.definition.kind == COUNTER else ()


def _drafted_reading(
    meta: Meta, situation: Situation, stream: str, data: ReadingRecorded | ReadingQuarantined
) -> Draft:
    """Effective at its ``time``; one from the future at now, its stated time beside it."""
    if data.time <= situation.now:
        return drafted(meta, stream, data, data.time, None)
    return drafted(meta, stream, data, situation.now, data.time)


# Judging one that was taken


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
        _points(known.at(data.time), stream, data.time, data.value, known_as),
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
    points = _points(segment, stream, data.time, data.value, known_as)
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
    unit = _unit(command)
    if unit not in (None, segment.definition.unit):
        raise Refusal(
            "reading_unit_mismatch", f"The feed is read in {segment.definition.unit}.", field="unit"
        )
    return ReadingCorrected(
        source=command.source,
        id=command.id,
        time=times.instant(command.time, "time"),
        value=values.value(command.value, "value"),
        mode=_mode(command.mode, segment),
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
        TakeReading: Rule(
            _take,
            may=Permission.TAKE_READING,
            on=its_feed,
            shows="reading",
            creates=True,
            lookups=_as_taken,
            neighbours=_around,
        ),
        ReleaseReading: Rule(
            _release, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=_as_taken
        ),
        RejectReading: Rule(
            _reject, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=_as_taken
        ),
        CorrectReading: Rule(
            _correct, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=_with_correction
        ),
        RetractReading: Rule(
            _retract, may=Permission.JUDGE_READING, on=WORKSPACE, shows="reading", lookups=_as_taken
        ),
    },
)
