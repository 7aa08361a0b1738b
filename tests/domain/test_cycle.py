"""Cycles: planned, open, locked, closed, open again; dates moved."""

from datetime import date
from typing import Any

import pytest
from goal_ledger_contracts.cycle import (
    CycleClosed,
    CycleDatesMoved,
    CycleLocked,
    CycleOpened,
    CyclePlanned,
    CycleReopened,
)
from goal_ledger_contracts.objective import ObjectiveActivated, ObjectiveClosed, ObjectiveDrafted
from goal_ledger_domain.cycle import (
    CloseCycle,
    LockCycle,
    MoveCycleDates,
    OpenCycle,
    PlanCycle,
    ReopenCycle,
)
from support.given_when_then import Record, given, meta, on

R = meta(reason="A goal was forgotten")
YEAR = CyclePlanned("2026", date(2026, 1, 1), date(2026, 12, 31))
Q1 = CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31), "y26")
STATES = {
    "planned": [],
    "open": [CycleOpened()],
    "locked": [CycleOpened(), CycleLocked()],
    "closed": [CycleOpened(), CycleLocked(), CycleClosed()],
}


def quarter(state: str = "planned") -> Record:
    return given(on("cycle/y26", YEAR), on("cycle/q1", Q1, *STATES[state]))


def plan(**changed: object) -> PlanCycle:
    return PlanCycle(
        **{
            "meta": meta(),
            "cycle": "q2",
            "name": "Q2",
            "start": date(2026, 4, 1),
            "end": date(2026, 6, 30),
            "parent": "y26",
        }
        | changed
    )


def test_a_cycle_is_planned_within_its_parent() -> None:
    quarter().when(plan()).then(CyclePlanned("Q2", date(2026, 4, 1), date(2026, 6, 30), "y26"))
    quarter().when(plan(end=date(2027, 1, 1))).then_refused("cycle_outside_parent", "end")
    quarter().when(plan(start=date(2025, 12, 31))).then_refused("cycle_outside_parent", "start")
    quarter().when(plan(parent="none")).then_refused("unknown_cycle", "parent")
    quarter().when(plan(end=date(2026, 3, 31))).then_refused("dates_reversed", "end")
    quarter().when(plan(end=date(3000, 1, 1))).then_refused("time_out_of_range", "end")
    quarter().when(plan(start=date(1, 1, 1))).then_refused("time_out_of_range", "start")
    quarter().when(plan(cycle="q/2")).then_refused("id_malformed", "cycle")
    quarter().when(plan(start=date(2026, 6, 30))).then(
        CyclePlanned("Q2", date(2026, 6, 30), date(2026, 6, 30), "y26")
    )


def test_planned_again_alike_it_is_nothing_new_and_otherwise_taken() -> None:
    same = plan(cycle="q1", name="Q1", start=Q1.start, end=Q1.end)
    quarter().when(same).then_nothing_new()
    quarter("closed").when(same).then_nothing_new()
    quarter().when(plan(cycle="q1")).then_refused("id_taken", "cycle")


def test_nothing_is_planned_under_a_closed_cycle() -> None:
    closed = given(on("cycle/y26", YEAR, CycleOpened(), CycleClosed()))
    closed.when(plan()).then_refused("cycle_closed", "parent")


SAME = "nothing new"


@pytest.mark.parametrize(
    ("command", "outcomes"),
    [
        (OpenCycle, [CycleOpened(), SAME, "cycle_locked", "cycle_closed"]),
        (LockCycle, ["cycle_not_open", CycleLocked(), SAME, "cycle_closed"]),
        (CloseCycle, ["cycle_not_open", CycleClosed(), CycleClosed(), SAME]),
        (ReopenCycle, ["cycle_not_open", SAME, CycleReopened(), CycleReopened()]),
    ],
)
def test_every_step_in_every_state(command: Any, outcomes: list[Any]) -> None:
    for state, outcome in zip(STATES, outcomes, strict=True):
        answer = quarter(state).when(command(R, "q1"))
        if outcome == SAME:
            answer.then_nothing_new()
        elif isinstance(outcome, str):
            answer.then_refused(outcome)
        else:
            answer.then(outcome)


def test_reopening_needs_a_reason() -> None:
    quarter("closed").when(ReopenCycle(meta(), "q1")).then_refused("reason_required")


@pytest.mark.parametrize("command", [OpenCycle, LockCycle, CloseCycle, ReopenCycle])
def test_an_unknown_cycle_is_refused(command: Any) -> None:
    quarter().when(command(R, "none")).then_refused("unknown_cycle", "cycle")


def test_a_cycle_closes_only_when_none_of_its_goals_is_draft_or_active() -> None:
    goals = [
        on("objective/o1", ObjectiveDrafted("A", "person/ada", cycle="q1")),
        on("objective/o2", ObjectiveDrafted("B", "person/ada", cycle="q1"), ObjectiveActivated()),
        on("objective/o3", ObjectiveDrafted("C", "person/ada", cycle="y26"), ObjectiveActivated()),
        on("objective/o4", ObjectiveDrafted("D", "person/ada", cycle="q1"), ObjectiveClosed("dropped")),
    ]
    record = quarter("locked").given(*goals)
    refusal = record.when(CloseCycle(meta(), "q1")).then_refused("cycle_has_goals")
    assert refusal.details["objectives"] == ["o1", "o2"]
    ended = quarter("locked").given(goals[2], goals[3])
    ended.when(CloseCycle(meta(), "q1")).then(CycleClosed())


def test_dates_are_moved_with_a_reason_within_the_parent_and_around_those_below() -> None:
    first, last = date(2026, 1, 1), date(2026, 4, 15)
    quarter("open").when(MoveCycleDates(R, "q1", first, last)).then(CycleDatesMoved(first, last))
    quarter().when(MoveCycleDates(meta(), "q1", first, last)).then_refused("reason_required")
    quarter().when(MoveCycleDates(meta(), "q1", Q1.start, Q1.end)).then_nothing_new()
    quarter().when(MoveCycleDates(R, "q1", last, first)).then_refused("dates_reversed", "end")
    quarter().when(MoveCycleDates(R, "q1", first, date(2027, 2, 1))).then_refused(
        "cycle_outside_parent", "end"
    )
    quarter("closed").when(MoveCycleDates(R, "q1", first, last)).then_refused("cycle_closed", "cycle")
    refusal = quarter().when(MoveCycleDates(R, "y26", date(2026, 2, 1), date(2026, 12, 31)))
    assert refusal.then_refused("cycle_outside_parent").details["cycles"] == ["q1"]
