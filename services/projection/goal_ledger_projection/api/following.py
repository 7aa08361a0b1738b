"""Goals followed through their cycles, due date by due date: what habits, back-tests and calibration are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from goal_ledger_edge.problems import Problem
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.followed import HALF_PERCENT, TAIL_PERCENT, FollowedGoal, GoalSeen, percent_of, seen
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.cadence import between
from goal_ledger_scoring.windows import Span

from goal_ledger_projection.api.calendar_times import TICK
from goal_ledger_projection.api.choices import need_cycle, need_unit
from goal_ledger_projection.api.grid import CELLS_MAX
from goal_ledger_projection.api.view import View
from goal_ledger_projection.history.memberships import Memberships, memberships
from goal_ledger_projection.read_models.facts import SEQ_RECORDED_BY

Json = dict[str, Any]
OfCycle = Annotated[str | None, Query(max_length=64, description="Default: all closed cycles")]
OfUnit = Annotated[
    str | None, Query(max_length=64, description="It, the units beneath it, and the people in them")
]


@dataclass(frozen=True, slots=True)
class Followed:
    """``units_of``: those that an owner is in, and those above."""

    goals: Sequence[FollowedGoal]
    cycles: Sequence[str]
    units_of: Callable[[str], Sequence[str]]

    def by_unit(self) -> dict[str, list[FollowedGoal]]:
        """Units before people: a person's goal counts in the units that the person is in."""
        found: dict[str, list[FollowedGoal]] = {}
        for one in self.goals:
            for unit in self.units_of(one.goal.owner):
                found.setdefault(unit, []).append(one)
        return dict(sorted(found.items()))

    def by_cycle(self) -> dict[str, list[FollowedGoal]]:
        return {cycle: [one for one in self.goals if one.goal.cycle == cycle] for cycle in self.cycles}


async def followed(view: View, cycle: str | None, unit: str | None) -> Followed:
    """The goals of a cycle, or of all that are closed. Problems 422 `choice_unknown`, `too_many_cells`."""
    await need_cycle(view, cycle)
    await need_unit(view, unit)
    context, at = await view.context(), view.moment
    closed = [
        id for id, _, body in context.all("cycle", at.known_to, at.true_at) if body["stage"] == "closed"
    ]
    cycles = sorted(closed) if cycle is None else [cycle]
    groups = await memberships(view.snapshot, context, [at.true_at], at.known_to)
    tree = await view.trees.whole(view.snapshot, at)
    there = [one for _, one in sorted(tree.standings.items()) if _is_within(groups, one, unit)]
    watched = [await _watched(view, id) for id in cycles]
    _need_few(there, watched)
    goals = [goal for one in watched for goal in await _of_cycle(view, there, one)]
    return Followed(goals, cycles, lambda owner: _units(groups, owner))


def _units(groups: Memberships, owner: str) -> list[str]:
    return [one.removeprefix("unit/") for one in groups.groups_of(owner, 0) if one.startswith("unit/")]


def _is_within(groups: Memberships, standing: Standing, unit: str | None) -> bool:
    wanted = None if unit is None else unit.removeprefix("unit/")
    return wanted is None or wanted in _units(groups, standing.goal.owner)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A cycle, and the instants up to now at which its goals are looked at: whether each is a due date."""

    cycle: str
    span: Span
    times: dict[datetime, bool]


def _need_few(there: Sequence[Standing], watched: Iterable[_Watched]) -> None:
    cells = sum(sum(one.goal.cycle == of.cycle for one in there) * len(of.times) for of in watched)
    if cells > CELLS_MAX:
        sentence = f"Goals times due dates are {cells}, and {CELLS_MAX} are the most: name a cycle or a unit."
        raise Problem(422, "too_many_cells", sentence, field="cycle", limit=CELLS_MAX)


async def _watched(view: View, cycle: str) -> _Watched:
    context, at = await view.context(), view.moment
    zone = context.time_zone(at.known_to, at.true_at)
    span = context.cycle_span(cycle, at.known_to, at.true_at, zone)
    if span is None or span.start is None or span.end is None:
        return _Watched(cycle, Span(), {})
    rules = context.workspace_rules(at.known_to, at.true_at)
    marks = [percent_of(span, HALF_PERCENT), percent_of(span, TAIL_PERCENT), span.end]
    times = {one - TICK: False for one in marks}
    times |= {due.ends - TICK: True for due in between(rules, span.start, span.end)}
    return _Watched(cycle, span, {time: times[time] for time in sorted(times) if time <= at.true_at})


async def _of_cycle(view: View, there: Sequence[Standing], of: _Watched) -> list[FollowedGoal]:
    history, goals = await view.history(), [one for one in there if one.goal.cycle == of.cycle]
    kept: dict[str, list[GoalSeen]] = {one.goal.id: [] for one in goals}
    for time, is_due in of.times.items() if goals else ():
        row = await view.snapshot.first(SEQ_RECORDED_BY, time)
        known = min(view.clocks.seq, 0 if row is None else int(row[0]))
        for id, standing in (await history.at(AsOf(time, known), list(kept))).items():
            if (one := seen(standing, time, is_due)) is not None:
                kept[id].append(one)
    return [_followed(one, of.span, kept[one.goal.id]) for one in goals]


def _followed(standing: Standing, span: Span, many: Sequence[GoalSeen]) -> FollowedGoal:
    """What is known now to lie after its closing does not count, although it was seen as active then."""
    closing = standing.goal.closing
    kept = [one for one in many if closing is None or one.at < closing.at]
    reached = {id: one.reached for id, one in standing.amended.key_results.items()}
    return FollowedGoal(standing.goal, standing.rules, span, kept, reached)
