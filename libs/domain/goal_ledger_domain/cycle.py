"""Cycles: local dates within which goals are pursued, from planned to closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import assert_never

from goal_ledger_contracts.cycle import (
    CycleClosed,
    CycleDatesMoved,
    CycleLocked,
    CycleOpened,
    CyclePlanned,
    CycleReopened,
)
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.zones import zone

from goal_ledger_domain import goal, text, times
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class PlanCycle:
    """Local dates, the end inclusive; within the dates of the parent cycle, if there is one."""

    meta: Meta
    cycle: str
    name: str
    start: date
    end: date
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class OpenCycle:
    meta: Meta
    cycle: str


@dataclass(frozen=True, slots=True)
class LockCycle:
    meta: Meta
    cycle: str


@dataclass(frozen=True, slots=True)
class CloseCycle:
    """Only when none of its goals is draft or active."""

    meta: Meta
    cycle: str


@dataclass(frozen=True, slots=True)
class ReopenCycle:
    """A closed or locked cycle is open again."""

    meta: Meta
    cycle: str


@dataclass(frozen=True, slots=True)
class MoveCycleDates:
    meta: Meta
    cycle: str
    start: date
    end: date


_Command = PlanCycle | OpenCycle | LockCycle | CloseCycle | ReopenCycle | MoveCycleDates


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """What a cycle is in every state."""

    name: str
    start: date
    end: date
    parent: str | None
    planned: CyclePlanned
    last_effective_at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    plan: CyclePlan


@dataclass(frozen=True, slots=True)
class Open:
    plan: CyclePlan


@dataclass(frozen=True, slots=True)
class Locked:
    """Locked for grading: what is effective from ``locked_at`` on needs an admin."""

    plan: CyclePlan
    locked_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    plan: CyclePlan
    closed_at: datetime


Cycle = Planned | Open | Locked | Closed


def cycle(world: World, id: str, field: str = "cycle") -> Cycle:
    """Refuses ``unknown_cycle``."""
    found: Cycle | None = world.get("cycle", id)
    if found is None:
        raise Refusal("unknown_cycle", f"There is no cycle {id[:64]}.", field=field)
    return found


def cycle_state(world: World, id: str | None) -> Cycle | None:
    """The cycle's state; None for no cycle, or an unknown one."""
    found: Cycle | None = None if id is None else world.get("cycle", id)
    return found


def span(plan: CyclePlan, time_zone: str) -> tuple[datetime, datetime]:
    """The local dates as instants: from 00:00 of the first day until 00:00 after the last."""
    where = zone(time_zone)
    first, after = plan.start, plan.end + timedelta(1)
    return tuple(datetime.combine(day, time(), where).astimezone(UTC) for day in (first, after))  # type: ignore[return-value]


def need_open(world: World, id: str, field: str = "cycle") -> Open:
    """Refuses ``unknown_cycle``, ``cycle_not_open``, ``cycle_locked`` and ``cycle_closed``."""
    match cycle(world, id, field):
        case Planned():
            raise _not_open(id)
        case Locked():
            raise _locked(id)
        case Closed():
            raise _closed(id)
        case Open() as found:
            return found


def evolve(world: World, fact: Fact) -> None:
    id, at, data = fact.stream_id, fact.effective_at, fact.data
    if isinstance(data, CyclePlanned):
        world.put("cycle", id, Planned(CyclePlan(data.name, data.start, data.end, data.parent, data, at)))
        return
    before: Cycle = world.get("cycle", id)
    plan = replace(before.plan, last_effective_at=at)
    match data:
        case CycleOpened() | CycleReopened():
            world.put("cycle", id, Open(plan))
        case CycleLocked():
            world.put("cycle", id, Locked(plan, at))
        case CycleClosed():
            world.put("cycle", id, Closed(plan, at))
        case CycleDatesMoved(start, end):
            world.put("cycle", id, replace(before, plan=replace(plan, start=start, end=end)))


def _change(command: _Command, before: Cycle, data: FactData, situation: Situation) -> Decision:
    stream = f"cycle/{command.cycle}"
    changed = draft(command.meta, situation, stream, data, after=before.plan.last_effective_at)
    return Decision(command.cycle, stream, (changed,))


def _same(command: _Command) -> Decision:
    return nothing_new(command.cycle, f"cycle/{command.cycle}")


def _plan(world: World, command: PlanCycle, situation: Situation) -> Decision:
    stream = f"cycle/{text.id_of(command.cycle, 'cycle')}"
    data = CyclePlanned(text.line(command.name, "name"), command.start, command.end, command.parent)
    present = cycle_state(world, command.cycle)
    if present is not None:
        now = present.plan
        if data in (now.planned, CyclePlanned(now.name, now.start, now.end, now.parent)):
            return _same(command)
        raise Refusal("id_taken", f"There is another cycle {command.cycle}.", field="cycle")
    _need_order(command.start, command.end)
    if command.parent is not None:
        _need_within(world, command.parent, command.start, command.end)
    return Decision(command.cycle, stream, (draft(command.meta, situation, stream, data, after=None),))


def _open(world: World, command: OpenCycle, situation: Situation) -> Decision:
    before = cycle(world, command.cycle)
    match before:
        case Planned():
            return _change(command, before, CycleOpened(), situation)
        case Open():
            return _same(command)
        case Locked():
            raise _locked(command.cycle)
        case Closed():
            raise _closed(command.cycle)
        case _:
            assert_never(before)


def _lock(world: World, command: LockCycle, situation: Situation) -> Decision:
    before = cycle(world, command.cycle)
    match before:
        case Planned():
            raise _not_open(command.cycle)
        case Open():
            return _change(command, before, CycleLocked(), situation)
        case Locked():
            return _same(command)
        case Closed():
            raise _closed(command.cycle)
        case _:
            assert_never(before)


def _close(world: World, command: CloseCycle, situation: Situation) -> Decision:
    before = cycle(world, command.cycle)
    match before:
        case Planned():
            raise _not_open(command.cycle)
        case Open() | Locked():
            _need_goals_ended(world, command.cycle)
            return _change(command, before, CycleClosed(), situation)
        case Closed():
            return _same(command)
        case _:
            assert_never(before)


def _reopen(world: World, command: ReopenCycle, situation: Situation) -> Decision:
    before = cycle(world, command.cycle)
    match before:
        case Planned():
            raise _not_open(command.cycle)
        case Open():
            return _same(command)
        case Locked() | Closed():
            need_reason(command.meta, "reopening a cycle")
            return _change(command, before, CycleReopened(), situation)
        case _:
            assert_never(before)


def _move_dates(world: World, command: MoveCycleDates, situation: Situation) -> Decision:
    before = cycle(world, command.cycle)
    if (before.plan.start, before.plan.end) == (command.start, command.end):
        return _same(command)
    if isinstance(before, Closed):
        raise _closed(command.cycle)
    _need_order(command.start, command.end)
    if before.plan.parent is not None:
        _need_within(world, before.plan.parent, command.start, command.end)
    _need_around(world, command)
    need_reason(command.meta, "moving the dates of a cycle")
    return _change(command, before, CycleDatesMoved(command.start, command.end), situation)


def _not_open(id: str) -> Refusal:
    return Refusal("cycle_not_open", f"The cycle {id} is planned: open it first.", field="cycle")


def _locked(id: str) -> Refusal:
    return Refusal("cycle_locked", f"The cycle {id} is locked: reopen it.", field="cycle")


def _closed(id: str) -> Refusal:
    return Refusal("cycle_closed", f"The cycle {id} is closed.", field="cycle")


def _need_order(start: date, end: date) -> None:
    times.day(start, "start")
    times.day(end, "end")
    if end < start:
        raise Refusal("dates_reversed", "The end lies before the start.", field="end")


def _need_within(world: World, parent: str, start: date, end: date) -> None:
    above = cycle(world, parent, "parent")
    if isinstance(above, Closed):
        raise Refusal("cycle_closed", f"The parent cycle {parent} is closed.", field="parent")
    if start < above.plan.start or end > above.plan.end:
        raise Refusal(
            "cycle_outside_parent",
            f"The parent cycle {parent} runs from {above.plan.start} to {above.plan.end}.",
            field="start" if start < above.plan.start else "end",
        )


def _need_around(world: World, command: MoveCycleDates) -> None:
    """The cycles below must stay within the new dates."""
    outside = sorted(
        id
        for id, state in world.all("cycle")
        if state.plan.parent == command.cycle
        and (state.plan.start < command.start or state.plan.end > command.end)
    )
    if outside:
        raise Refusal(
            "cycle_outside_parent",
            f"The cycles below would lie outside: {', '.join(outside[:5])}.",
            field="start",
            cycles=outside,
        )


def _need_goals_ended(world: World, id: str) -> None:
    going_on = sorted(
        objective
        for objective, state in world.all("objective")
        if isinstance(state, goal.Drafted | goal.Active) and state.goal.cycle == id
    )
    if going_on:
        raise Refusal(
            "cycle_has_goals",
            f"{len(going_on)} of its goals are drafts or active: {', '.join(going_on[:5])}"
            f"{' …' if len(going_on) > 5 else ''}.",
            objectives=going_on,
        )


DECIDER = Decider(
    commands={
        PlanCycle: Rule(_plan, may=Permission.ORGANISE, on=WORKSPACE, shows="cycle", creates=True),
        OpenCycle: Rule(_open, may=Permission.ORGANISE, on=WORKSPACE, shows="cycle"),
        LockCycle: Rule(_lock, may=Permission.ORGANISE, on=WORKSPACE, shows="cycle"),
        CloseCycle: Rule(_close, may=Permission.ORGANISE, on=WORKSPACE, shows="cycle"),
        ReopenCycle: Rule(_reopen, may=Permission.ORGANISE, on=WORKSPACE, shows="cycle"),
        MoveCycleDates: Rule(_move_dates, may=Permission.ORGANISE, on=WORKSPACE, shows="cycle"),
    },
    folds=dict.fromkeys(
        (
            CyclePlanned,
            CycleOpened,
            CycleLocked,
            CycleClosed,
            CycleReopened,
            CycleDatesMoved,
        ),
        evolve,
    ),
)
