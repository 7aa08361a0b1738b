"""Units: the tree of divisions and teams, their leads, and pilot waves."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Id, NewId, Plain, new_id
from goal_ledger_domain.unit import (
    CloseUnit,
    CreateUnit,
    JoinPilotWave,
    LeavePilotWave,
    MoveUnit,
    NameLead,
    RenameUnit,
)
from pydantic import Field

commands = command_routes("units")


class NewUnit(CommandBody):
    id: NewId
    name: str = Field(examples=["Sales"])
    parent: Id | None = Field(default=None, description="The unit above; left out: at the top")


class UnitName(CommandBody):
    name: str = Field(examples=["Sales and service"])


class UnitParent(CommandBody):
    parent: Id | None = Field(description="null: to the top")


class Lead(CommandBody):
    person: Id | None = Field(description="null: the unit has no lead from now on")


class Wave(CommandBody):
    wave: Id = Field(examples=["wave-1"])


@commands.post("/v1/units")
@row(creates="/v1/units/{id}", unit="id")
def create_unit(meta: Meta, body: NewUnit) -> CreateUnit:
    """Create a unit."""
    return CreateUnit(meta, unit=new_id(body.id), name=body.name, parent=body.parent)


@commands.post("/v1/units/{unit}/rename")
def rename_unit(meta: Meta, unit: str, body: UnitName) -> RenameUnit:
    """Rename a unit."""
    return RenameUnit(meta, unit=unit, name=body.name)


@commands.post("/v1/units/{unit}/move")
def move_unit(meta: Meta, unit: str, body: UnitParent) -> MoveUnit:
    """Move a unit under another one. Needs a reason."""
    return MoveUnit(meta, unit=unit, parent=body.parent)


@commands.post("/v1/units/{unit}/close")
def close_unit(meta: Meta, unit: str, body: Plain = Plain()) -> CloseUnit:
    """Close a unit. Needs a reason."""
    return CloseUnit(meta, unit=unit)


@commands.post("/v1/units/{unit}/lead")
def name_lead(meta: Meta, unit: str, body: Lead) -> NameLead:
    """Name the person who leads a unit."""
    return NameLead(meta, unit=unit, person=body.person)


@commands.post("/v1/units/{unit}/pilot-waves/join")
def join_pilot_wave(meta: Meta, unit: str, body: Wave) -> JoinPilotWave:
    """The unit joins a pilot wave."""
    return JoinPilotWave(meta, unit=unit, wave=body.wave)


@commands.post("/v1/units/{unit}/pilot-waves/leave")
def leave_pilot_wave(meta: Meta, unit: str, body: Wave) -> LeavePilotWave:
    """The unit leaves a pilot wave."""
    return LeavePilotWave(meta, unit=unit, wave=body.wave)
