"""`GET /v1/back-test`: a status policy tried over closed cycles: how often and how early it would have warned."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.back_test import VERDICTS, BackTest, TriedGoal, TriedPolicy, summed_up, tried
from goal_ledger_history.explanation import Cited
from goal_ledger_history.followed import FollowedGoal
from pydantic import Field

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.answers import AnswerAtClocks, Instant, Number, Shape, answered, number, time
from goal_ledger_projection.api.following import Json, OfCycle, OfUnit, followed
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, view_of

Points = Annotated[
    Decimal | None,
    Query(ge=0, le=100, max_digits=9, decimal_places=6, description="Default: as set for each goal"),
]
_SHORT = {"missed": ("missed",), "missed_or_partial": ("missed", "partial")}


class VerdictCounts(Shape):
    true_positive: int = Field(description="Warned, and it fell short")
    false_positive: int = Field(description="Warned, and it did not")
    false_negative: int = Field(description="Not warned, and it fell short")
    true_negative: int


class BackTestSum(VerdictCounts):
    precision: Number = Field(description="Of the warnings those that were right; null: there were none")
    recall: Number = Field(description="Of the goals that fell short those that were warned of")
    mean_lead_days: Number = Field(description="From the first right warning to the closing")


class CycleBackTest(Shape):
    cycle: str
    tried: BackTestSum
    as_set: BackTestSum


class BackTestedGoal(Shape):
    objective: str
    cycle: str
    title: str
    outcome: str
    closed_at: str
    verdict: str = Field(json_schema_extra={"enum": list(VERDICTS)})
    warned_at: Instant = Field(description="The first due date with a warning")
    lead_days: int | None = Field(description="Whole days from there to the closing")
    facts: list[str] = Field(
        description="Event ids of the facts that it rests on: of the warning, and the closing"
    )
    verdict_as_set: str = Field(json_schema_extra={"enum": list(VERDICTS)})
    warned_at_as_set: Instant


class BackTestAnswer(AnswerAtClocks):
    on_track_points: Number = Field(description="As tried; null: as set")
    behind_points: Number
    warns: str
    short: str
    tried: BackTestSum
    as_set: BackTestSum = Field(description="Under the policies that were in force at the closings")
    cycles: list[CycleBackTest]
    items: list[BackTestedGoal] = Field(description="By cycle and id")


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/back-test", summary="A status policy tried over closed cycles")
async def back_test(
    request: GoalsRequest,
    on_track_points: Points = None,
    behind_points: Points = None,
    warns: Annotated[Literal["at_risk", "behind"], Query(description="behind: that too")] = "at_risk",
    short: Annotated[
        Literal["missed", "missed_or_partial"], Query(description="What falls short")
    ] = "missed_or_partial",
    cycle: OfCycle = None,
    unit: OfUnit = None,
) -> Answers[BackTestAnswer]:
    """The computed status at each due date, by what was known then, against what became of the goals."""
    if on_track_points is not None and behind_points is not None and behind_points < on_track_points:
        raise Problem(422, "bands_reversed", "behind_points is below on_track_points.", field="behind_points")
    async with view_of(request) as view:
        found = await followed(view, cycle, unit)
        many = [one for one in found.goals if one.is_judged]
        policy = TriedPolicy(on_track_points, behind_points)
        pairs = [
            tuple(tried(one, of, warns, _SHORT[short]) for of in (policy, TriedPolicy())) for one in many
        ]
        items = [_item(*pair) for pair in pairs]
        facts = await cited.cited_facts(view.snapshot, cited.seqs_in(items))
        body = {
            "on_track_points": number(on_track_points),
            "behind_points": number(behind_points),
            "warns": warns,
            "short": short,
            **_sums(pairs),
            "cycles": [
                {"cycle": id, **_sums([pair for pair in pairs if pair[0].followed.goal.cycle == id])}
                for id in found.cycles
            ],
            "items": cited.with_events(items, facts),
        }
        return answered(request, view.clocks, body)


def _sums(pairs: Sequence[tuple[TriedGoal, ...]]) -> Json:
    return {
        "tried": _sum(summed_up(one for one, _ in pairs)),
        "as_set": _sum(summed_up(one for _, one in pairs)),
    }


def _sum(found: BackTest) -> Json:
    shares = {name: number(getattr(found, name)) for name in ("precision", "recall", "mean_lead_days")}
    return {**found.counts, **shares}


def _item(one: TriedGoal, as_set: TriedGoal) -> Json:
    goal: FollowedGoal = one.followed
    closing = goal.goal.closing
    assert closing is not None
    return {
        "objective": goal.goal.id,
        "cycle": goal.goal.cycle,
        "title": goal.goal.body["title"],
        "outcome": closing.outcome,
        "closed_at": time(closing.at),
        "verdict": one.verdict,
        "warned_at": time(one.warned_at),
        "lead_days": one.lead_days,
        "facts": [Cited(seq) for seq in sorted({*one.facts, closing.seq})],
        "verdict_as_set": as_set.verdict,
        "warned_at_as_set": time(as_set.warned_at),
    }
