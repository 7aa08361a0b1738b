"""Cycles: planned, opened, locked for grading, closed."""

from __future__ import annotations

from goal_ledger_command.api.declare import Commands
from goal_ledger_command.api.values import Body, Id, LocalDate, NewId, Plain, new_id
from goal_ledger_domain.command import Meta
from goal_ledger_domain.cycle import CloseCycle, LockCycle, MoveCycleDates, OpenCycle, PlanCycle, ReopenCycle
from pydantic import Field

commands = Commands("cycles")


class NewCycle(Body):
    id: NewId
    name: str = Field(examples=["Q4 2026"])
    start: LocalDate
    end: LocalDate = Field(description="Inclusive, in the workspace's time zone")
    parent: Id | None = None


class CycleDates(Body):
    start: LocalDate
    end: LocalDate


@commands.post("/v1/cycles", creates="/v1/cycles/{id}", cycle="id")
def plan_cycle(meta: Meta, body: NewCycle) -> PlanCycle:
    """Plan a cycle."""
    return PlanCycle(
        meta, cycle=new_id(body.id), name=body.name, start=body.start, end=body.end, parent=body.parent
    )


@commands.post("/v1/cycles/{cycle}/open")
def open_cycle(meta: Meta, cycle: str, body: Plain) -> OpenCycle:
    """Open a cycle."""
    return OpenCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/lock")
def lock_cycle(meta: Meta, cycle: str, body: Plain) -> LockCycle:
    """Lock a cycle for grading."""
    return LockCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/close")
def close_cycle(meta: Meta, cycle: str, body: Plain) -> CloseCycle:
    """Close a cycle; refused while one of its goals is draft or active."""
    return CloseCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/reopen")
def reopen_cycle(meta: Meta, cycle: str, body: Plain) -> ReopenCycle:
    """Reopen a cycle. Needs a reason."""
    return ReopenCycle(meta, cycle=cycle)


@commands.post("/v1/cycles/{cycle}/move-dates")
def move_cycle_dates(meta: Meta, cycle: str, body: CycleDates) -> MoveCycleDates:
    """Give a cycle other dates. Needs a reason."""
    return MoveCycleDates(meta, cycle=cycle, start=body.start, end=body.end)
