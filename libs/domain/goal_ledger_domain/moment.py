"""Moments: named instants that windows open with, such as the launch of the shop. One per name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.decision import Claim, Decision, Identity, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.workspace import MomentCorrected, MomentRecorded, MomentRetracted

from goal_ledger_domain import text, times
from goal_ledger_domain.command import Meta, need_reason, nothing_new, slot_in
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.workspace import workspace
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class RecordMoment:
    meta: Meta
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CorrectMoment:
    meta: Meta
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RetractMoment:
    meta: Meta
    name: str


@dataclass(frozen=True, slots=True)
class Recorded:
    at: datetime
    first_stated: datetime
    """As recorded, before any correction: a repeat of that is the same thing again."""


@dataclass(frozen=True, slots=True)
class Retracted:
    pass


Moment = Recorded | Retracted


def evolve(world: World, fact: Fact) -> None:
    match fact.data:
        case MomentRecorded(name, at):
            world.put("moment", name, Recorded(at, at))
        case MomentCorrected(name, at):
            world.put("moment", name, Recorded(at, world.get("moment", name).first_stated))
        case MomentRetracted(name):
            world.put("moment", name, Retracted())


def identity(name: str) -> Identity:
    """Holds the moment as it was recorded."""
    return Identity("moment", (name,))


def _lookups(command: RecordMoment) -> tuple[Identity, ...]:
    return (identity(command.name),)


def _record(world: World, command: RecordMoment, situation: Situation) -> Decision:
    times.instant(command.at, "at")
    here, name = workspace(world), text.id_of(command.name, "name")
    present: Moment | None = world.get("moment", name)
    if isinstance(present, Recorded):
        if command.at in (present.at, present.first_stated):
            first = situation.found.get(identity(name))
            return Decision(name, here.stream, same_as=first.fact if first else None)
        raise Refusal(
            "id_taken",
            f"{name} is recorded at {instant_text(present.at)}: correct it.",
            field="name",
            at=instant_text(present.at),
        )
    data = MomentRecorded(name, command.at)
    recorded = slot_in(command.meta, situation, here.stream, data, command.at, "at")
    return Decision(name, here.stream, (recorded,), (Claim(identity(name), 0, here.stream),))


def _correct(world: World, command: CorrectMoment, situation: Situation) -> Decision:
    times.instant(command.at, "at")
    here, present = workspace(world), _recorded(world, command.name)
    if present.at == command.at:
        return nothing_new(command.name, here.stream)
    need_reason(command.meta, "correcting a moment")
    data = MomentCorrected(command.name, command.at)
    corrected = slot_in(command.meta, situation, here.stream, data, command.at, "at")
    return Decision(command.name, here.stream, (corrected,))


def _retract(world: World, command: RetractMoment, situation: Situation) -> Decision:
    here = workspace(world)
    if isinstance(world.get("moment", command.name), Retracted):
        return nothing_new(command.name, here.stream)
    _recorded(world, command.name)
    need_reason(command.meta, "retracting a moment")
    data = MomentRetracted(command.name)
    return Decision(
        command.name,
        here.stream,
        (slot_in(command.meta, situation, here.stream, data, command.meta.effective_at),),
    )


def _recorded(world: World, name: str) -> Recorded:
    present: Moment | None = world.get("moment", name)
    match present:
        case Recorded():
            return present
        case Retracted():
            raise Refusal("moment_retracted", f"{name[:64]} was retracted.", field="name")
        case None:
            raise Refusal("unknown_moment", f"There is no moment {name[:64]}.", field="name")
        case _:
            assert_never(present)


DECIDER = Decider(
    commands={
        RecordMoment: Rule(
            _record, may=Permission.ORGANISE, on=WORKSPACE, shows="moment", creates=True, lookups=_lookups
        ),
        CorrectMoment: Rule(_correct, may=Permission.ORGANISE, on=WORKSPACE, shows="moment"),
        RetractMoment: Rule(_retract, may=Permission.ORGANISE, on=WORKSPACE, shows="moment"),
    },
    folds=dict.fromkeys(
        (
            MomentRecorded,
            MomentCorrected,
            MomentRetracted,
        ),
        evolve,
    ),
)
