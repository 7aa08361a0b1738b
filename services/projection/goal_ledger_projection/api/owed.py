"""`GET /v1/owed`: what do I owe: the goals of a person with their due dates, and what became of them (SPEC 6)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.duties import (
    PAUSED,
    PENDING,
    STATES,
    Duty,
    LastWords,
    duty,
    goes_on,
    is_due,
    is_fed,
    is_paused,
)
from goal_ledger_history.goals import PausedTimes
from goal_ledger_history.rhythm_at import DuesOfGoal, Owing, last_words, owing, told
from goal_ledger_scoring.cadence import DueDate, following, last_passed
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Instant, Shape, answered, time
from goal_ledger_projection.api.choices import need_holder
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.persons_words import PersonsWordsInTables

Json = dict[str, Any]
BECAUSE = ("owner", "lead", "key_result")


class DutyShape(Shape):
    day: str = Field(description="The due date, a local day of the goal's time zone")
    ends_at: str = Field(description="When that day is over")
    grace_ends_at: str = Field(description="When its grace days are over too")
    state: str = Field(
        description="paused: nothing is owed for it", json_schema_extra={"enum": [*STATES, PAUSED]}
    )
    met_at: Instant = Field(description="When the word was given that met it")


class OwedKeyResult(Shape):
    id: str
    text: str
    owner: str | None
    fed: bool = Field(description="All its values come from feeds")
    waited_for: bool = Field(description="Word on it counts towards the due date")
    last_check_in_at: Instant = Field(description="Of a person, however old")


class OwedShape(Shape):
    objective: str
    title: str
    owner: str
    because: str = Field(
        description="Why it is this person's: as its owner, the lead of the unit that owns it, or the owner of key results",
        json_schema_extra={"enum": list(BECAUSE)},
    )
    paused: bool = Field(description="It is paused, or its owner or this person is on leave: nothing is owed")
    owed: bool = Field(description="A due date can still be met and is not")
    overdue: bool = Field(description="The last due date is over, and no word was given since the one before")
    last: DutyShape | None = Field(description="The last due date that is over; null: it was not active yet")
    next: DutyShape
    last_check_in_at: Instant = Field(description="Of a person on the objective itself, however old")
    key_results: list[OwedKeyResult]


class OwedAnswer(AnswerAtClocks):
    by: str = Field(description="person/<id>")
    owed: int = Field(description="How many of the goals owe a word")
    items: list[OwedShape] = Field(
        description="The person's active goals: overdue first, then those that owe, by due date and id"
    )


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/owed", summary="What do I owe")
async def owed(
    request: GoalsRequest,
    by: Annotated[str | None, Query(max_length=80, description="person/<id>; without it, who asks")] = None,
) -> Answers[OwedAnswer]:
    """The active goals of a person, with the last due date and the next, and whether word was given."""
    async with view_of(request) as view:
        person = await _person(view, by)
        items = await owed_by(view, person)
        many = sum(one["owed"] for one in items)
        return answered(request, view.clocks, {"by": person, "owed": many, "items": items})


async def _person(view: View, by: str | None) -> str:
    if by is None and not view.reader.is_person:
        raise Problem(422, "field_required", "A system owes nothing: say of whom you ask.", field="by")
    if by is None:
        return view.reader.holder
    await need_holder(view, by, "by", ("person",))
    return by


async def owed_by(view: View, person: str) -> list[Json]:
    """The items of :class:`OwedAnswer` for `person/<id>`."""
    history = await view.history()
    because = await _because(view, person)
    mine = [
        (one, why)
        for one in await owing(history.definitions, view.moment)
        if (why := because(one)) is not None
    ]
    leaves = history.background.leaves(person, view.moment.known_to, view.moment.true_at)
    goals = [_asked_of(one, person, why, leaves) for one, why in mine]
    words, now = PersonsWordsInTables(view.snapshot), view.moment.true_at
    last = await last_words(words, history.values, goals, view.moment)
    found = await told(
        words,
        history.values,
        goals,
        lambda rules: [last_passed(rules, now), following(rules, now)],
        view.moment,
    )
    why_of = {one.goal.id: why for one, why in mine}
    items = [_item(view, one, last[one.owing.goal.id], why_of[one.owing.goal.id]) for one in found]
    return sorted(items, key=_urgency)


async def _because(view: View, person: str) -> Callable[[Owing], str | None]:
    context, moment = await view.context(), view.moment
    led = {
        f"unit/{id}"
        for id, _, body in context.all("unit", moment.known_to, moment.true_at)
        if body.get("lead") and body["lead"].removeprefix("person/") == person.removeprefix("person/")
    }

    def because(one: Owing) -> str | None:
        if one.goal.owner == person:
            return "owner"
        if one.goal.owner in led:
            return "lead"
        mine = any(each.owner == person and not each.dropped for each in one.goal.key_results)
        return "key_result" if mine else None

    return because


def _asked_of(one: Owing, person: str, why: str, leaves: PausedTimes) -> Owing:
    """Who owns key results alone owes word of these alone. Who is on leave owes none."""
    one = dataclasses.replace(one, pauses=(*one.pauses, *leaves))
    if why != "key_result":
        return one
    mine = {each.id for each in one.goal.key_results if each.owner == person}
    return dataclasses.replace(one, waited=tuple(id for id in one.waited if id in mine))


def _item(view: View, one: DuesOfGoal, last: LastWords, why: str) -> Json:
    goal, now = one.owing.goal, view.moment.true_at
    duties = [_duty(one, since, due, now) for since, due in one.dues]
    before, coming = duties[0] if is_due(goal, duties[0].due) else None, duties[1]
    return {
        "objective": goal.id,
        "title": goal.body["title"],
        "owner": goal.owner,
        "because": why,
        "paused": goes_on(one.owing.pauses, now),
        "owed": any(each is not None and each.state == PENDING for each in (before, coming)),
        "overdue": before is not None and before.state != PAUSED and before.heard_at is None,
        "last": None if before is None else duty_shape(before),
        "next": duty_shape(coming),
        "last_check_in_at": time(last.get(None)),
        "key_results": [
            {
                "id": each.id,
                "text": each.text,
                "owner": each.owner,
                "fed": is_fed(each),
                "waited_for": each.id in one.owing.waited,
                "last_check_in_at": time(last.get(each.id)),
            }
            for each in goal.key_results
            if not each.dropped
        ],
    }


def _duty(one: DuesOfGoal, since: datetime, due: DueDate, now: datetime) -> Duty:
    found = duty(since, due, one.words, one.owing.waited, now)
    return dataclasses.replace(found, state=PAUSED) if is_paused(one.owing.pauses, due) else found


def duty_shape(one: Duty) -> Json:
    """The members of :class:`DutyShape`."""
    return {
        "day": one.due.day.isoformat(),
        "ends_at": time(one.due.ends),
        "grace_ends_at": time(one.due.grace_ends),
        "state": one.state,
        "met_at": None if one.state not in ("on_time", "late") else time(one.heard_at),
    }


def _urgency(item: Json) -> tuple[Any, ...]:
    due = item["last"] if item["overdue"] else item["next"]
    return (not item["overdue"], not item["owed"], due["ends_at"], item["objective"])
