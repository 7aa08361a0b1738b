"""`GET /v1/cycles/{id}/summary`: what a cycle came to: outcomes, grades, scores, what was carried over, who took part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from goal_ledger_history.participation import Tally
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.numbers import ZERO, add, multiply, quotient
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Number, Shape, answered, number
from goal_ledger_projection.api.choices import OUTCOMES, STATES, STATUSES
from goal_ledger_projection.api.lists import Json, not_found
from goal_ledger_projection.api.participation import Periods, TallyShape, tallied, tally_shape
from goal_ledger_projection.api.routes import Found, QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of

BANDS = 10
WHOLE_CYCLE_WEEKS = 5_200


class SpreadShape(Shape):
    many: int = Field(description="How many have one")
    mean: Number = Field(description="Their plain mean; null: none has one")
    bands: list[int] = Field(
        description=f"How many lie in each of {BANDS} equal bands from 0 to 1; the last includes 1"
    )


class CarriedShape(Shape):
    objective: str
    into: str = Field(description="The objective that continues it")
    cycle: str | None = Field(description="In which that was put")


class CycleSummary(Shape):
    id: str
    name: str
    stage: str
    start: str
    end: str
    objectives: int
    states: dict[str, int] = Field(description=", ".join(STATES))
    outcomes: dict[str, int] = Field(description=", ".join(OUTCOMES))
    statuses: dict[str, int] = Field(description="As shown")
    scores: SpreadShape = Field(description="As amended; a closed goal's is that at its closing")
    scores_committed: SpreadShape
    grades: SpreadShape = Field(description="What people gave at the closing")
    carried_in: int = Field(description="Objectives that continue one of an earlier cycle")
    carried_over: list[CarriedShape] = Field(description="Objectives that are continued elsewhere, by id")
    participation: TallyShape = Field(description="Of the due dates within the cycle, as /v1/participation")


class CycleSummaryAnswer(AnswerAtClocks):
    summary: CycleSummary


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/cycles/{id}/summary", summary="What a cycle came to")
async def summary(request: GoalsRequest, id: str) -> Found[CycleSummaryAnswer]:
    """The objectives that are in the cycle at the moment, summed up."""
    async with view_of(request) as view:
        return answered(request, view.clocks, {"summary": await summed_up(view, id)})


async def summed_up(view: View, id: str) -> Json:
    """The members of :class:`CycleSummary`. Problem 404."""
    context, at = await view.context(), view.moment
    cycle = context.body("cycle", id, at.known_to, at.true_at)
    if cycle is None:
        raise not_found("cycle")
    tree = await view.trees.whole(view.snapshot, at)
    there = [one for _, one in sorted(tree.standings.items()) if one.goal.cycle == id]
    days = Periods(WHOLE_CYCLE_WEEKS, [date.fromisoformat(cycle["start"])], date.fromisoformat(cycle["end"]))
    tallies = await tallied(view, days, id)
    return {
        "id": id,
        **{name: cycle[name] for name in ("name", "stage", "start", "end")},
        **_counts(there),
        **_spreads(there),
        "carried_in": sum(one.goal.body.get("carried_from") is not None for one in there),
        "carried_over": [_carried(one.goal.id, one.goal.body["carried_into"]) for one in _continued(there)],
        "participation": tally_shape(tallies.get("all", [Tally()])[0]),
    }


def _counts(there: Sequence[Standing]) -> Json:
    return {
        "objectives": len(there),
        "states": _count(STATES, (one.goal.stage for one in there)),
        "outcomes": _count(OUTCOMES, (one.goal.outcome for one in there)),
        "statuses": _count(STATUSES, (one.status.shown for one in there)),
    }


def _count(names: Sequence[str], found: Iterable[str | None]) -> dict[str, int]:
    counts = Counter(found)
    return {name: counts[name] for name in names}


def _spreads(there: Sequence[Standing]) -> Json:
    closings = [one.goal.body["closings"][-1] for one in there if one.goal.closing is not None]
    grades = [Decimal(one["grade"]) for one in closings if one.get("grade") is not None]
    return {
        "scores": spread([one.amended.score for one in there]),
        "scores_committed": spread([one.as_committed.score for one in there]),
        "grades": spread(grades),
    }


def spread(values: Iterable[Decimal | None]) -> Json:
    """The members of :class:`SpreadShape`; None does not count."""
    there = [one for one in values if one is not None]
    bands, total = [0] * BANDS, ZERO
    for one in there:
        total = add(total, one)
        bands[min(BANDS - 1, int(multiply(one, Decimal(BANDS))))] += 1
    mean = quotient(total, Decimal(len(there))) if there else None
    return {"many": len(there), "mean": number(mean), "bands": bands}


def _continued(there: Sequence[Standing]) -> list[Standing]:
    return [one for one in there if one.goal.body.get("carried_into") is not None]


def _carried(objective: str, into: dict[str, Any]) -> Json:
    return {"objective": objective, "into": into["objective"], "cycle": into.get("cycle")}
