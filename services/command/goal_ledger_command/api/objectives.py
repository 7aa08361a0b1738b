"""Objectives: drafted, defined, aligned, activated, closed and what comes after."""

from __future__ import annotations

from decimal import Decimal

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Id, NewId, Number, Owner, new_id
from goal_ledger_domain.alignment import Align, Unalign
from goal_ledger_domain.objective import (
    AssignObjective,
    DraftObjective,
    GiveKind,
    MoveToCycle,
    PutInCycle,
    RewordObjective,
)
from pydantic import Field

commands = command_routes("objectives")


class NewObjective(CommandBody):
    id: NewId
    title: str = Field(examples=["A well-functioning web shop with a winning concept"])
    owner: Owner
    description: str | None = None
    kind: str | None = Field(default=None, examples=["aspirational"], description="committed or aspirational")
    cycle: Id | None = Field(default=None, json_schema_extra={"examples": ["2026-q4"]})
    contributors: tuple[str, ...] = Field(default=(), examples=[["person/ada"]])
    carried_from: Id | None = Field(default=None, description="The objective whose lineage it continues")


class ObjectiveWording(CommandBody):
    title: str
    description: str | None = None


class Assignment(CommandBody):
    owner: Owner
    contributors: tuple[str, ...] = ()


class Kind(CommandBody):
    kind: str = Field(examples=["committed"], description="committed or aspirational")


class InCycle(CommandBody):
    cycle: Id


class NewLink(CommandBody):
    link: NewId = Field(
        default=None,
        description="The link's id, chosen by the client, else a UUIDv7 is made",
        examples=["web-shop-up"],
    )
    parent: str = Field(examples=["objective/company"], description="objective/<id> or key-result/<id>")
    mode: str = Field(default="contributes", description="contributes (counted) or supports (shown only)")
    weight: Number = Decimal(1)


class EndedLink(CommandBody):
    parent: str | None = Field(
        default=None, description="objective/<id> or key-result/<id>; or name the link"
    )
    link: Id | None = None


@commands.post("/v1/objectives")
@row(creates="/v1/objectives/{id}", objective="id")
def draft_objective(meta: Meta, body: NewObjective) -> DraftObjective:
    """Draft an objective."""
    return DraftObjective(
        meta,
        objective=new_id(body.id),
        title=body.title,
        owner=body.owner,
        description=body.description,
        kind=body.kind,
        cycle=body.cycle,
        contributors=body.contributors,
        carried_from=body.carried_from,
    )


@commands.post("/v1/objectives/{objective}/reword")
def reword_objective(meta: Meta, objective: str, body: ObjectiveWording) -> RewordObjective:
    """Reword an objective. Needs a reason once it is active."""
    return RewordObjective(meta, objective=objective, title=body.title, description=body.description)


@commands.post("/v1/objectives/{objective}/assign")
def assign_objective(meta: Meta, objective: str, body: Assignment) -> AssignObjective:
    """Give an objective its owner and contributors. Needs a reason once it is active."""
    return AssignObjective(meta, objective=objective, owner=body.owner, contributors=body.contributors)


@commands.post("/v1/objectives/{objective}/give-kind")
def give_kind(meta: Meta, objective: str, body: Kind) -> GiveKind:
    """Say whether an objective is committed or aspirational."""
    return GiveKind(meta, objective=objective, kind=body.kind)


@commands.post("/v1/objectives/{objective}/put-in-cycle")
def put_in_cycle(meta: Meta, objective: str, body: InCycle) -> PutInCycle:
    """Put an objective that has no cycle into one."""
    return PutInCycle(meta, objective=objective, cycle=body.cycle)


@commands.post("/v1/objectives/{objective}/move-to-cycle")
def move_to_cycle(meta: Meta, objective: str, body: InCycle) -> MoveToCycle:
    """Move an objective to another cycle. Needs a reason once it is active."""
    return MoveToCycle(meta, objective=objective, cycle=body.cycle)


@commands.post("/v1/objectives/{objective}/align")
def align(meta: Meta, objective: str, body: NewLink) -> Align:
    """Align an objective with a parent. Needs a reason once it is active; refused if it would close a loop.

    A link's id stands for one content for ever. Sent again with the same content nothing new is recorded and the answer
    is the first one, also after the link has ended; with another parent, mode or weight: 409 `id_taken`. To change mode
    or weight, align the same two again under a new id (or none): the new link takes the place of the one before.
    """
    return Align(
        meta,
        objective=objective,
        link=new_id(body.link),
        parent=body.parent,
        mode=body.mode,
        weight=body.weight,
    )


@commands.post("/v1/objectives/{objective}/unalign")
def unalign(meta: Meta, objective: str, body: EndedLink = EndedLink()) -> Unalign:
    """End an alignment. Needs a reason once the objective is active.

    Named by its parent, or by any id that the link of the two has had.
    """
    return Unalign(meta, objective=objective, link=body.link, parent=body.parent)
