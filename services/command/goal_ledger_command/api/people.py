"""People: an opaque id, a display name that is sealed, the units they sit in."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Id, NewId, Plain, new_id
from goal_ledger_domain.person import (
    AddPerson,
    BeginLeave,
    ComeBack,
    EndLeave,
    JoinUnit,
    LeaveOrganisation,
    LeaveUnit,
    RenamePerson,
    ShredPerson,
)
from pydantic import Field

commands = command_routes("people")


class NewPerson(CommandBody):
    id: NewId
    display_name: str = Field(
        examples=["Kari Nordmann"], description="Personal: sealed, erased when the person is shredded"
    )


class DisplayName(CommandBody):
    display_name: str = Field(examples=["Kari Hansen"])


class Seat(CommandBody):
    unit: Id


@commands.post("/v1/people")
@row(creates="/v1/people/{id}", person="id")
def add_person(meta: Meta, body: NewPerson) -> AddPerson:
    """Add a person."""
    return AddPerson(meta, person=new_id(body.id), display_name=body.display_name)


@commands.post("/v1/people/{person}/rename")
def rename_person(meta: Meta, person: str, body: DisplayName) -> RenamePerson:
    """Give a person another display name."""
    return RenamePerson(meta, person=person, display_name=body.display_name)


@commands.post("/v1/people/{person}/join-unit")
def join_unit(meta: Meta, person: str, body: Seat) -> JoinUnit:
    """The person joins a unit."""
    return JoinUnit(meta, person=person, unit=body.unit)


@commands.post("/v1/people/{person}/leave-unit")
def leave_unit(meta: Meta, person: str, body: Seat) -> LeaveUnit:
    """The person leaves a unit."""
    return LeaveUnit(meta, person=person, unit=body.unit)


@commands.post("/v1/people/{person}/leave-organisation")
def leave_organisation(meta: Meta, person: str, body: Plain = Plain()) -> LeaveOrganisation:
    """The person leaves the organisation: signs in no more, from now on. Goals, seats, roles and texts stay. Needs a reason."""
    return LeaveOrganisation(meta, person=person)


@commands.post("/v1/people/{person}/come-back")
def come_back(meta: Meta, person: str, body: Plain = Plain()) -> ComeBack:
    """Who left comes back: identities, roles and keys from before count again. Needs a reason."""
    return ComeBack(meta, person=person)


@commands.post("/v1/people/{person}/begin-leave")
def begin_leave(meta: Meta, person: str, body: Plain = Plain()) -> BeginLeave:
    """The person goes on leave and owes no words, nor do the goals that the person owns. Needs a reason."""
    return BeginLeave(meta, person=person)


@commands.post("/v1/people/{person}/end-leave")
def end_leave(meta: Meta, person: str, body: Plain = Plain()) -> EndLeave:
    """The person is back from leave."""
    return EndLeave(meta, person=person)


@commands.post("/v1/people/{person}/shred")
def shred_person(meta: Meta, person: str, body: Plain = Plain()) -> ShredPerson:
    """Erase every text of a person, everywhere, for good; the person signs in no more. Needs a reason. There is no way back."""
    return ShredPerson(meta, person=person)
