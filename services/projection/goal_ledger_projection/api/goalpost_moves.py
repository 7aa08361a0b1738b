"""`GET /v1/goalpost-moves`: what was changed in goals after their activation, and whether it made them easier."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from goal_ledger_edge.routing import Answers
from goal_ledger_history.explanation import Cited
from goal_ledger_history.goalposts import DIRECTIONS, FLAGS, SELF_APPROVED, GoalpostMove
from pydantic import Field

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.answers import Listed, Number, Shape, number, time
from goal_ledger_projection.api.choices import need_cycle, need_objective
from goal_ledger_projection.api.lists import Json, listed, page_of
from goal_ledger_projection.api.routes import After, QuestionRoute
from goal_ledger_projection.api.timeline import Change, definition_changes
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.changes_of_goals import ChangeOfGoal, changes_of_goals
from goal_ledger_projection.read_models.facts import OF_TYPE_IN_STREAMS

LIMIT_ITEMS_MAX = 100
MovesLimit = Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX, description="How many items at most")]

OfObjective = Annotated[str | None, Query(max_length=64)]
OfCycle = Annotated[
    str | None, Query(max_length=64, description="The goal was in it before or after the change")
]


class GoalpostMoveShape(Shape):
    objective: str = Field(description="Whose definition it changed")
    key_result: str | None
    type: str = Field(
        description="Of the fact; one of another stream is a link to the goal, or its cycle's dates"
    )
    event_id: str
    seq: int
    at: str = Field(description="When it took effect")
    recorded_at: str
    actor: str
    reason: str | None
    direction: str = Field(
        description="By the target if that moved, else by the deadline, else by the effect on the score",
        json_schema_extra={"enum": list(DIRECTIONS)},
    )
    flags: list[str] = Field(
        description="late: three quarters of the time were over. after_red, dropped_while_red: it was shown at risk. "
        "self_approved: nobody else endorsed it. deadline_extended: there is more time than before",
        json_schema_extra={"items": {"type": "string", "enum": list(FLAGS)}},
    )
    effect: Number = Field(
        description="On the objective's score as amended; null: not measured before or after"
    )
    effect_committed: Number = Field(description="On its score as committed")
    endorsed_by: list[str]
    changes: list[Change]


class GoalpostMovesAnswer(Listed):
    items: list[GoalpostMoveShape]


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/goalpost-moves", summary="What was changed in goals after their activation")
async def goalpost_moves(
    request: GoalsRequest,
    objective: OfObjective = None,
    cycle: OfCycle = None,
    limit: MovesLimit = 25,
    cursor: After = None,
) -> Answers[GoalpostMovesAnswer]:
    """The newest first, each with its diff, its effect on both scores and who stands behind it."""
    async with view_of(request) as view:
        page = page_of(request, view, await moves_asked(view, objective, cycle), limit, cursor)
        return listed(request, view, page, await moves_written(view, page.items))


async def moves_asked(view: View, objective: str | None, cycle: str | None) -> list[ChangeOfGoal]:
    """The newest first. Problem 422 `choice_unknown`."""
    await need_objective(view, objective)
    await need_cycle(view, cycle)
    found = [one for one in await changes_in(view, only(objective)) if one.is_move]
    return found if cycle is None else [one for one in found if cycle in one.cycles]


async def changes_in(view: View, objectives: Sequence[str] | None = None) -> list[ChangeOfGoal]:
    """What was changed in goals, or in these alone, after their activation, the newest first."""
    definitions = (await view.history()).definitions
    return await changes_of_goals(view.snapshot, definitions, view.goals, view.moment, objectives)


def only(objective: str | None) -> list[str] | None:
    """None: all."""
    return None if objective is None else [objective]


async def moves_of(view: View, changes: Sequence[ChangeOfGoal]) -> list[GoalpostMove]:
    """What each came to."""
    return await view.views.moves.of(view.snapshot, await view.history(), changes)


async def moves_written(view: View, changes: Sequence[ChangeOfGoal]) -> list[Json]:
    """The items of :class:`GoalpostMovesAnswer`."""
    facts = await cited.cited_facts(view.snapshot, [Cited(one.seq) for one in changes])
    endorsed = await _endorsements(view, (facts[one.seq]["stream"] for one in changes))
    moves, diffs = await moves_of(view, changes), await _diffs(view, changes)
    found = []
    for one, move, diff in zip(changes, moves, diffs, strict=True):
        fact = facts[one.seq]
        others = [by for by in endorsed.get(fact["event_id"], ()) if by != fact["actor"]]
        found.append(_item(one, fact, move, others, diff))
    return found


def _item(
    one: ChangeOfGoal, fact: Json, move: GoalpostMove, endorsed_by: Sequence[str], changes: Sequence[Json]
) -> Json:
    flags = [*move.flags, *([] if endorsed_by else [SELF_APPROVED])]
    return {
        "objective": one.objective,
        "key_result": one.key_result,
        "type": one.type,
        **{name: fact[name] for name in ("event_id", "seq")},
        "at": time(one.at),
        **{name: fact[name] for name in ("recorded_at", "actor", "reason")},
        "direction": move.direction,
        "flags": [name for name in FLAGS if name in flags],
        "effect": number(move.effect),
        "effect_committed": number(move.effect_committed),
        "endorsed_by": list(endorsed_by),
        "changes": list(changes),
    }


async def _diffs(view: View, changes: Sequence[ChangeOfGoal]) -> list[list[Json]]:
    """What each changed, from and to."""
    definitions = (await view.history()).definitions
    goals = await definitions.goals(side for one in changes for side in one.sides or ())
    return [
        definition_changes(*(goals[side].body for side in one.sides))
        if one.sides
        else list(one.from_elsewhere)
        for one in changes
    ]


async def _endorsements(view: View, streams: Iterable[str]) -> Mapping[str, list[str]]:
    """Who endorsed a change, by its event id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    clocks = view.clocks
    stored = await view.snapshot.fetch(
        OF_TYPE_IN_STREAMS, sorted(set(streams)), clocks.seq, clocks.as_of, "ChangeEndorsed"
    )
    for fact in (json.loads(row["bytes"]) for row in stored):
        found[fact["data"]["change"]].append(fact["actor"])
    return found
