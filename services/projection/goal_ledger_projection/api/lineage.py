"""`GET /v1/objectives/{id}/lineage`: a goal through its cycles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from goal_ledger_history.explanation import Cited
from goal_ledger_history.goals import Goal
from goal_ledger_history.lineage import KeyResultLineage, LineageStep, lineage
from goal_ledger_history.statuses import Standing
from pydantic import Field

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.answers import AnswerAtClocks, Number, Shape, answered, number
from goal_ledger_projection.api.cited import CitedFact
from goal_ledger_projection.api.objective import standing_of
from goal_ledger_projection.api.routes import Found, QuestionRoute
from goal_ledger_projection.api.shown import Scores, scores
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.progress_times import definitions_of

Json = dict[str, Any]
STEPS_MAX = 100
"""So many objectives of a lineage are looked at each way."""


class LineageObjective(Scores):
    objective: str
    title: str
    cycle: str | None
    state: str
    outcome: str | None
    grade: Number
    carried_by: str | None = Field(description="Event id of the fact that carried it over into the next")


class CommittedMeasure(Shape):
    objective: str
    key_result: str
    set_by: str = Field(description="Event id of the fact that set it")
    measure: dict[str, Any]
    lowered: bool = Field(description="Easier than the one before")


class KeyResultLineageShape(Shape):
    key_results: list[str] = Field(description="Its ids, the earliest first")
    text: str = Field(description="The latest")
    lowered: int
    ambition_kept: Number = Field(
        description="(last target - first baseline) / (first target - first baseline), of a checklist its steps; "
        "0: dropped or left behind; null: of another kind of measure"
    )
    measures: list[CommittedMeasure] = Field(
        description="What was committed to, from the first activation on"
    )


class LineageAnswer(AnswerAtClocks):
    carried_over: int = Field(description="How often")
    lowered: int = Field(description="How often a target was lowered, of all its key results")
    ambition_kept: Number = Field(
        description="The mean over the key results of the first objective that have one"
    )
    objectives: list[LineageObjective] = Field(description="The earliest first")
    key_results: list[KeyResultLineageShape]
    facts: list[CitedFact] = Field(description="The facts that it rests on, by seq")


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/objectives/{id}/lineage", summary="An objective through its cycles")
async def through_cycles(request: GoalsRequest, id: str) -> Found[LineageAnswer]:
    """What was carried over, how often targets were lowered, how much of the first ambition is left."""
    async with view_of(request) as view:
        there = await _standings(view, id)
        found = lineage([await _step(view, one) for one in there])
        body = {
            "carried_over": found.carried_over,
            "lowered": found.lowered,
            "ambition_kept": number(found.kept),
            "objectives": [_objective(one) for one in there],
            "key_results": [_key_result(one) for one in found.key_results],
        }
        facts = await cited.cited_facts(view.snapshot, {*cited.seqs_in(body), *_lifecycle(there)})
        written = cited.with_events(body, facts)
        return answered(request, view.clocks, {**written, "facts": list(facts.values())})


async def _standings(view: View, id: str) -> list[Standing]:
    """The objectives of the lineage, the earliest first. Problem 404."""
    found = {id: await standing_of(view, id)}
    history = await view.history()

    async def add(other: str | None) -> Standing | None:
        if other is None or other in found or len(found) > 2 * STEPS_MAX:
            return None
        there = (await history.at(view.moment, [other])).get(other)
        if there is not None:
            found[other] = there
        return there

    one: Standing | None = found[id]
    while one is not None:
        one = await add(one.goal.body.get("carried_from"))
    earlier = list(reversed(found.values()))
    one = found[id]
    while one is not None:
        one = await add((one.goal.body.get("carried_into") or {}).get("objective"))
    return [*earlier, *list(found.values())[len(earlier) :]]


async def _step(view: View, one: Standing) -> LineageStep:
    """By what took effect at the clocks."""
    at = view.moment
    rows = await definitions_of(view.snapshot, view.goals, [one.goal.id], at.known_to)
    goals: list[Goal] = [goal for goal, since in rows if since <= at.true_at] or [one.goal]
    return LineageStep(goals, {each.id: each.body.get("carried_from") for each in goals[-1].key_results})


def _lifecycle(there: Sequence[Standing]) -> set[Cited]:
    found: set[Cited] = set()
    for one in there:
        closing = None if one.goal.closing is None else one.goal.closing.seq
        seqs = (one.goal.body["drafted_seq"], one.goal.activated_seq, closing)
        found.update(Cited(seq) for seq in seqs if seq is not None)
    return found


def _objective(one: Standing) -> Json:
    body = one.goal.body
    into = body.get("carried_into")
    return {
        "objective": one.goal.id,
        "title": body["title"],
        "cycle": one.goal.cycle,
        "state": one.goal.stage,
        "outcome": one.goal.outcome,
        "grade": None if one.goal.closing is None else body["closings"][-1].get("grade"),
        **scores(one.amended, one.as_committed),
        "carried_by": None if into is None else Cited(into["seq"]),
    }


def _key_result(one: KeyResultLineage) -> Json:
    return {
        "key_results": one.ids,
        "text": one.measures[-1].key_result.text,
        "lowered": len(one.lowered),
        "ambition_kept": number(one.kept),
        "measures": [
            {
                "objective": each.objective,
                "key_result": each.key_result.id,
                "set_by": Cited(each.seq),
                "measure": each.key_result.body["measure"],
                "lowered": each.seq in one.lowered,
            }
            for each in one.measures
        ],
    }
