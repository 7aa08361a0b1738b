"""Who may do what (SPEC 11), as one table: roles across, permissions down, and what each role must be to the target.

Decided with the command, on the same fold: :func:`authorise_command`. Reads ask :func:`authorise` with a permission of
their own. Roles come from facts alone (``access.roles``), but for *operator* (the operator's command line) and
*service* (a token of the service key set), which the caller states.

An unknown target is let through: the decider then says that it is unknown, to everybody in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from goal_ledger_contracts.decision import Identity, Situation

from goal_ledger_domain.access import holder_of_key, person_of, roles
from goal_ledger_domain.feed import feed_state
from goal_ledger_domain.goal import Objective
from goal_ledger_domain.person import units_of
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import Retired
from goal_ledger_domain.unit_tree import leads_over, units_above
from goal_ledger_domain.world import World

__all__ = [
    "PERMISSION_OF",
    "ROLES",
    "TABLE",
    "Permission",
    "Relation",
    "authorise",
    "authorise_command",
    "authorise_reading",
    "held_by",
    "holder_of_key",
    "is_admin",
    "may",
    "person_of",
    "roles",
]

ROLES = ("emitter", "contributor", "owner", "admin", "importer", "analyst", "auditor", "service", "operator")


class Relation(Enum):
    """What the actor must be to the target."""

    ANY = "any"
    OWN_FEED = "a feed of its own"
    WORKS_ON = "a goal it owns, contributes to, or of a unit it is in (sub-units too)"
    OWNS = "a goal owned by itself or by a unit it leads (sub-units too)"
    WORKS_ON_OR_OWNS = "either of these"


class Permission(Enum):
    CREATE_WORKSPACE = "workspace.create"
    SHRED = "person.shred"
    ACCESS = "access.change"
    ORGANISE = "organisation.change"
    DEFINE_GOAL = "goal.define"
    CHECK_IN = "goal.check-in"
    TAKE_READING = "reading.take"
    JUDGE_READING = "reading.judge"
    READ_RECEIPTS = "receipts.read"
    READ_FEEDS = "feeds.read"
    READ_GOALS = "goals.read"
    READ_FACTS = "facts.read"
    EXPORT = "exports.read"
    READ_LOG = "log.read"
    READ_TEXT_KEYS = "keys.read"


_ANY, _FEED = Relation.ANY, Relation.OWN_FEED
_WORKS, _OWNS, _EITHER = Relation.WORKS_ON, Relation.OWNS, Relation.WORKS_ON_OR_OWNS
_NO = None

# fmt: off
_ROWS: dict[Permission, tuple[Relation | None, ...]] = {
    #                            emitter contributor owner    admin importer analyst auditor service operator
    Permission.CREATE_WORKSPACE: (_NO,   _NO,        _NO,     _NO,  _NO,     _NO,    _NO,    _NO,    _ANY),
    Permission.SHRED:            (_NO,   _NO,        _NO,     _ANY, _NO,     _NO,    _NO,    _NO,    _ANY),
    Permission.ACCESS:           (_NO,   _NO,        _NO,     _ANY, _NO,     _NO,    _NO,    _NO,    _ANY),
    Permission.ORGANISE:         (_NO,   _NO,        _NO,     _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.DEFINE_GOAL:      (_NO,   _NO,        _OWNS,   _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.CHECK_IN:         (_NO,   _WORKS,     _EITHER, _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.TAKE_READING:     (_FEED, _NO,        _NO,     _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.JUDGE_READING:    (_NO,   _NO,        _NO,     _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.READ_RECEIPTS:    (_FEED, _NO,        _NO,     _ANY, _ANY,    _NO,    _ANY,   _NO,    _ANY),
    Permission.READ_FEEDS:       (_FEED, _ANY,       _ANY,    _ANY, _ANY,    _ANY,   _ANY,   _NO,    _ANY),
    Permission.READ_GOALS:       (_NO,   _ANY,       _ANY,    _ANY, _ANY,    _ANY,   _ANY,   _NO,    _ANY),
    Permission.READ_FACTS:       (_NO,   _NO,        _NO,     _ANY, _NO,     _ANY,   _ANY,   _NO,    _ANY),
    Permission.EXPORT:           (_NO,   _NO,        _NO,     _NO,  _NO,     _ANY,   _ANY,   _NO,    _ANY),
    Permission.READ_LOG:         (_NO,   _NO,        _NO,     _NO,  _NO,     _NO,    _ANY,   _ANY,   _ANY),
    Permission.READ_TEXT_KEYS:   (_NO,   _NO,        _NO,     _NO,  _NO,     _NO,    _NO,    _ANY,   _NO),
}
# fmt: on

TABLE: dict[tuple[Permission, str], Relation | None] = {
    (permission, role): relation
    for permission, row in _ROWS.items()
    for role, relation in zip(ROLES, row, strict=True)
}
"""(permission, role) → what the holder must be to the target; None: not allowed."""

OF_EVERY_PERSON = frozenset({Permission.READ_GOALS, Permission.READ_FEEDS})
"""What a linked person may do without any role: all goals are visible to all in the workspace."""

_COMMANDS: dict[Permission, str] = {
    Permission.CREATE_WORKSPACE: "CreateWorkspace",
    Permission.SHRED: "ShredPerson",
    Permission.ACCESS: "LinkIdentity GrantRole RevokeRole IssueKey RotateKey RevokeKey",
    Permission.ORGANISE: """
        SetPolicy WithholdText RecordMoment CorrectMoment RetractMoment RegisterSystem RetireSystem
        CreateUnit RenameUnit MoveUnit CloseUnit NameLead JoinPilotWave LeavePilotWave
        AddPerson RenamePerson JoinUnit LeaveUnit
        PlanCycle OpenCycle LockCycle CloseCycle ReopenCycle MoveCycleDates RegisterFeed RedefineFeed""",
    Permission.DEFINE_GOAL: """
        DraftObjective RewordObjective AssignObjective GiveKind PutInCycle MoveToCycle Align Unalign Activate
        CloseObjective ReopenObjective CarryOver ArchiveObjective
        AddKeyResult RewordKeyResult ChangeMeasure ChangeKeyResultWeight ChangeKeyResultOwner BindPart UnbindPart
        DropKeyResult""",
    Permission.CHECK_IN: "RecordCheckIn CorrectCheckIn RetractCheckIn AddComment GiveKudos EndorseChange",
    Permission.TAKE_READING: "TakeReading",
    Permission.JUDGE_READING: "ReleaseReading RejectReading CorrectReading RetractReading",
}

PERMISSION_OF: dict[str, Permission] = {
    name: permission for permission, names in _COMMANDS.items() for name in names.split()
}
"""Which permission a command needs, by the name of its class."""

Target = Any
"""``objective/<id>``, ``feed/<name>``, the owner of a goal to be (``unit/<id>``, ``person/<id>``), or None."""


def is_admin(world: World, actor: str) -> bool:
    """Whether the actor may what admins may on goals: admins, importers and the operator."""
    return bool(held_by(world, actor) & {"admin", "importer", "operator"})


def held_by(world: World, actor: str) -> frozenset[str]:
    """The actor's roles from the facts; those of ``operator`` by its name."""
    return frozenset({"operator"}) if actor == "operator" else roles(world, actor)


def may(
    world: World, actor: str, held: frozenset[str], permission: Permission, target: Target = None
) -> bool:
    """Whether one of the roles allows it on the target."""
    if permission in OF_EVERY_PERSON and actor.startswith("person/"):
        return True
    relations = {TABLE[permission, role] for role in held}
    return any(relation and _HOLDS[relation](world, actor, target) for relation in relations)


def authorise(
    world: World, actor: str, held: frozenset[str], permission: Permission, target: Target = None
) -> None:
    """Refuses ``not_allowed``, also a system that is retired."""
    kind, _, id = actor.partition("/")
    if kind == "system" and isinstance(world.get("system", id), Retired):
        raise Refusal("not_allowed", f"The system {id} is retired.", permission=permission.value)
    if not may(world, actor, held, permission, target):
        raise Refusal(
            "not_allowed",
            f"This needs {_needed(permission)}.",
            permission=permission.value,
        )


def _needed(permission: Permission) -> str:
    allowed = [(role, TABLE[permission, role]) for role in ROLES if TABLE[permission, role]]
    ways = [
        f"the role {role}" + ("" if relation is Relation.ANY else f" and {relation.value}")
        for role, relation in allowed
        if relation is not None
    ]
    return ", or ".join(ways)


def authorise_command(world: World, command: Any, situation: Situation) -> None:
    """Whether the command's actor may ask for it. Refuses ``not_allowed``."""
    actor = command.meta.actor
    permission = PERMISSION_OF[type(command).__name__]
    authorise(world, actor, held_by(world, actor), permission, target_of(world, command, situation))


def authorise_reading(world: World, command: TakeReading, situation: Situation) -> None:
    """:func:`authorise_command`, asked once for an actor and a feed as long as the state stays the same."""
    asked = (command.meta.actor, command.feed)
    if asked not in situation.remembered:
        authorise_command(world, command, situation)
        situation.remembered[asked] = True


def target_of(world: World, command: Any, situation: Situation) -> Target:
    """What the command acts on, as far as permissions depend on it; None if it is unknown."""
    match PERMISSION_OF[type(command).__name__]:
        case Permission.DEFINE_GOAL | Permission.CHECK_IN:
            return _goal_of(world, command, situation)
        case Permission.TAKE_READING:
            return f"feed/{command.feed}"
    return None


def _goal_of(world: World, command: Any, situation: Situation) -> Target:
    if type(command).__name__ == "DraftObjective":
        return command.owner
    if (id := getattr(command, "check_in", None)) is not None and not hasattr(command, "objective"):
        return _goal_of_check_in(situation, id)
    if (on := getattr(command, "on", None)) is not None:
        kind, _, id = on.partition("/")
        return on if kind == "objective" else _goal_of_check_in(situation, id)
    if (id := getattr(command, "objective", None)) is not None:
        return f"objective/{id}"
    objective = world.get("key-result", getattr(command, "key_result", None) or "")
    return None if objective is None else f"objective/{objective}"


def _goal_of_check_in(situation: Situation, id: str) -> Target:
    found = situation.found.get(Identity("check-in", (id,)))
    return None if found is None else found.fact.stream


def _owner(world: World, target: Target) -> tuple[str | None, Objective | None]:
    """(owner, objective) of the target; (None, None) if it is unknown."""
    kind, _, id = (target or "").partition("/")
    if kind != "objective":
        return target, None
    state: Objective | None = world.get("objective", id)
    return (None, None) if state is None else (state.goal.owner, state)


def _own_feed(world: World, actor: str, target: Target) -> bool:
    feed = feed_state(world, (target or "").partition("/")[2])
    return feed is None or actor == f"system/{feed.system}"


def _owns(world: World, actor: str, target: Target) -> bool:
    owner, _ = _owner(world, target)
    return owner is None or owner == actor or _leads(world, actor, owner)


def _leads(world: World, actor: str, owner: str) -> bool:
    (holder, _, person), (kind, _, unit) = actor.partition("/"), owner.partition("/")
    return holder == "person" and kind == "unit" and leads_over(world, person, unit)


def _works_on(world: World, actor: str, target: Target) -> bool:
    owner, state = _owner(world, target)
    if owner is None or owner == actor:
        return True
    if state is None:
        return _is_within(world, actor, owner)
    of_key_results = (one.owner for one in state.goal.key_results.values() if one.owner)
    involved = (owner, *state.goal.contributors, *of_key_results)
    return actor in involved or any(_is_within(world, actor, one) for one in involved)


def _is_within(world: World, actor: str, reference: str) -> bool:
    """Whether the actor is a person in the unit, or in one above it."""
    kind, _, unit = reference.partition("/")
    if kind != "unit" or not actor.startswith("person/"):
        return False
    own = units_of(world, actor.partition("/")[2])
    return bool(own) and not own.isdisjoint(units_above(world, unit))


def _works_on_or_owns(world: World, actor: str, target: Target) -> bool:
    return _works_on(world, actor, target) or _owns(world, actor, target)


_HOLDS: dict[Relation, Callable[[World, str, Target], bool]] = {
    Relation.ANY: lambda world, actor, target: True,
    Relation.OWN_FEED: _own_feed,
    Relation.WORKS_ON: _works_on,
    Relation.OWNS: _owns,
    Relation.WORKS_ON_OR_OWNS: _works_on_or_owns,
}
