"""The workspace itself, and the texts withheld in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from goal_ledger_contracts import zones
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_contracts.workspace import (
    IdentityLinked,
    RoleGranted,
    StoreRestored,
    TextWithheld,
    WorkspaceCreated,
)

from goal_ledger_domain import limits, text
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.person import naming_claim
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    person: str
    display_name: str
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class CreateWorkspace:
    """With its first admin, if one is named: added, linked and granted the role in the same decision."""

    meta: Meta
    workspace: str
    name: str
    time_zone: str
    first_admin: FirstAdmin | None = None


@dataclass(frozen=True, slots=True)
class WithholdText:
    """``fact``: the event id; ``pointer``: the JSON pointer within its ``data``."""

    meta: Meta
    fact: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str
    time_zone: str
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"workspace/{self.id}"


def workspace(world: World) -> Workspace:
    """The workspace's state. Refuses ``unknown_workspace``."""
    found: Workspace | None = world.get("workspace", "")
    if found is None:
        raise Refusal("unknown_workspace", "There is no such workspace.")
    return found


ACCESS, REST = "access", ""
"""Scopes of the workspace's stream in which time never goes back, each by itself; beside them every policy's scope."""


def touch(world: World, fact: Fact, scope: str) -> None:
    """Note when the scope's facts last took effect; every evolve of the stream's facts but moments calls this."""
    world.put("touched", scope, fact.effective_at)


def last_effective_at(world: World, scope: str) -> datetime:
    """The limit of backdating within the scope: its last fact, else the creation of the workspace."""
    touched: datetime | None = world.get("touched", scope)
    return workspace(world).created_at if touched is None else touched


def evolve(world: World, fact: Fact) -> None:
    match fact.data:
        case WorkspaceCreated(name, time_zone):
            world.put("workspace", "", Workspace(fact.stream_id, name, time_zone, fact.effective_at))
        case TextWithheld(event_id, pointer):
            world.put("withheld", event_id + pointer, True)
            touch(world, fact, REST)
        case StoreRestored():
            touch(world, fact, REST)


def known_time_zone(name: str, field: str) -> str:
    """An IANA time zone's name, such as ``Europe/Oslo``."""
    if name not in zones.names():
        raise Refusal(
            "time_zone_unknown", f"{field} is not an IANA time zone such as Europe/Oslo.", field=field
        )
    return name


def _create(world: World, command: CreateWorkspace, situation: Situation) -> Decision:
    data = WorkspaceCreated(text.line(command.name, "name"), known_time_zone(command.time_zone, "time_zone"))
    present: Workspace | None = world.get("workspace", "")
    stream = f"workspace/{text.narrow_id(command.workspace, 'workspace')}"
    if present is not None:
        if WorkspaceCreated(present.name, present.time_zone) == data:
            return nothing_new(present.id, present.stream)
        raise Refusal("workspace_exists", f"The workspace {present.id} exists already.")
    created = draft(command.meta, situation, stream, data, after=None)
    if command.first_admin is None:
        return Decision(command.workspace, stream, (created,))
    return _with_admin(
        Decision(command.workspace, stream, (created,)), command, command.first_admin, situation
    )


def _with_admin(
    alone: Decision, command: CreateWorkspace, admin: FirstAdmin, situation: Situation
) -> Decision:
    holder = f"person/{text.id_of(admin.person, 'person')}"
    added = PersonAdded(text.line(admin.display_name, "display_name"))
    linked = IdentityLinked(
        text.exact(admin.issuer, "issuer", limits.ISSUER_MAX_CHARACTERS),
        text.exact(admin.subject, "subject", limits.ISSUER_MAX_CHARACTERS),
        admin.person,
    )
    more = (
        draft(command.meta, situation, holder, added, after=None),
        draft(command.meta, situation, alone.stream, linked, after=None),
        draft(command.meta, situation, alone.stream, RoleGranted(holder, "admin"), after=None),
    )
    return replace(alone, drafts=alone.drafts + more, claims=(naming_claim(admin.person, draft=1),))


def _withhold(world: World, command: WithholdText, situation: Situation) -> Decision:
    here = workspace(world)
    try:
        event_id = str(UUID(command.fact))
    except ValueError:
        raise Refusal("id_malformed", "fact is not the event id of a fact.", field="fact") from None
    if not command.pointer.startswith("/") or len(command.pointer) > limits.POINTER_MAX_CHARACTERS:
        raise Refusal(
            "pointer_malformed", "pointer is a JSON pointer within the fact's data.", field="pointer"
        )
    if world.get("withheld", event_id + command.pointer):
        return nothing_new(here.id, here.stream)
    need_reason(command.meta, "withholding a text")
    data = TextWithheld(event_id, text.line(command.pointer, "pointer"))
    return Decision(
        here.id,
        here.stream,
        (draft(command.meta, situation, here.stream, data, after=last_effective_at(world, REST)),),
    )


DECIDER = Decider(
    commands={
        CreateWorkspace: Rule(
            _create, may=Permission.CREATE_WORKSPACE, on=WORKSPACE, shows="workspace", creates=True
        ),
        WithholdText: Rule(_withhold, may=Permission.ORGANISE, on=WORKSPACE, shows="workspace"),
    },
    folds=dict.fromkeys(
        (
            WorkspaceCreated,
            TextWithheld,
            StoreRestored,
        ),
        evolve,
    ),
)
