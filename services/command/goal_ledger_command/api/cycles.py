"""Cycles: planned, opened, locked for grading, closed."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Id, LocalDate, NewId, Plain, new_id
from goal_ledger_domain.cycle import CloseCycle, LockCycle, MoveCycleDates, OpenCycle, PlanCycle, ReopenCycle
from pydantic import Field

commands = command_routes("cycles")


class NewCycle(CommandBody):
    id: NewId
    name: str = Field(examples=["Q4 2026"])
    start: LocalDate
    end: LocalDate = Field(description="Inclusive, in the workspace's time zone")
    parent: Id | None = None


class CycleDates(CommandBody):
    start: LocalDate
    end: LocalDate


@commands.post("/v1/cycles")
@row(creates="/v1/cycles/{id}", cycle="id")
def plan_cycle(meta: Meta, body: NewCycle) -> PlanCycle:
    """Plan a cycle."""
    return PlanCycle(
        meta, cycle=new_id(body.id), name=body.name, start=body.start, end=body.end, parent=body.parent
    )


@commands.post("/v1/cycles/{cycle}/open")
def open_cycle(meta: Meta, cycle: str, body: Plain = Plain()) -> OpenCycle:
    """Open a cycle."""
    return OpenCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/lock")
def lock_cycle(meta: Meta, cycle: str, body: Plain = Plain()) -> LockCycle:
    """Lock a cycle for grading."""
    return LockCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/close")
def close_cycle(meta: Meta, cycle: str, body: Plain = Plain()) -> CloseCycle:
    """Close a cycle; refused while one of its goals is draft or active."""
    return CloseCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/reopen")
def reopen_cycle(meta: Meta, cycle: str, body: Plain = Plain()) -> ReopenCycle:
    """Reopen a cycle. Needs a reason."""
    return ReopenCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/move-dates")
def move_cycle_dates(meta: Meta, cycle: str, body: CycleDates) -> MoveCycleDates:
    """Give a cycle other dates. Needs a reason."""
    return MoveCycleDates(meta, cycle=cycle, start=body.start, end=body.end)
