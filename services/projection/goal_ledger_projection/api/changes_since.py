"""`GET /v1/changes-since`: what changed since our last meeting: values, statuses and risks, moved goalposts, restatements,
and what was said (SPEC 6)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_edge.routing import Answers
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.status import AT_RISK
from pydantic import Field

from goal_ledger_projection.api.alignment import Graph
from goal_ledger_projection.api.answers import Listed
from goal_ledger_projection.api.check_ins import CheckInQuestion, CheckInShape, check_ins_written
from goal_ledger_projection.api.choices import need_holder, need_objective
from goal_ledger_projection.api.clocks import Clocks, StatedClocks
from goal_ledger_projection.api.compared import (
    NumberChange,
    ObjectiveCompared,
    WordChange,
    by_change,
    compared,
    differs,
    numbers,
    words,
)
from goal_ledger_projection.api.earlier import Side, Since, clocks_since, moment, side
from goal_ledger_projection.api.goalpost_moves import GoalpostMoveShape, changes_in, moves_written
from goal_ledger_projection.api.lists import Json, listed, page_of
from goal_ledger_projection.api.owned import InCycle, InUnit, Owned, OwnedBy
from goal_ledger_projection.api.routes import After, QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.changes_of_goals import ChangeOfGoal
from goal_ledger_projection.read_models.check_ins import SINCE, count_by_objective

LIMIT_ITEMS_MAX = 100
SAID_MAX = 200
RISKS = ("new", "still", "gone")


class ChangedGoal(ObjectiveCompared):
    is_new: bool = Field(description="It was not there at the earlier answer")
    state: WordChange
    confidence: NumberChange = Field(description="Of the last check-in on the objective")
    risk: str | None = Field(
        description="It, or a key result of it, is shown at risk: new, still, gone; null: neither then nor now",
        json_schema_extra={"enum": [*RISKS, None]},
    )
    restated: NumberChange = Field(
        description="The score that it had at the earlier answer, as it was known then and as it is known now"
    )
    goalpost_moves: list[GoalpostMoveShape]
    check_ins: int = Field(description="How many were recorded or corrected since, on it and its key results")


class ChangesSinceAnswer(Listed):
    start: Side = Field(alias="from")
    to: Side
    objectives: int = Field(description="How many match the filters")
    risks: dict[str, int] = Field(description=f"How many of them by `risk`: {', '.join(RISKS)}")
    items: list[ChangedGoal] = Field(
        description="Those of which something changed: new risks first, then the largest change of the score"
    )
    said: list[CheckInShape] = Field(
        description=f"The check-ins since on the goals of this page, the latest first, at most {SAID_MAX}"
    )


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/changes-since", summary="What changed since our last meeting")
async def changes_since(
    request: GoalsRequest,
    since: Since,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    person: Annotated[
        str | None,
        Query(max_length=80, description="person/<id>: owner, contributor, or owner of a key result"),
    ] = None,
    root: Annotated[
        str | None, Query(max_length=64, description="This objective and all aligned beneath it")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX, description="How many items at most")] = 50,
    cursor: After = None,
) -> Answers[ChangesSinceAnswer]:
    """Between an earlier answer and this one, on both clocks."""
    async with view_of(request) as view:
        await need_objective(view, root)
        await need_holder(view, person, "person", ("person",))
        owned = await Owned.of(view, cycle, unit, owner)
        meeting = await _Meeting.of(view, await clocks_since(view, since))
        there = await _chosen(view, meeting.now, owned, person, root)
        page = page_of(request, view, await asyncio.to_thread(meeting.changed, there), limit, cursor)
        ids = [one["objective"] for one in page.items]
        risks = [meeting.risk(id) for id in there]
        more = {
            **{"from": side(meeting.since), "to": side(view.clocks)},
            "objectives": len(there),
            "risks": {name: risks.count(name) for name in RISKS},
            "said": await _said(view, meeting.since.seq, ids),
        }
        return listed(request, view, page, await _with_moves(view, meeting, page.items), **more)


@dataclass(frozen=True, slots=True)
class _Meeting:
    """How goals stood at the earlier answer, as known then and as known now, how they stand, and what was done since."""

    since: Clocks
    then: Mapping[str, Standing]
    then_as_known_now: Mapping[str, Standing]
    now: Mapping[str, Standing]
    moves: Mapping[str, Sequence[ChangeOfGoal]]
    check_ins: Mapping[str, int]

    @staticmethod
    async def of(view: View, since: Clocks) -> _Meeting:
        known_now = await view.clocks_at(StatedClocks(since.as_of, view.clocks.known))
        moves: defaultdict[str, list[ChangeOfGoal]] = defaultdict(list)
        for one in await changes_in(view):
            if one.is_move and (one.seq > since.seq or one.at > since.as_of):
                moves[one.objective].append(one)
        return _Meeting(
            since,
            await _standings(view, moment(since)),
            await _standings(view, moment(known_now)),
            await _standings(view, view.moment),
            moves,
            await _check_ins(view, since.seq),
        )

    def changed(self, there: Collection[str]) -> list[Json]:
        """Of these goals those of which something changed, the most urgent first."""
        return sorted(filter(_is_changed, map(self.goal, there)), key=_urgency)

    def goal(self, id: str) -> Json:
        """The members of :class:`ChangedGoal`, the moves as they were found."""
        before, after = self.then.get(id), self.now[id]
        restated = self.then_as_known_now.get(id)
        return {
            **compared(before, after),
            "is_new": before is None,
            "state": words(None if before is None else before.goal.stage, after.goal.stage),
            "confidence": numbers(None if before is None else before.said.confidence, after.said.confidence),
            "risk": self.risk(id),
            "restated": numbers(
                None if before is None else before.amended.score,
                None if restated is None else restated.amended.score,
            ),
            "goalpost_moves": self.moves.get(id, ()),
            "check_ins": self.check_ins.get(id, 0),
        }

    def risk(self, id: str) -> str | None:
        """One of RISKS."""
        was, is_now = _is_at_risk(self.then.get(id)), _is_at_risk(self.now[id])
        return "still" if was and is_now else "new" if is_now else "gone" if was else None


async def _standings(view: View, at: AsOf) -> Mapping[str, Standing]:
    return (await view.trees.whole(view.snapshot, at)).standings


async def _check_ins(view: View, seq: int) -> dict[str, int]:
    """How many were recorded after it, by objective."""
    question = CheckInQuestion(view)
    question.where(SINCE, seq)
    rows = await view.snapshot.fetch(count_by_objective(question.conditions), *question.values)
    return {row["objective"]: row["many"] for row in rows}


async def _said(view: View, seq: int, objectives: Sequence[str]) -> list[Json]:
    question = CheckInQuestion(view)
    question.where(SINCE, seq)
    question.where("objective = ANY ({})", list(objectives))
    return await check_ins_written(view, await view.snapshot.fetch(question.page(SAID_MAX), *question.values))


def _is_at_risk(one: Standing | None) -> bool:
    if one is None:
        return False
    there = (one.shown[each.id] for each in one.defined.key_results if not each.dropped)
    return AT_RISK in (one.status.shown, *there)


async def _chosen(
    view: View, now: Mapping[str, Standing], owned: Owned, person: str | None, root: str | None
) -> Collection[str]:
    found = {id for id, one in now.items() if owned.has((one.goal.owner,), (one.goal.cycle,))}
    if person is not None:
        found = {id for id in found if person in _people(now[id])}
    if root is not None:
        graph = Graph(dict(now), await view.context(), view.moment)
        found &= graph.around(root, "descendants", None)
    return found


def _people(one: Standing) -> set[Any]:
    goal = one.goal
    of_key_results = (each.owner for each in goal.key_results if not each.dropped)
    return {goal.owner, *goal.body.get("contributors", ()), *of_key_results}


def _is_changed(one: Json) -> bool:
    pairs = (one["state"], one["confidence"], one["restated"])
    return (
        differs(one)
        or any(each["before"] != each["after"] for each in pairs)
        or bool(one["goalpost_moves"] or one["check_ins"])
    )


def _urgency(one: Json) -> tuple[Any, ...]:
    return one["risk"] != "new", by_change(one), one["objective"]


async def _with_moves(view: View, meeting: _Meeting, items: Sequence[Json]) -> list[Json]:
    moves = [one for item in items for one in meeting.moves.get(item["objective"], ())]
    written: defaultdict[str, list[Json]] = defaultdict(list)
    for one in await moves_written(view, moves):
        written[one["objective"]].append(one)
    return [{**item, "goalpost_moves": written[item["objective"]]} for item in items]
