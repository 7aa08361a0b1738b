"""What the store keeps beside a fact, told from the fact alone: identities, points of series, and whose answer it was.

Deciders say these with their decisions; they are no part of a fact. A store that lost facts gets them back from Kafka, and
with them what it kept beside. A test holds both to agree, over every
kind of command.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from goal_ledger_contracts.decision import ENDED, LIVE, QUARANTINED, Claim, Identity, Point
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.feed import (
    ReadingCorrected,
    ReadingQuarantined,
    ReadingRecorded,
    ReadingRejected,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_contracts.objective import (
    CheckInCorrected,
    CheckInRecorded,
    CheckInRetracted,
    CommentAdded,
    KudosGiven,
    ObjectiveAligned,
    ObjectiveCarriedOver,
    ObjectiveClosed,
)
from goal_ledger_contracts.person import PersonAdded, PersonRenamed
from goal_ledger_contracts.workspace import MomentRecorded, WorkspaceCreated

from goal_ledger_domain import (
    alignment,
    check_in,
    comment,
    lifecycle,
    moment,
    person,
    reading,
    reading_review,
)
from goal_ledger_domain.feed import feed_state
from goal_ledger_domain.world import World

TakenReading = ReadingRecorded | ReadingQuarantined
Taken = Callable[[Identity], TakenReading]
"""The reading as it was first taken."""


NO_VALUE = Decimal(0)


class KeptBeside(NamedTuple):
    """``claims`` and ``points`` are of one fact: their draft number is 0."""

    claims: tuple[Claim, ...] = ()
    points: tuple[Point, ...] = ()


def kept_beside(world: World, fact: Fact, taken: Taken) -> KeptBeside:
    """``world``: as the fact was decided on."""
    data, stream = fact.data, fact.stream
    match data:
        case ReadingRecorded() | ReadingQuarantined() | ReadingCorrected():
            return _of_reading(world, fact)
        case ReadingReleased() | ReadingRejected() | ReadingRetracted():
            return _of_review(world, fact, taken)
        case CheckInRecorded() | CheckInCorrected() | CheckInRetracted():
            ended = isinstance(data, CheckInRetracted)
            subject = f"{fact.stream_id}|{data.key_result or ''}"
            known_as = check_in.identity(data.check_in)
            return KeptBeside((Claim(known_as, 0, subject, ENDED if ended else LIVE, keeps_content=ended),))
        case MomentRecorded(name):
            return KeptBeside((Claim(moment.identity(name), 0, stream),))
        case CommentAdded() | KudosGiven():
            return KeptBeside((Claim(comment.identity(data), 0, data.on),))
        case ObjectiveClosed():
            return KeptBeside((Claim(lifecycle.closing_identity(fact.stream_id), 0, stream),))
        case ObjectiveAligned():
            return KeptBeside((Claim(alignment.identity(data.link), 0, data.parent),))
        case PersonAdded() | PersonRenamed():
            return KeptBeside((person.naming_claim(fact.stream_id),))
    return KeptBeside()


def _of_reading(world: World, fact: Fact) -> KeptBeside:
    data = fact.data
    known_as = reading.identity(data.source, data.id)
    if isinstance(data, ReadingQuarantined):
        return KeptBeside((Claim(known_as, 0, reading.WAITING, QUARANTINED),))
    points = _points(world, fact.stream, data, known_as)
    if isinstance(data, ReadingRecorded):
        return KeptBeside((Claim(known_as, 0, reading.RECORDED),), points)
    corrected = Claim(reading_review.correction(data.source, data.id), 0, fact.stream)
    return KeptBeside((corrected,), points or (_gone(fact, known_as),))


def _of_review(world: World, fact: Fact, taken: Taken) -> KeptBeside:
    known_as = reading.identity(fact.data.source, fact.data.id)
    match fact.data:
        case ReadingReleased():
            claim = Claim(known_as, 0, reading.RELEASED, LIVE, keeps_content=True)
            return KeptBeside((claim,), _points(world, fact.stream, taken(known_as), known_as))
        case ReadingRejected():
            return KeptBeside((Claim(known_as, 0, reading.REJECTED, ENDED, keeps_content=True),))
    claim = Claim(known_as, 0, reading.RETRACTED, ENDED, keeps_content=True)
    return KeptBeside((claim,), (_gone(fact, known_as),))


def _points(world: World, stream: str, data: Any, known_as: Identity) -> tuple[Point, ...]:
    known = feed_state(world, stream.partition("/")[2])
    if known is None:
        return ()
    return reading.points_of(known.at(data.time), stream, data.time, data.value, known_as)


def _gone(fact: Fact, known_as: Identity) -> Point:
    """A series without such a point stays as it is."""
    return Point(fact.stream, fact.effective_at, NO_VALUE, 0, known_as, gone=True)


NAMED = {
    "workspace": ("key", "holder", "system", "scope", "name", "person"),
    "objective": ("check_in", "comment", "kudos", "link", "key_result"),
    "feed": ("id",),
}
"""By kind of stream, the members of a fact's data that name what its command was about; the first that there is."""


class Answered(NamedTuple):
    """What the answer to a fact's command named, and the stream whose version it told."""

    id: str
    stream: str


def answered(first: Fact) -> Answered:
    """Of a command, by its first fact."""
    data = first.data
    if isinstance(data, ObjectiveCarriedOver):
        return Answered(data.into, f"objective/{data.into}")
    if isinstance(data, WorkspaceCreated):
        return Answered(first.stream_id, first.stream)
    names = NAMED.get(first.stream.partition("/")[0], ())
    named = next((getattr(data, one) for one in names if hasattr(data, one)), None)
    return Answered(named or first.stream_id, first.stream)
