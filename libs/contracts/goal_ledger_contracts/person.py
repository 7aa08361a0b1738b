"""Facts of the stream ``person/<id>``. These names and fields are stored for ever and published."""

from __future__ import annotations

from dataclasses import dataclass

from goal_ledger_contracts.personal import STREAM_PERSON, Personal, personal


@dataclass(frozen=True, slots=True)
class PersonAdded:
    display_name: Personal = personal(by=STREAM_PERSON)


@dataclass(frozen=True, slots=True)
class PersonRenamed:
    display_name: Personal = personal(by=STREAM_PERSON)


@dataclass(frozen=True, slots=True)
class UnitJoined:
    unit: str


@dataclass(frozen=True, slots=True)
class UnitLeft:
    unit: str


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """Left the organisation: signs in no more and is given nothing new. Goals, roles, seats and texts stay."""


@dataclass(frozen=True, slots=True)
class PersonCameBack:
    """To the organisation: what was linked, granted and issued before counts again."""


@dataclass(frozen=True, slots=True)
class LeaveBegun:
    """On leave: the person owes no words, and neither do the goals that the person owns."""


@dataclass(frozen=True, slots=True)
class LeaveEnded:
    """The person is back from leave, and owes words again."""


@dataclass(frozen=True, slots=True)
class PersonShredded:
    """The person's key is deleted after this fact; every text sealed with it reads ``[erased]`` from then on."""
