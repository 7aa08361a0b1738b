"""`GET /v1/habits`: attention flags of the goals of a cycle, for units before people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from goal_ledger_edge.routing import Answers
from goal_ledger_history.explanation import Cited
from goal_ledger_history.followed import FollowedGoal
from goal_ledger_history.habits import FLAGS, AttentionFlag, attention_flags
from pydantic import Field

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.answers import AnswerAtClocks, Shape, answered, number, time
from goal_ledger_projection.api.following import Json, OfUnit, followed
from goal_ledger_projection.api.members import names_of_units
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, view_of

_FLAGS = ", ".join(FLAGS)


class FlagShape(Shape):
    flag: str = Field(description=_FLAGS, json_schema_extra={"enum": list(FLAGS)})
    at: str = Field(description="The due date, or the instant, at which it first held")
    value: str = Field(
        description="watermelon: points behind. frozen, fell_off: due dates in a row. hockey_stick: the share of the "
        "progress in the last 15 %. sandbag: the score"
    )
    facts: list[str] = Field(description="Event ids of the facts that it rests on")


class FlaggedObjective(Shape):
    objective: str
    title: str
    flags: list[FlagShape]


class UnitHabits(Shape):
    unit: str
    name: str
    objectives: int = Field(description="Of it, the units beneath it, and the people in them")
    flags: dict[str, int] = Field(description=f"How many objectives have each: {_FLAGS}")


class HabitsAnswer(AnswerAtClocks):
    cycle: str
    objectives: int
    flags: dict[str, int] = Field(description=f"How many objectives have each: {_FLAGS}")
    units: list[UnitHabits]
    items: list[FlaggedObjective] = Field(description="Those with a flag, by id")


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/habits", summary="Which goals of a cycle deserve attention")
async def habits(
    request: GoalsRequest, cycle: Annotated[str, Query(max_length=64)], unit: OfUnit = None
) -> Answers[HabitsAnswer]:
    """Flags over the due dates of a cycle, each by what was known then, with the facts they rest on."""
    async with view_of(request) as view:
        found = await followed(view, cycle, unit)
        flags = {one.goal.id: attention_flags(one) for one in found.goals}
        names = await names_of_units(view)
        items = [_item(one, flags[one.goal.id]) for one in found.goals if flags[one.goal.id]]
        facts = await cited.cited_facts(view.snapshot, cited.seqs_in(items))
        units = [
            {"unit": id, "name": names.get(id, id), **_counts(flags, goals)}
            for id, goals in found.by_unit().items()
        ]
        body = {
            "cycle": cycle,
            **_counts(flags, found.goals),
            "units": units,
            "items": cited.with_events(items, facts),
        }
        return answered(request, view.clocks, body)


def _counts(flags: dict[str, list[AttentionFlag]], goals: Iterable[FollowedGoal]) -> Json:
    having = [{flag.flag for flag in flags[one.goal.id]} for one in goals]
    return {"objectives": len(having), "flags": {name: sum(name in one for one in having) for name in FLAGS}}


def _item(one: FollowedGoal, flags: list[AttentionFlag]) -> Json:
    written = [
        {
            "flag": flag.flag,
            "at": time(flag.at),
            "value": number(flag.value),
            "facts": [Cited(seq) for seq in flag.facts],
        }
        for flag in flags
    ]
    return {"objective": one.goal.id, "title": one.goal.body["title"], "flags": written}
