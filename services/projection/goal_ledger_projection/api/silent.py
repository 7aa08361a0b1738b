"""`GET /v1/silent`: who has gone silent: the active goals by how long nobody has spoken for them (SPEC 6)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_edge.routing import Answers
from goal_ledger_history.duties import Silence, goes_on, last_heard, silence
from goal_ledger_history.rhythm_at import Owing, last_words, owing
from pydantic import Field

from goal_ledger_projection.api.answers import Instant, Listed, Shape, time
from goal_ledger_projection.api.choices import need_cycle, need_unit
from goal_ledger_projection.api.lists import Json, listed, page_of
from goal_ledger_projection.api.members import members
from goal_ledger_projection.api.routes import After, Limit, QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.persons_words import PersonsWordsInTables


class SilentShape(Shape):
    objective: str
    title: str
    owner: str
    ask: str | None = Field(description="Whom to ask: the owner, or the lead of the unit that owns it")
    cycle: str | None
    silent: bool = Field(
        description="A due date and its grace have passed without a word since the one before"
    )
    paused: bool = Field(description="It is paused, or its owner on leave: it owes nothing and is not silent")
    missed_in_a_row: int = Field(description="So many such due dates since the last word")
    since: str = Field(description="The last word, else the activation")
    last_word_at: Instant = Field(
        description="Since when word is whole: on the objective, or on all that is waited for"
    )


class SilentAnswer(Listed):
    silent: int = Field(description="How many of all are silent")
    items: list[SilentShape] = Field(description="The silent ones first, the longest silent before all")


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/silent", summary="Who has gone silent")
async def silent(
    request: GoalsRequest,
    unit: Annotated[
        str | None,
        Query(max_length=64, description="Owned by it, a unit beneath it, or a person in one of them"),
    ] = None,
    cycle: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 200,
    cursor: After = None,
) -> Answers[SilentAnswer]:
    """The active goals, the silent ones first."""
    async with view_of(request) as view:
        await need_unit(view, unit)
        await need_cycle(view, cycle)
        found = await silences(view, unit, cycle)
        context = await view.context()
        page = page_of(request, view, found, limit, cursor)
        items = [_item(view, context, one, each) for one, each in page.items]
        return listed(request, view, page, items, silent=sum(each.is_silent for _, each in found))


async def silences(view: View, unit: str | None, cycle: str | None) -> list[tuple[Owing, Silence]]:
    """The active goals of a unit and cycle (None: of all), the longest silent first."""
    history, at = await view.history(), view.moment
    goals = await owing(history.definitions, at)
    if cycle is not None:
        goals = [one for one in goals if one.goal.cycle == cycle]
    if unit is not None:
        owners = await members(view, unit)
        goals = [one for one in goals if one.goal.owner in owners]
    last = await last_words(PersonsWordsInTables(view.snapshot), history.values, goals, at)
    found = [
        (
            one,
            silence(
                one.rules,
                one.active_since,
                last_heard(last[one.goal.id], one.waited),
                at.true_at,
                one.pauses,
            ),
        )
        for one in goals
    ]
    return sorted(found, key=_longest_first)


def _longest_first(found: tuple[Owing, Silence]) -> tuple[Any, ...]:
    one, each = found
    return (not each.is_silent, each.since, one.goal.id)


def _item(view: View, context: Context, one: Owing, each: Silence) -> Json:
    goal = one.goal
    return {
        "objective": goal.id,
        "title": goal.body["title"],
        "owner": goal.owner,
        "ask": _ask(view, context, goal.owner),
        "cycle": goal.cycle,
        "silent": each.is_silent,
        "paused": goes_on(one.pauses, view.moment.true_at),
        "missed_in_a_row": each.missed,
        "since": time(each.since),
        "last_word_at": time(each.heard_at),
    }


def _ask(view: View, context: Context, owner: str) -> str | None:
    kind, _, id = owner.partition("/")
    if kind == "person":
        return owner
    unit = context.body("unit", id, view.moment.known_to, view.moment.true_at)
    lead = None if unit is None else unit.get("lead")
    return None if lead is None else f"person/{lead.removeprefix('person/')}"
