"""Systems: what emits readings. Registered, it is an emitter with topics of its own; retired, it is heard no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.workspace import SystemRegistered, SystemRetired

from goal_ledger_domain import text
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.part import Part
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.workspace import touch, workspace
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class RegisterSystem:
    meta: Meta
    system: str
    name: str


@dataclass(frozen=True, slots=True)
class RetireSystem:
    meta: Meta
    system: str


Command = RegisterSystem | RetireSystem


@dataclass(frozen=True, slots=True)
class Registered:
    name: str


@dataclass(frozen=True, slots=True)
class Retired:
    name: str


System = Registered | Retired


def system(world: World, id: str, field: str = "system") -> System:
    """Refuses ``unknown_system``."""
    found: System | None = world.get("system", id)
    if found is None:
        raise Refusal("unknown_system", f"There is no system {id[:64]}.", field=field)
    return found


def registered(world: World, id: str, field: str = "system") -> Registered:
    """Refuses ``unknown_system`` and ``system_retired``."""
    found = system(world, id, field)
    if isinstance(found, Retired):
        raise Refusal("system_retired", f"The system {id} is retired.", field=field)
    return found


def evolve(world: World, fact: Fact) -> None:
    touch(world, fact)
    match fact.data:
        case SystemRegistered(id, name):
            world.put("system", id, Registered(name))
            world.put(
                "roles", f"system/{id}", (world.get("roles", f"system/{id}") or frozenset()) | {"emitter"}
            )
        case SystemRetired(id):
            world.put("system", id, Retired(world.get("system", id).name))


def decide(world: World, command: Command, situation: Situation) -> Decision:
    match command:
        case RegisterSystem():
            return _register(world, command, situation)
        case RetireSystem():
            return _retire(world, command, situation)
        case _:
            assert_never(command)


def _record(world: World, command: Command, data: FactData, situation: Situation) -> Decision:
    here = workspace(world)
    recorded = draft(command.meta, situation, here.stream, data, after=here.last_effective_at)
    return Decision(command.system, here.stream, (recorded,))


def _register(world: World, command: RegisterSystem, situation: Situation) -> Decision:
    text.narrow_id(command.system, "system")
    name = text.line(command.name, "name")
    present: System | None = world.get("system", command.system)
    if present is not None:
        if registered(world, command.system).name == name:
            return nothing_new(command.system, workspace(world).stream)
        raise Refusal("id_taken", f"There is another system {command.system}.", field="system")
    return _record(world, command, SystemRegistered(command.system, name), situation)


def _retire(world: World, command: RetireSystem, situation: Situation) -> Decision:
    if isinstance(system(world, command.system), Retired):
        return nothing_new(command.system, workspace(world).stream)
    need_reason(command.meta, "retiring a system")
    return _record(world, command, SystemRetired(command.system), situation)


PART = Part(
    commands=(RegisterSystem, RetireSystem),
    decide=decide,
    folds=(SystemRegistered, SystemRetired),
    evolve=evolve,
)
