"""Systems: what emits readings. Registered, it is an emitter with topics of its own; retired, it is heard no more."""

from __future__ import annotations

from dataclasses import dataclass

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.workspace import SystemRegistered, SystemRetired

from goal_ledger_domain import text
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.workspace import REST, last_effective_at, touch, workspace
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
    touch(world, fact, REST)
    match fact.data:
        case SystemRegistered(id, name):
            world.put("system", id, Registered(name))
            world.put(
                "roles", f"system/{id}", (world.get("roles", f"system/{id}") or frozenset()) | {"emitter"}
            )
        case SystemRetired(id):
            world.put("system", id, Retired(world.get("system", id).name))


def _record(
    world: World, command: RegisterSystem | RetireSystem, data: FactData, situation: Situation
) -> Decision:
    here = workspace(world)
    recorded = draft(command.meta, situation, here.stream, data, after=last_effective_at(world, REST))
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


DECIDER = Decider(
    commands={
        RegisterSystem: Rule(_register, may=Permission.ORGANISE, on=WORKSPACE, shows="system", creates=True),
        RetireSystem: Rule(_retire, may=Permission.ORGANISE, on=WORKSPACE, shows="system", ends_access=True),
    },
    folds=dict.fromkeys(
        (
            SystemRegistered,
            SystemRetired,
        ),
        evolve,
    ),
)
