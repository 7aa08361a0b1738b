"""People: an opaque id, a display name kept apart, the units they are in, leave, leaving, coming back, and shredding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from goal_ledger_contracts.decision import Claim, Decision, Identity, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.person import (
    LeaveBegun,
    LeaveEnded,
    PersonAdded,
    PersonCameBack,
    PersonLeft,
    PersonRenamed,
    PersonShredded,
    UnitJoined,
    UnitLeft,
)

from goal_ledger_domain import text
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.unit_tree import open_unit, unit
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class AddPerson:
    meta: Meta
    person: str
    display_name: str


@dataclass(frozen=True, slots=True)
class RenamePerson:
    meta: Meta
    person: str
    display_name: str


@dataclass(frozen=True, slots=True)
class JoinUnit:
    meta: Meta
    person: str
    unit: str


@dataclass(frozen=True, slots=True)
class LeaveUnit:
    meta: Meta
    person: str
    unit: str


@dataclass(frozen=True, slots=True)
class LeaveOrganisation:
    """Ends all access at once; goals, seats, roles and texts stay as they are."""

    meta: Meta
    person: str


@dataclass(frozen=True, slots=True)
class ComeBack:
    """What was linked, granted and issued before the person left counts again."""

    meta: Meta
    person: str


@dataclass(frozen=True, slots=True)
class BeginLeave:
    """Of absence: the person owes no words, and neither do the goals that the person owns."""

    meta: Meta
    person: str


@dataclass(frozen=True, slots=True)
class EndLeave:
    meta: Meta
    person: str


@dataclass(frozen=True, slots=True)
class ShredPerson:
    meta: Meta
    person: str


@dataclass(frozen=True, slots=True)
class Present:
    """The display name is not held here: it is looked up where a decision needs it."""

    units: frozenset[str]
    last_effective_at: datetime
    on_leave: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """The organisation; may come back."""

    units: frozenset[str]
    last_effective_at: datetime
    on_leave: bool = False


@dataclass(frozen=True, slots=True)
class Shredded:
    units: frozenset[str]
    last_effective_at: datetime


Person = Present | Left | Shredded


def person(world: World, id: str, field: str = "person") -> Person:
    """Refuses ``unknown_person``."""
    found: Person | None = world.get("person", id)
    if found is None:
        raise Refusal("unknown_person", f"There is no person {id[:64]}.", field=field)
    return found


def present_person(world: World, id: str, field: str = "person") -> Present:
    """Refuses ``unknown_person``, ``person_left`` and ``person_shredded``."""
    found = unshredded_person(world, id, field)
    if isinstance(found, Left):
        raise Refusal("person_left", f"The person {id} left the organisation.", field=field)
    return found


def unshredded_person(world: World, id: str, field: str = "person") -> Present | Left:
    """Refuses ``unknown_person`` and ``person_shredded``."""
    found = person(world, id, field)
    if isinstance(found, Shredded):
        raise Refusal("person_shredded", f"The person {id} is shredded.", field=field)
    return found


def person_present(world: World, id: str) -> bool:
    """Whether the person exists, did not leave and is not shredded."""
    return isinstance(world.get("person", id), Present)


def may_write_text(world: World, subject: str) -> bool:
    """Whether new text may be sealed with this subject's key: not after the person was shredded."""
    kind, _, id = subject.partition("/")
    return kind != "person" or not isinstance(world.get("person", id), Shredded)


def units_of(world: World, id: str) -> frozenset[str]:
    """The units that the person is in; none for an unknown person."""
    found: Person | None = world.get("person", id)
    return found.units if found else frozenset()


def evolve(world: World, fact: Fact) -> None:
    id, at = fact.stream_id, fact.effective_at
    match fact.data:
        case PersonAdded():
            world.put("person", id, Present(frozenset(), at))
        case PersonRenamed():
            world.put("person", id, replace(world.get("person", id), last_effective_at=at))
        case UnitJoined(unit_id):
            before: Person = world.get("person", id)
            world.put("person", id, replace(before, units=before.units | {unit_id}, last_effective_at=at))
        case UnitLeft(unit_id):
            before = world.get("person", id)
            world.put("person", id, replace(before, units=before.units - {unit_id}, last_effective_at=at))
        case LeaveBegun() | LeaveEnded():
            on_leave = isinstance(fact.data, LeaveBegun)
            world.put("person", id, replace(world.get("person", id), on_leave=on_leave, last_effective_at=at))
        case PersonLeft():
            leaving: Present = world.get("person", id)
            world.put("person", id, Left(leaving.units, at, leaving.on_leave))
        case PersonCameBack():
            back: Left = world.get("person", id)
            world.put("person", id, Present(back.units, at, back.on_leave))
        case PersonShredded():
            world.put("person", id, Shredded(world.get("person", id).units, at))


def _naming(id: str) -> Identity:
    return Identity("person", (id,))


def naming_claim(id: str, *, draft: int = 0) -> Claim:
    """The fact of that draft holds the person's name from now on."""
    return Claim(_naming(id), draft, f"person/{id}")


def _lookups(command: AddPerson | RenamePerson) -> tuple[Identity, ...]:
    """The fact that holds the person's present name, opened."""
    return (_naming(command.person),)


def _name(situation: Situation, id: str) -> object:
    found = situation.found.get(_naming(id))
    return found.fact.data.display_name if found else None


def _add(world: World, command: AddPerson, situation: Situation) -> Decision:
    stream = f"person/{text.id_of(command.person, 'person')}"
    name = text.line(command.display_name, "display_name")
    if world.get("person", command.person) is not None:
        unshredded_person(world, command.person)
        if _name(situation, command.person) == name:
            return nothing_new(command.person, stream)
        raise Refusal("id_taken", f"There is another person {command.person}.", field="person")
    added = draft(command.meta, situation, stream, PersonAdded(name), after=None)
    return Decision(command.person, stream, (added,), (naming_claim(command.person),))


def _rename(world: World, command: RenamePerson, situation: Situation) -> Decision:
    before, stream = unshredded_person(world, command.person), f"person/{command.person}"
    name = text.line(command.display_name, "display_name")
    if _name(situation, command.person) == name:
        return nothing_new(command.person, stream)
    renamed = draft(command.meta, situation, stream, PersonRenamed(name), after=before.last_effective_at)
    return Decision(command.person, stream, (renamed,), (naming_claim(command.person),))


def _join(world: World, command: JoinUnit, situation: Situation) -> Decision:
    before, stream = present_person(world, command.person), f"person/{command.person}"
    unit(world, command.unit)
    if command.unit in before.units:
        return nothing_new(command.person, stream)
    open_unit(world, command.unit)
    joined = draft(command.meta, situation, stream, UnitJoined(command.unit), after=before.last_effective_at)
    return Decision(command.person, stream, (joined,))


def _leave(world: World, command: LeaveUnit, situation: Situation) -> Decision:
    before, stream = person(world, command.person), f"person/{command.person}"
    unit(world, command.unit)
    if command.unit not in before.units:
        return nothing_new(command.person, stream)
    left = draft(command.meta, situation, stream, UnitLeft(command.unit), after=before.last_effective_at)
    return Decision(command.person, stream, (left,))


def _leave_organisation(world: World, command: LeaveOrganisation, situation: Situation) -> Decision:
    before, stream = unshredded_person(world, command.person), f"person/{command.person}"
    if isinstance(before, Left):
        return nothing_new(command.person, stream)
    need_reason(command.meta, "leaving the organisation")
    left = draft(command.meta, situation, stream, PersonLeft(), after=before.last_effective_at)
    return Decision(command.person, stream, (left,))


def _come_back(world: World, command: ComeBack, situation: Situation) -> Decision:
    before, stream = unshredded_person(world, command.person), f"person/{command.person}"
    if isinstance(before, Present):
        return nothing_new(command.person, stream)
    need_reason(command.meta, "coming back to the organisation")
    back = draft(command.meta, situation, stream, PersonCameBack(), after=before.last_effective_at)
    return Decision(command.person, stream, (back,))


def _begin_leave(world: World, command: BeginLeave, situation: Situation) -> Decision:
    before, stream = present_person(world, command.person), f"person/{command.person}"
    if before.on_leave:
        return nothing_new(command.person, stream)
    need_reason(command.meta, "going on leave")
    begun = draft(command.meta, situation, stream, LeaveBegun(), after=before.last_effective_at)
    return Decision(command.person, stream, (begun,))


def _end_leave(world: World, command: EndLeave, situation: Situation) -> Decision:
    before, stream = unshredded_person(world, command.person), f"person/{command.person}"
    if not before.on_leave:
        return nothing_new(command.person, stream)
    ended = draft(command.meta, situation, stream, LeaveEnded(), after=before.last_effective_at)
    return Decision(command.person, stream, (ended,))


def _shred(world: World, command: ShredPerson, situation: Situation) -> Decision:
    before, stream = person(world, command.person), f"person/{command.person}"
    if isinstance(before, Shredded):
        return nothing_new(command.person, stream)
    need_reason(command.meta, "shredding a person")
    shredded = draft(command.meta, situation, stream, PersonShredded(), after=before.last_effective_at)
    return Decision(command.person, stream, (shredded,))


DECIDER = Decider(
    commands={
        AddPerson: Rule(
            _add, may=Permission.ORGANISE, on=WORKSPACE, shows="person", creates=True, lookups=_lookups
        ),
        RenamePerson: Rule(_rename, may=Permission.ORGANISE, on=WORKSPACE, shows="person", lookups=_lookups),
        JoinUnit: Rule(_join, may=Permission.ORGANISE, on=WORKSPACE, shows="person"),
        LeaveUnit: Rule(_leave, may=Permission.ORGANISE, on=WORKSPACE, shows="person"),
        LeaveOrganisation: Rule(
            _leave_organisation, may=Permission.ACCESS, on=WORKSPACE, shows="person", ends_access=True
        ),
        ComeBack: Rule(_come_back, may=Permission.ACCESS, on=WORKSPACE, shows="person"),
        BeginLeave: Rule(_begin_leave, may=Permission.ORGANISE, on=WORKSPACE, shows="person"),
        EndLeave: Rule(_end_leave, may=Permission.ORGANISE, on=WORKSPACE, shows="person"),
        ShredPerson: Rule(
            _shred, may=Permission.SHRED, on=WORKSPACE, shows="person", exclusive=True, ends_access=True
        ),
    },
    folds=dict.fromkeys(
        (
            PersonAdded,
            PersonRenamed,
            UnitJoined,
            UnitLeft,
            PersonLeft,
            PersonCameBack,
            LeaveBegun,
            LeaveEnded,
            PersonShredded,
        ),
        evolve,
    ),
)
