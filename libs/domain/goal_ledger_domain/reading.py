"""Readings: one fact each in their feed's stream, known by (source, id), compared as bytes.

A repeat is the same reading, whatever was corrected since; other content under the same identity is refused. What is
implausible is recorded but quarantined until a person releases or rejects it. A rejected reading may come again with
other content. Readings are not folded: whether one exists is looked up, and a counter is compared with its accepted
neighbours in ``time`` within the same definition of its feed.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.decision import (
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
from goal_ledger_contracts.feed import (
    ReadingQuarantined,
    ReadingRecorded,
)
from goal_ledger_contracts.ids import ID
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.unguarded import unguarded_dataclass

from goal_ledger_domain import limits, text, times, values
from goal_ledger_domain.access import roles
from goal_ledger_domain.command import Meta, drafted
from goal_ledger_domain.decider import Command, Decider, Rule
from goal_ledger_domain.feed import COUNTER, MODE_OF, Feed, Segment, feed, feed_state, its_feed
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import registered
from goal_ledger_domain.world import World


@unguarded_dataclass
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


def as_taken(command: Command) -> tuple[Identity, ...]:
    return (identity(command.source, command.id),)


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
        and stated_unit(command.unit) in (None, data.unit)
        and data.sequence == _sequence(command)
    )


def stated_unit(unit: str | None) -> str | None:
    return text.optional_line(unit, "unit", limits.MEASURE_UNIT_MAX_CHARACTERS)


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
    points = points_of(segment, stream, data.time, data.value, known_as)
    return Decision(command.id, stream, (recorded,), (Claim(known_as, 0, RECORDED),), points)


def _valid(command: TakeReading, segment: Segment) -> ReadingRecorded:
    _need_name(command.source, "source")
    _need_name(command.id, "id")
    sequence = _sequence(command)
    unit = usual = segment.definition.unit
    if command.unit not in (None, usual):
        unit = stated_unit(command.unit)
    return ReadingRecorded(
        source=command.source,
        id=command.id,
        time=times.instant(command.time, "time"),
        value=values.value(command.value, "value"),
        mode=mode_in(command.mode, segment),
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


def mode_in(stated: str | None, segment: Segment) -> str:
    mode = MODE_OF[segment.definition.kind]
    if stated not in (None, mode):
        raise Refusal(
            "mode_mismatch",
            f"A feed of the kind {segment.definition.kind} is read as {mode}.",
            field="mode",
            expected=mode,
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


def points_of(
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


DECIDER = Decider(
    commands={
        TakeReading: Rule(
            _take,
            may=Permission.TAKE_READING,
            on=its_feed,
            shows="reading",
            creates=True,
            lookups=as_taken,
            neighbours=_around,
        ),
    },
)
