"""`GET /v1/objectives/{id}/explain`, `GET /v1/key-results/{id}/explain`: how a number came about, down to the facts."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_history.explain import GOALS_MAX, TooManyGoals, explain_key_result, explain_objective
from goal_ledger_history.explanation import Explanation, KeyResultNode, ObjectiveNode
from goal_ledger_scoring import CALCULATION as FORMULAS
from pydantic import Field

from goal_ledger_projection.api import cited, shown
from goal_ledger_projection.api.answers import AnswerAtClocks, Instant, Number, Shape, answered
from goal_ledger_projection.api.cited import CitedFact
from goal_ledger_projection.api.key_results import key_result_standing
from goal_ledger_projection.api.objective import standing_of
from goal_ledger_projection.api.routes import Found, QuestionRoute
from goal_ledger_projection.api.shown import Scores
from goal_ledger_projection.api.view import GoalsRequest, View, view_of

Json = dict[str, Any]
EventId = str | None
"""Of one of the answer's `facts`."""


class QuotientShape(Shape):
    numerator: str
    denominator: str
    rounded: bool = Field(description="The quotient has more than 12 places; it was rounded once, half-even")


class CountedChild(Shape):
    ref: str = Field(description="key-result/<id> or objective/<id>")
    node: int | None = Field(description="null: deeper than `depth`; ask it how it came about")
    weight: str
    weight_by: EventId
    score: str


class ChildLeftOut(Shape):
    ref: str
    node: int | None
    why: str = Field(description="As in `left_out` of an objective")
    because: EventId = Field(description="The fact that makes it so, where it is one")


class PolicyCited(Shape):
    scope: str
    set_by: str


class ExplainedObjective(Shape):
    kind: Literal["objective"]
    objective: str
    side: str = Field(description="amended or committed")
    true_at: str = Field(description="What it is scored at; of a closed one the closing")
    known_to: str = Field(description="The position")
    score: Number
    defined_by: str = Field(description="The last fact of the definition that it is scored by")
    kept_by: EventId = Field(description="The closing since which it keeps its score")
    roll_up: str
    policies: list[PolicyCited] = Field(description="In force, the nearest first")
    formula: str
    quotient: QuotientShape | None
    counted: list[CountedChild]
    left_out: list[ChildLeftOut]


class WindowShape(Shape):
    start: Instant
    end: Instant
    moment: str | None
    waiting_for: str | None
    moment_by: EventId


class ReadingBehind(Shape):
    role: str = Field(description="last, first, before (the stretch), max, min or counted")
    time: str
    value: str
    recorded_by: str
    counts_from: EventId = Field(description="Its release, where it was quarantined")


class StretchShape(Shape):
    start: Instant
    end: Instant
    unit: str | None
    base: Number = Field(description="What a restarted counter counts from")
    count: int | None = Field(description="Of all its readings, where the value depends on all")
    total: Number
    readings: list[ReadingBehind] = Field(
        description="Those that decide; of a mean, sum or count the newest 20"
    )


class FedShape(Shape):
    feed: str
    aggregation: str
    bound_by: str
    defined_by: list[str]
    stretches: list[StretchShape] = Field(description="One for each definition of the feed in the span")


class ExplainedPart(Shape):
    part: str
    formula: str
    unit: str | None
    value: Number = Field(description="A mean is shown with 6 places; exactly it is total / count")
    done: list[str] | None
    value_at: Instant
    said_by: list[str] = Field(description="The check-in that it was said in")
    passed_over: bool = Field(description="A later value is under another unit or kind")
    window: WindowShape | None
    fed: FedShape | None
    raw: Number
    score: Number
    clamped: bool
    state: str
    zone: str | None
    within_risk: bool
    quotient: QuotientShape | None


class ExplainedKeyResult(Shape):
    kind: Literal["key_result"]
    key_result: str
    objective: str
    formula: str
    measure: Json = Field(description="As the facts state it; a commitment's with the baselines found later")
    measure_by: str
    baseline_by: list[str] = Field(description="What found the baselines that the commitment lacked")
    raw: Number
    score: Number
    beyond: Number
    clamped: bool
    reached: bool | None
    mean: Number
    bottleneck: str | None
    state: str
    quotient: QuotientShape | None
    parts: list[ExplainedPart]
    counted: list[CountedChild]
    left_out: list[ChildLeftOut]


class FeedBehind(Shape):
    feed: str
    last_at: Instant
    interval: str | None


class StatusOfShape(Shape):
    ref: str
    status: str


class ExplainedStatus(Shape):
    shown: str
    decided_by: str = Field(
        description="The first rule that held: closed, outdated, stated, computed, pending; of an objective that was not "
        "spoken of worst_of_key_results"
    )
    at: str
    closed_by: EventId
    stated: str | None
    stated_at: Instant
    stated_by: EventId
    last_check_in_at: Instant
    last_check_in_by: EventId
    active_since: Instant
    last_due_ends: str
    owed_since: str = Field(description="A check-in since then meets the last due date whose grace is over")
    owed_ends: str
    outdated: bool
    fresh: bool | None
    feeds: list[FeedBehind]
    computed: str | None
    start: Instant = Field(description="expected = (at - start) / (end - start)")
    end: Instant
    cycle_by: EventId
    expected: Number
    score: Number
    gap: Number = Field(description="(expected - score) x 100")
    within_risk: bool
    on_track_points: str
    behind_points: str
    policies: list[PolicyCited]
    key_results: list[StatusOfShape]


class ExplainAnswer(AnswerAtClocks, Scores):
    ref: str
    formulas: str = Field(description="The version of the formulas")
    amended: int = Field(description="The node that the score is: its place in `nodes`")
    committed: int | None
    status: ExplainedStatus
    nodes: list[ExplainedObjective | ExplainedKeyResult] = Field(
        description="What it depends on; each names those beneath it by their place"
    )
    facts: list[CitedFact] = Field(description="All facts that are named, by seq")


Depth = Annotated[
    int,
    Query(
        ge=0,
        le=GOALS_MAX,
        description="So many levels of the objectives beneath are derived too (default: all); those further down stand "
        f"with their scores alone. At most {GOALS_MAX} objectives in all",
    ),
]

routes = APIRouter(route_class=QuestionRoute)


@routes.get(
    "/v1/objectives/{id}/explain",
    summary="How an objective's scores and status came about",
    tags=["objectives"],
)
async def objective(request: GoalsRequest, id: str, depth: Depth = GOALS_MAX) -> Found[ExplainAnswer]:
    """Its roll-up with every child, weight, value and policy, down to the facts; it adds up."""
    async with view_of(request) as view:
        standing = await standing_of(view, id)
        found = await _told(explain_objective(await view.history(), standing, depth))
        return answered(request, view.clocks, await _answer(view, f"objective/{id}", found))


@routes.get(
    "/v1/key-results/{id}/explain",
    summary="How a key result's scores and status came about",
    tags=["key results"],
)
async def key_result(request: GoalsRequest, id: str, depth: Depth = GOALS_MAX) -> Found[ExplainAnswer]:
    """Its formula, values, windows and readings, down to the facts; it adds up."""
    async with view_of(request) as view:
        standing, one = await key_result_standing(view, id)
        found = await _told(explain_key_result(await view.history(), standing, one, depth))
        return answered(request, view.clocks, await _answer(view, f"key-result/{id}", found))


async def _told(explaining: Awaitable[Explanation]) -> Explanation:
    """Problem 422 `too_many_goals`."""
    try:
        return await explaining
    except TooManyGoals:
        sentence = f"It rests on more than {GOALS_MAX:,} objectives: state a depth, or ask of one beneath it."
        raise Problem(422, "too_many_goals", sentence, field="depth", limit=GOALS_MAX) from None


async def _answer(view: View, ref: str, found: Explanation) -> Json:
    nodes = [_node(view, one) for one in found.nodes]
    status = cited.plain(found.status)
    facts = await cited.cited_facts(view.snapshot, cited.seqs_in([nodes, status]))
    return {
        "ref": ref,
        "formulas": FORMULAS,
        **shown.scores_of(found.score, found.score_committed),
        "amended": found.amended,
        "committed": found.committed,
        "status": cited.with_events(status, facts),
        "nodes": cited.with_events(nodes, facts),
        "facts": list(facts.values()),
    }


def _node(view: View, one: ObjectiveNode | KeyResultNode) -> Json:
    written: Json = cited.plain(one)
    if isinstance(one, ObjectiveNode):
        known_to = f"{view.clocks.known.epoch}-{one.known_to}"
        return {"kind": "objective", **written, "known_to": known_to}
    return {"kind": "key_result", **written}
