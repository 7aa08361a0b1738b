"""`GET /v1/goalpost-moves`: what was changed in goals after their activation, and whether it made them easier."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_edge.routing import Answers
from goal_ledger_history.explanation import Cited
from goal_ledger_history.goalposts import DIRECTIONS, FLAGS, MOVES, SELF_APPROVED, GoalpostMove, goalpost_move
from pydantic import Field

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.answers import Listed, Number, Shape, number
from goal_ledger_projection.api.choices import need_cycle, need_objective
from goal_ledger_projection.api.lists import Json, listed, page_of
from goal_ledger_projection.api.routes import After, QuestionRoute
from goal_ledger_projection.api.timeline import Change, definition_changes
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.read_models.definitions import AFTER_ACTIVATION, OF_OBJECTIVE_BETWEEN
from goal_ledger_projection.read_models.facts import OF_TYPE_IN_STREAM

LIMIT_ITEMS_MAX = 100
MovesLimit = Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX, description="How many items at most")]


class GoalpostMoveShape(Shape):
    objective: str
    key_result: str | None
    type: str
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
    objective: Annotated[str | None, Query(max_length=64)] = None,
    cycle: Annotated[str | None, Query(max_length=64)] = None,
    limit: MovesLimit = 25,
    cursor: After = None,
) -> Answers[GoalpostMovesAnswer]:
    """The newest first, each with its diff, its effect on both scores and who stands behind it."""
    async with view_of(request) as view:
        await need_objective(view, objective)
        await need_cycle(view, cycle)
        clocks = view.clocks
        rows = await view.snapshot.fetch(
            AFTER_ACTIVATION, clocks.seq, clocks.as_of, list(MOVES), objective, cycle
        )
        page = page_of(request, view, rows, limit, cursor)
        return listed(request, view, page, await _written(view, page.items))


async def _written(view: View, rows: Sequence[Any]) -> list[Json]:
    history = await view.history()
    facts = await cited.cited_facts(view.snapshot, [Cited(row["seq"]) for row in rows])
    endorsed = await _endorsements(view, {row["id"] for row in rows})
    found = []
    for row in rows:
        move = await goalpost_move(
            history, row["id"], row["seq"], row["effective_at"], row["type"], row["key_result"]
        )
        fact, by = facts[row["seq"]], endorsed[facts[row["seq"]]["event_id"]]
        others = [one for one in by if one != fact["actor"]]
        found.append(_item(row, fact, move, others, await _changes(view, row)))
    return found


def _item(
    row: Any, fact: Json, move: GoalpostMove, endorsed_by: Sequence[str], changes: Sequence[Json]
) -> Json:
    flags = [*move.flags, *([] if endorsed_by else [SELF_APPROVED])]
    return {
        "objective": row["id"],
        "key_result": row["key_result"],
        "type": row["type"],
        **{name: fact[name] for name in ("event_id", "seq")},
        "at": fact["effective_at"],
        **{name: fact[name] for name in ("recorded_at", "actor", "reason")},
        "direction": move.direction,
        "flags": [name for name in FLAGS if name in flags],
        "effect": number(move.effect),
        "effect_committed": number(move.effect_committed),
        "endorsed_by": list(endorsed_by),
        "changes": list(changes),
    }


async def _changes(view: View, row: Any) -> list[Json]:
    before, after = [
        json.loads(one["body"])
        for one in await view.snapshot.fetch(OF_OBJECTIVE_BETWEEN, row["id"], row["seq"], row["seq"])
    ]
    return definition_changes(before, after)


async def _endorsements(view: View, objectives: set[str]) -> Mapping[str, list[str]]:
    """Who endorsed a change, by its event id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    clocks = view.clocks
    for id in sorted(objectives):
        stored = await view.snapshot.fetch(
            OF_TYPE_IN_STREAM, f"objective/{id}", clocks.seq, clocks.as_of, "ChangeEndorsed"
        )
        for fact in (json.loads(row["bytes"]) for row in stored):
            found[fact["data"]["change"]].append(fact["actor"])
    return found
