"""The life of an objective: activated, closed, reopened, carried over, archived."""

from __future__ import annotations

from collections.abc import Mapping

from goal_ledger_command.api.carrying import TOLD
from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Id, NewId, Number, Plain, new_id
from goal_ledger_domain.carry_over import CarryOver
from goal_ledger_domain.lifecycle import (
    Activate,
    ArchiveObjective,
    CloseObjective,
    PauseObjective,
    ReopenObjective,
    ResumeObjective,
)
from pydantic import Field

commands = command_routes("objectives")


class Closing(CommandBody):
    outcome: str = Field(examples=["achieved"], description="achieved, partial, missed, dropped or postponed")
    grade: Number | None = Field(
        default=None, description="0–1; one that differs from the suggestion needs a reason"
    )
    suggested: Number | None = Field(
        default=None, description="The score that was shown when the grade was given"
    )
    retrospective: str | None = Field(default=None, description="Personal: sealed")
    author: str | None = Field(default=None, description="Imports only: person/<id> whose text it is")


class Reopening(CommandBody):
    cycle: Id | None = Field(
        default=None, description="An open cycle to go on in; needed if the goal's own is closed"
    )


class CarriedOver(CommandBody):
    into: NewId = None
    cycle: Id | None = None
    key_results: Mapping[str, str] = Field(
        default={},
        description="Ids for the new key results, by old id; others follow from the new objective's id",
    )
    baseline: str = Field(
        default="keep", description="keep, or last: an absolute measure starts from its last value"
    )


@commands.post("/v1/objectives/{objective}/activate")
def activate(meta: Meta, objective: str, body: Plain = Plain()) -> Activate:
    """Activate an objective: from here its definition is the commitment."""
    return Activate(meta, objective=objective)


@commands.post("/v1/objectives/{objective}/close")
def close_objective(meta: Meta, objective: str, body: Closing) -> CloseObjective:
    """Close an objective with its outcome, grade and retrospective."""
    return CloseObjective(
        meta,
        objective=objective,
        outcome=body.outcome,
        grade=body.grade,
        suggested=body.suggested,
        author=body.author,
        retrospective=body.retrospective,
    )


@commands.post("/v1/objectives/{objective}/reopen")
def reopen_objective(meta: Meta, objective: str, body: Reopening = Reopening()) -> ReopenObjective:
    """Reopen a closed objective; one whose cycle is closed goes on in an open one. Needs a reason."""
    return ReopenObjective(meta, objective=objective, cycle=body.cycle)


@commands.post("/v1/objectives/{objective}/carry-over")
@row(creates="/v1/objectives/{id}", tells=TOLD)
def carry_over(meta: Meta, objective: str, body: CarriedOver = CarriedOver()) -> CarryOver:
    """Carry an objective over into a new one that keeps its lineage; the answer says what became of each thing."""
    return CarryOver(
        meta,
        objective=objective,
        into=new_id(body.into),
        cycle=body.cycle,
        key_results=tuple(body.key_results.items()),
        baseline=body.baseline,
    )


@commands.post("/v1/objectives/{objective}/archive")
def archive_objective(meta: Meta, objective: str, body: Plain = Plain()) -> ArchiveObjective:
    """Archive a closed objective."""
    return ArchiveObjective(meta, objective=objective)


@commands.post("/v1/objectives/{objective}/pause")
def pause_objective(meta: Meta, objective: str, body: Plain = Plain()) -> PauseObjective:
    """Pause an active objective: it owes no words until it is resumed or closed. Needs a reason."""
    return PauseObjective(meta, objective=objective)


@commands.post("/v1/objectives/{objective}/resume")
def resume_objective(meta: Meta, objective: str, body: Plain = Plain()) -> ResumeObjective:
    """Resume an objective that was paused."""
    return ResumeObjective(meta, objective=objective)
