"""Units: the tree of divisions and teams, who leads them, and the pilot waves they are in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.unit import (
    LeadNamed,
    PilotWaveJoined,
    PilotWaveLeft,
    UnitClosed,
    UnitCreated,
    UnitMoved,
    UnitRenamed,
)

from goal_ledger_domain import text
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.person import present_person
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.unit_tree import (
    Closed,
    Open,
    Unit,
    levels_below,
    need_depth,
    need_no_loop,
    open_unit,
    unit,
)
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class CreateUnit:
    meta: Meta
    unit: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RenameUnit:
    meta: Meta
    unit: str
    name: str


@dataclass(frozen=True, slots=True)
class MoveUnit:
    """Under another unit; None: to the top."""

    meta: Meta
    unit: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class CloseUnit:
    """Its sub-units stay as they are; nothing new is taken in the unit itself."""

    meta: Meta
    unit: str


@dataclass(frozen=True, slots=True)
class NameLead:
    """None: the unit has no lead from now on."""

    meta: Meta
    unit: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class JoinPilotWave:
    meta: Meta
    unit: str
    wave: str


@dataclass(frozen=True, slots=True)
class LeavePilotWave:
    meta: Meta
    unit: str
    wave: str


_Command = CreateUnit | RenameUnit | MoveUnit | CloseUnit | NameLead | JoinPilotWave | LeavePilotWave


def evolve(world: World, fact: Fact) -> None:
    id, at, data = fact.stream_id, fact.effective_at, fact.data
    if isinstance(data, UnitCreated):
        world.put("unit", id, Open(data.name, data.parent, None, frozenset(), data, at))
        return
    before: Unit = replace(world.get("unit", id), last_effective_at=at)
    match data:
        case UnitRenamed(name):
            world.put("unit", id, replace(before, name=name))
        case UnitMoved(parent):
            world.put("unit", id, replace(before, parent=parent))
        case UnitClosed():
            closed = Closed(before.name, before.parent, before.lead, before.waves, before.created, at)
            world.put("unit", id, closed)
        case LeadNamed(lead):
            world.put("unit", id, replace(before, lead=lead))
        case PilotWaveJoined(wave):
            world.put("unit", id, replace(before, waves=before.waves | {wave}))
        case PilotWaveLeft(wave):
            world.put("unit", id, replace(before, waves=before.waves - {wave}))


def _change(command: _Command, before: Unit, data: FactData, situation: Situation) -> Decision:
    stream = f"unit/{command.unit}"
    changed = draft(command.meta, situation, stream, data, after=before.last_effective_at)
    return Decision(command.unit, stream, (changed,))


def _same(command: _Command) -> Decision:
    return nothing_new(command.unit, f"unit/{command.unit}")


def _create(world: World, command: CreateUnit, situation: Situation) -> Decision:
    stream = f"unit/{text.id_of(command.unit, 'unit')}"
    data = UnitCreated(text.line(command.name, "name"), command.parent)
    present: Unit | None = world.get("unit", command.unit)
    if present is not None:
        if data in (present.created, UnitCreated(present.name, present.parent)):
            return _same(command)
        raise Refusal("id_taken", f"There is another unit {command.unit}.", field="unit")
    if command.parent is not None:
        open_unit(world, command.parent, "parent")
        need_depth(world, command.parent, 1)
    return Decision(command.unit, stream, (draft(command.meta, situation, stream, data, after=None),))


def _rename(world: World, command: RenameUnit, situation: Situation) -> Decision:
    before, name = unit(world, command.unit), text.line(command.name, "name")
    if before.name == name:
        return _same(command)
    return _change(command, open_unit(world, command.unit), UnitRenamed(name), situation)


def _move(world: World, command: MoveUnit, situation: Situation) -> Decision:
    before, parent = unit(world, command.unit), command.parent
    if before.parent == parent:
        return _same(command)
    open_unit(world, command.unit)
    if parent is not None:
        open_unit(world, parent, "parent")
        need_no_loop(world, command.unit, parent)
        need_depth(world, parent, levels_below(world, command.unit))
    need_reason(command.meta, "moving a unit")
    return _change(command, before, UnitMoved(parent), situation)


def _close(world: World, command: CloseUnit, situation: Situation) -> Decision:
    before = unit(world, command.unit)
    if isinstance(before, Closed):
        return _same(command)
    need_reason(command.meta, "closing a unit")
    return _change(command, before, UnitClosed(), situation)


def _name_lead(world: World, command: NameLead, situation: Situation) -> Decision:
    before = unit(world, command.unit)
    if before.lead == command.person:
        return _same(command)
    open_unit(world, command.unit)
    if command.person is not None:
        present_person(world, command.person)
    return _change(command, before, LeadNamed(command.person), situation)


def _join_wave(world: World, command: JoinPilotWave, situation: Situation) -> Decision:
    before, wave = unit(world, command.unit), text.line(command.wave, "wave")
    if wave in before.waves:
        return _same(command)
    return _change(command, open_unit(world, command.unit), PilotWaveJoined(wave), situation)


def _leave_wave(world: World, command: LeavePilotWave, situation: Situation) -> Decision:
    before, wave = unit(world, command.unit), text.line(command.wave, "wave")
    if wave not in before.waves:
        return _same(command)
    return _change(command, before, PilotWaveLeft(wave), situation)


DECIDER = Decider(
    commands={
        CreateUnit: Rule(_create, may=Permission.ORGANISE, on=WORKSPACE, shows="unit", creates=True),
        RenameUnit: Rule(_rename, may=Permission.ORGANISE, on=WORKSPACE, shows="unit"),
        MoveUnit: Rule(_move, may=Permission.ORGANISE, on=WORKSPACE, shows="unit"),
        CloseUnit: Rule(_close, may=Permission.ORGANISE, on=WORKSPACE, shows="unit"),
        NameLead: Rule(_name_lead, may=Permission.ORGANISE, on=WORKSPACE, shows="unit"),
        JoinPilotWave: Rule(_join_wave, may=Permission.ORGANISE, on=WORKSPACE, shows="unit"),
        LeavePilotWave: Rule(_leave_wave, may=Permission.ORGANISE, on=WORKSPACE, shows="unit"),
    },
    folds=dict.fromkeys(
        (
            UnitCreated,
            UnitRenamed,
            UnitMoved,
            UnitClosed,
            LeadNamed,
            PilotWaveJoined,
            PilotWaveLeft,
        ),
        evolve,
    ),
)
