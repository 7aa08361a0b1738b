"""`GET /v1/objectives/{id}`: one objective whole."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from goal_ledger_edge.problems import Problem
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.before_it_existed import standing_at
from goal_ledger_history.gathering import Gathering, Ground
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.windows import Span
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import AnswerAtClocks, Instant, Number, Shape, answered, number, time
from goal_ledger_projection.api.objectives import owner_left
from goal_ledger_projection.api.routes import Found, QuestionRoute
from goal_ledger_projection.api.shown import Counted, KeyResultShape, LeftOut, LinkShape, ListedObjective
from goal_ledger_projection.api.streams import events_and_version
from goal_ledger_projection.api.texts import Text
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.context import Context


class ClosingShape(Shape):
    at: str
    event_id: str
    actor: str
    outcome: str
    grade: Number
    suggested: Number
    reason: str | None
    retrospective: str | None
    reopened: bool


class PolicyShape(Shape):
    time_zone: str
    on_track_points: str
    behind_points: str
    roll_up: str
    cadence_weeks: int
    anchor_weekday: int
    grace_days: int
    feeds_count_as_word: bool
    revisions: list[dict[str, Any]] = Field(description="The policy facts in force, the nearest scope first")


class Restated(Shape):
    score: Number
    score_committed: Number


class ObjectiveDetail(ListedObjective):
    description: str | None
    drafted_at: str
    cycle_start: Instant = Field(description="00:00 of the first local day")
    cycle_end: Instant = Field(description="00:00 after the last local day")
    last_check_in_at: Instant
    key_results: list[KeyResultShape]
    counted: list[Counted]
    left_out: list[LeftOut]
    counted_committed: list[Counted]
    left_out_committed: list[LeftOut]
    feeds_counted_twice: list[str]
    parents: list[LinkShape]
    children: list[LinkShape]
    closings: list[ClosingShape]
    restated: Restated | None = Field(
        description="Of a closed one: its score at the closing instant, as known now"
    )
    policy: PolicyShape
    paused_since: Instant = Field(description="It owes no words; null: it is not paused")
    carried_from: str | None
    carried_into: dict[str, Any] | None


class ObjectiveAnswer(AnswerAtClocks):
    objective: ObjectiveDetail


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/objectives/{id}", summary="One objective")
async def one(request: GoalsRequest, id: str) -> Found[ObjectiveAnswer]:
    """With key results, parts, links, closings, and what was counted and left out."""
    async with view_of(request) as view:
        return answered(request, view.clocks, {"objective": await _detail(view, id)})


async def standing_of(view: View, id: str) -> Standing:
    """How one objective stands, also before it existed. Problem 404."""
    found = await standing_at(await view.history(), id, view.moment)
    if found is None:
        raise Problem(404, "not_found", "There is no such objective here at these clocks.")
    return found


async def _detail(view: View, id: str) -> dict[str, Any]:
    standing = await standing_of(view, id)
    context = await view.context()
    body, moment = standing.goal.body, view.moment
    events, version = await events_and_version(
        view.snapshot, shown.evidence_seqs([standing]), f"objective/{id}", moment.known_to
    )
    parents = context.links_of(id, moment.known_to, moment.true_at)
    children = [
        *context.links_to(f"objective/{id}", moment.known_to, moment.true_at),
        *(
            link
            for one in standing.goal.key_results
            for link in context.links_to(f"key-result/{one.id}", moment.known_to, moment.true_at)
        ),
    ]
    return {
        **shown.summary(standing),
        "version": version,
        "owner_left": owner_left(context, standing),
        "confidence": number(standing.said.confidence),
        "last_check_in_at": time(standing.said.word.at),
        "description": body.get("description"),
        "drafted_at": body["drafted_at"],
        "cycle_start": time(standing.cycle.start) if standing.cycle else None,
        "cycle_end": time(standing.cycle.end) if standing.cycle else None,
        "key_results": [
            shown.key_result(standing, one, spans_of(context, standing, one), events)
            for one in (*standing.defined.key_results, *_added_with_values(standing))
        ],
        "counted": shown.counted(standing.amended.counted),
        "left_out": shown.left_out(standing.amended.left_out),
        "counted_committed": shown.counted(standing.as_committed.counted),
        "left_out_committed": shown.left_out(standing.as_committed.left_out),
        "feeds_counted_twice": list(standing.amended.feeds_twice),
        "parents": [shown.link(one) for one in parents],
        "children": [shown.link(one) for one in children],
        "closings": await _closings(view, body["closings"]),
        "restated": await _restated(view, standing),
        "policy": _policy(context, standing),
        "paused_since": next((time(one.start) for one in standing.goal.pauses if one.end is None), None),
        "carried_from": body.get("carried_from"),
        "carried_into": body.get("carried_into"),
    }


def _added_with_values(standing: Standing) -> list[KeyResult]:
    """The key results that did not exist yet and had values all the same."""
    scores = standing.amended.key_results
    return [
        one
        for one in standing.added_later
        if any(part.input.measured for part in scores[one.id].parts.values())
    ]


def spans_of(context: Context, standing: Standing, one: KeyResult) -> dict[str, Span]:
    """The windows of a key result's parts that have one."""
    ground = Ground(standing.goal.id, standing.moment, standing.cycle, standing.rules.time_zone)
    gathering = Gathering(context)
    return {name: gathering.span(part, ground) for name, part in one.parts.items() if part.window is not None}


async def _closings(view: View, closings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    texts = view.texts()
    written = [Text(one.get("retrospective"), one["event_id"], "/retrospective") for one in closings]
    await texts.look_up(written)
    return [
        {
            "at": one["at"],
            "event_id": one["event_id"],
            "actor": one["actor"],
            "outcome": one["outcome"],
            "grade": one.get("grade"),
            "suggested": one.get("suggested"),
            "reason": one.get("reason"),
            "retrospective": texts.open(text),
            "reopened": one.get("reopened_seq") is not None,
        }
        for one, text in zip(closings, written, strict=True)
    ]


async def _restated(view: View, standing: Standing) -> dict[str, Any] | None:
    """Of a closed one: the score at the closing instant, as known now."""
    if standing.goal.closing is None:
        return None
    id = standing.goal.id
    then = AsOf(standing.goal.closing.at, view.clocks.seq)
    again = (await (await view.history()).at(then, [id], unclosed=id))[id]
    return {
        "score": number(again.amended.score),
        "score_committed": number(again.as_committed.score),
    }


def _revisions(
    context: Context, objective: str, owner: str, known_to: int, true_at: datetime
) -> list[dict[str, Any]]:
    """Which policy facts were in force, the nearest first."""
    policies = context.policies(objective, owner, known_to, true_at)
    return [{"scope": scope, "revision": one.revision, "event_id": one.event_id} for scope, one in policies]


def _policy(context: Context, standing: Standing) -> dict[str, Any]:
    rules = dataclasses.asdict(standing.rules)
    written = {name: number(value) if isinstance(value, Decimal) else value for name, value in rules.items()}
    moment = standing.moment
    revisions = _revisions(context, standing.goal.id, standing.defined.owner, moment.known_to, moment.true_at)
    return {**written, "revisions": revisions}
