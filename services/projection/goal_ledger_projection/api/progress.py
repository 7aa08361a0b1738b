"""`GET /v1/key-results/{id}/progress`: how its value and score went over time, with the expected line.

Each point at `t` is what the same question would answer for (t, known_at): by the definition in effect at t, with late
reports and corrections in their place; while its objective is closed, the score that it keeps. There is a point at both
edges of the period and wherever something changed between them (`progress_times.py`); if that is too many, evenly
spaced ones, of very many readings evenly in time, and the answer says how many were left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.before_it_existed import unscored
from goal_ledger_history.commitment import completed, lacks_baseline
from goal_ledger_history.gathering import Gathering, Ground
from goal_ledger_history.goals import Goal, KeyResult
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.expected import expected_score
from goal_ledger_scoring.inputs import KeyResultInput
from goal_ledger_scoring.key_result import score_key_result
from goal_ledger_scoring.results import KeyResultScore
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import AnswerAtClocks, Number, answered, number, time
from goal_ledger_projection.api.clocks import instant
from goal_ledger_projection.api.key_results import key_result_standing
from goal_ledger_projection.api.routes import Found, QuestionRoute
from goal_ledger_projection.api.shown import Scores
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.progress_times import (
    Subjects,
    beneath,
    changes_between,
    definitions_of,
    subjects,
)
from goal_ledger_projection.history.stretches import BEGINNING

POINTS_MAX = 1000
ALIGNED_POINTS_MAX = 30
"""Of a key result measured by other objectives: each point asks how all of those stood."""


class ProgressPoint(Scores):
    at: str
    raw: Number
    state: str
    expected: Number
    values: dict[str, Any] = Field(description="By part: the value, or the list of steps done")


class ProgressAnswer(AnswerAtClocks):
    key_result: str
    objective: str
    points: list[ProgressPoint] = Field(
        description="At both edges of the period and wherever something changed between them, or evenly spaced: "
        "by rank; of more than 2,000 readings by time"
    )
    thinned: bool = Field(description="There were more changes than points; some are left out")
    left_out: int = Field(
        description="How many changes have no point; of more than 2,000 readings each counts, those of one instant too"
    )


routes = APIRouter(tags=["key results"], route_class=QuestionRoute)


@routes.get("/v1/key-results/{id}/progress", summary="A key result over time")
async def progress(
    request: GoalsRequest,
    id: str,
    since: Annotated[
        str | None, Query(alias="from", max_length=40, description="Default: its first change")
    ] = None,
    until: Annotated[str | None, Query(alias="to", max_length=40, description="Default: as_of")] = None,
    points: Annotated[int, Query(ge=2, le=POINTS_MAX)] = 200,
) -> Found[ProgressAnswer]:
    """Its score and values over time, beside the expected line: at every change, or evenly spaced."""
    async with view_of(request) as view:
        standing, one = await key_result_standing(view, id)
        series = _Series(view, standing, one, points)
        start = None if since is None else instant(since, "from")
        end = view.moment.true_at if until is None else min(instant(until, "to"), view.moment.true_at)
        if start is not None and start > end:
            raise Problem(422, "dates_reversed", "The period ends before it begins.", field="from")
        found, left_out = await series.points(start, end)
        body = {
            "key_result": id,
            "objective": standing.goal.id,
            "points": found,
            "thinned": left_out > 0,
            "left_out": left_out,
        }
        return answered(request, view.clocks, body)


class _Series:
    def __init__(self, view: View, standing: Standing, one: KeyResult, limit: int) -> None:
        self._view, self._standing, self._one = view, standing, one
        self._limit = limit
        self._seq = view.moment.known_to

    async def points(self, start: datetime | None, end: datetime) -> tuple[list[dict[str, Any]], int]:
        """The points from `start` (None: from the first change) to `end`, and how many changes have none."""
        id = self._one.id
        self._defined = await self._definitions()
        definitions = [pair for pair in self._defined if pair[0].key_result(id) is not None]
        first, existed = definitions[0]
        aligned = any(one.is_aligned for goal, _ in definitions for one in goal.key_results if one.id == id)
        times, left_out = await self._times(await self._subjects(definitions, aligned), existed, start, end)
        early = await self._early(first, [at for at in times if at < existed])
        times = [at for at in times if at >= existed]
        if aligned:
            return early + [await self._of_aligned(at) for at in times], left_out
        self._since = {goal.seq: since for goal, since in definitions}
        return early + await self._of_parts([goal for goal, _ in definitions], times), left_out

    async def _definitions(self) -> list[tuple[Goal, datetime]]:
        view = self._view
        return await definitions_of(view.snapshot, view.goals, [self._standing.goal.id], self._seq)

    async def _subjects(self, definitions: Sequence[tuple[Goal, datetime]], aligned: bool) -> Subjects:
        context, id = await self._view.context(), self._one.id
        found = subjects(context, definitions, self._seq, id)
        if aligned:
            self._limit = min(self._limit, ALIGNED_POINTS_MAX)
            goals = self._view.goals
            others = await beneath(self._view.snapshot, goals, context, id, self._seq)
            found.add(subjects(context, others, self._seq))
        return found

    async def _times(
        self, of: Subjects, existed: datetime, start: datetime | None, end: datetime
    ) -> tuple[list[datetime], int]:
        edges = {end} if start is None else {start, end}
        between, left_out = await changes_between(
            self._view.snapshot, of, self._seq, existed, start or BEGINNING, end, self._limit - len(edges)
        )
        return sorted({*between, *edges}), left_out

    async def _of_parts(self, definitions: list[Goal], times: list[datetime]) -> list[dict[str, Any]]:
        """All points by one look-up: each part of each point asks for its value at its own moment."""
        context = await self._view.context()
        gathering = Gathering(context)
        in_effect = [self._in_effect(definitions, at) for at in times]
        committed = self._commitments(definitions, in_effect)
        wanted = [
            self._inputs(context, gathering, goal, committed.get(goal.seq), at)
            for goal, at in zip(in_effect, times, strict=True)
        ]
        await gathering.fetch((await self._view.history()).values)
        return [
            self._point(
                at,
                score_key_result(amended),
                None if committed is None else score_key_result(committed),
                expected,
            )
            for at, (amended, committed, expected) in zip(times, wanted, strict=True)
        ]

    async def _early(self, first: Goal, times: list[datetime]) -> list[dict[str, Any]]:
        """Values from before the key result existed, by its first definition and without a score."""
        one = first.key_result(self._one.id)
        if one is None or not times:
            return []
        context = await self._view.context()
        gathering = Gathering(context)
        grounds = [self._ground_before(context, at) for at in times]
        given = [gathering.key_result(one, ground, dropped=False) for ground in grounds]
        await gathering.fetch((await self._view.history()).values)
        return [
            self._point(at, unscored(it), None, expected_score(gathering.expected_span(one, ground), at))
            for at, it, ground in zip(times, given, grounds, strict=True)
        ]

    def _ground_before(self, context: Context, at: datetime) -> Ground:
        """By the objective's definition then; before it existed by its first, without a cycle."""
        goal = next((goal for goal, since in reversed(self._defined) if since <= at), None)
        of = goal or self._defined[0][0]
        zone = context.rules(of.id, of.owner, self._seq, at).time_zone
        cycle = None if goal is None else context.cycle_span(goal.cycle, self._seq, at, zone)
        return Ground(of.id, AsOf(at, self._seq), cycle, zone)

    def _in_effect(self, definitions: list[Goal], at: datetime) -> Goal:
        return next((goal for goal in reversed(definitions) if self._since[goal.seq] <= at), definitions[0])

    def _commitments(self, definitions: list[Goal], in_effect: list[Goal]) -> dict[int, Goal]:
        """The commitment as it was completed by each of these definitions, by their seq."""
        first = self._standing.committed
        if first is None:
            return {}
        committed = next((goal for goal in definitions if goal.seq == first.seq), first)
        lacks = lacks_baseline(committed)
        return {
            goal.seq: completed(committed, [one for one in definitions if first.seq < one.seq <= goal.seq])
            if lacks
            else committed
            for goal in {one.seq: one for one in in_effect}.values()
        }

    def _inputs(
        self, context: Context, gathering: Gathering, goal: Goal, committed: Goal | None, at: datetime
    ) -> tuple[KeyResultInput, KeyResultInput | None, Decimal | None]:
        """As amended, as committed, and the expected score."""
        closing = goal.closing
        moment = AsOf(at, self._seq) if closing is None else AsOf(closing.at, closing.seq)
        rules = context.rules(goal.id, goal.owner, moment.known_to, moment.true_at)
        cycle = context.cycle_span(goal.cycle, moment.known_to, moment.true_at, rules.time_zone)
        ground = Ground(goal.id, moment, cycle, rules.time_zone)
        one = goal.key_result(self._one.id)
        assert one is not None
        amended = gathering.key_result(one, ground, dropped=one.dropped)
        expected = expected_score(gathering.expected_span(one, ground), moment.true_at)
        then = None if committed is None else committed.key_result(self._one.id)
        if then is None or committed is None or committed.activated_seq is None or goal.activated_seq is None:
            return amended, None, expected
        span = context.cycle_span(committed.cycle, committed.activated_seq, None, rules.time_zone)
        return amended, gathering.key_result(then, replace(ground, cycle=span), dropped=False), expected

    async def _of_aligned(self, at: datetime) -> dict[str, Any]:
        id = self._standing.goal.id
        then = (await (await self._view.history()).at(AsOf(at, self._seq), [id]))[id]
        one = then.defined.key_result(self._one.id)
        assert one is not None
        committed = then.as_committed.key_results.get(one.id)
        return self._point(at, then.amended.key_results[one.id], committed, then.key_result(one).expected)

    def _point(
        self,
        at: datetime,
        amended: KeyResultScore,
        committed: KeyResultScore | None,
        expected: Decimal | None,
    ) -> dict[str, Any]:
        return {
            "at": time(at),
            "raw": number(amended.raw),
            **shown.scores(amended, committed),
            "state": amended.state,
            "expected": number(expected),
            "values": {name: shown.value(part.input) for name, part in amended.parts.items()},
        }
