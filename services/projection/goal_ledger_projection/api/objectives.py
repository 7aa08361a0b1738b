"""`GET /v1/objectives`: find objectives and see how they stand; one objective whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from unicodedata import normalize

from fastapi import APIRouter, Query, Request
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.before_it_existed import standing_at
from goal_ledger_history.gathering import Gathering, Ground
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.last_check_ins import NO_CHECK_IN, CheckInsHoweverOld
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.windows import Span
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import (
    AnswerAtClocks,
    Instant,
    Number,
    Shape,
    encoded,
    heading,
    number,
    respond,
    time,
)
from goal_ledger_projection.api.choices import (
    KINDS,
    STATES,
    STATUSES,
    need_cycle,
    need_holder,
    need_unit,
    need_word,
    word,
)
from goal_ledger_projection.api.routes import After, Found, QuestionRoute, cursor, read_cursor
from goal_ledger_projection.api.shown import Counted, KeyResultShape, LeftOut, LinkShape, ListedObjective
from goal_ledger_projection.api.streams import events_and_version, versions
from goal_ledger_projection.api.texts import Text
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.context import Context

LIMIT_ITEMS_MAX = 200
SORTS = ("id", "title", "score", "status", "gap", "activated_at")


class ObjectiveList(AnswerAtClocks):
    total: int = Field(description="How many match")
    items: list[ListedObjective]
    next_cursor: str | None


class ClosingShape(Shape):
    at: str
    event_id: str
    actor: str
    outcome: str
    grade: Number
    suggested: Number
    reason: str | None
    retrospective: str | None
    reopened: bool


class PolicyShape(Shape):
    time_zone: str
    on_track_points: str
    behind_points: str
    roll_up: str
    cadence_weeks: int
    anchor_weekday: int
    grace_days: int
    feeds_count_as_word: bool
    revisions: list[dict[str, Any]] = Field(description="The policy facts in force, the nearest scope first")


class Restated(Shape):
    score: Number
    score_committed: Number


class ObjectiveDetail(ListedObjective):
    description: str | None
    drafted_at: str
    cycle_start: Instant = Field(description="00:00 of the first local day")
    cycle_end: Instant = Field(description="00:00 after the last local day")
    last_check_in_at: Instant
    key_results: list[KeyResultShape]
    counted: list[Counted]
    left_out: list[LeftOut]
    counted_committed: list[Counted]
    left_out_committed: list[LeftOut]
    feeds_counted_twice: list[str]
    parents: list[LinkShape]
    children: list[LinkShape]
    closings: list[ClosingShape]
    restated: Restated | None = Field(
        description="Of a closed one: its score at the closing instant, as known now"
    )
    policy: PolicyShape
    carried_from: str | None
    carried_into: dict[str, Any] | None


class ObjectiveAnswer(AnswerAtClocks):
    objective: ObjectiveDetail


InCycle = Annotated[str | None, Query(max_length=64)]
InUnit = Annotated[str | None, Query(max_length=64, description="Owned by it or a unit beneath it")]
OwnedBy = Annotated[str | None, Query(max_length=80, description="unit/<id> or person/<id>")]
Shown = Annotated[str | None, word(STATUSES, "As shown")]
OfKind = Annotated[str | None, word(KINDS)]
InState = Annotated[str | None, word(STATES)]
Containing = Annotated[
    str | None, Query(max_length=200, description="In titles, descriptions and key results")
]


@dataclass(frozen=True, slots=True)
class ObjectiveFilters:
    """Which objectives are asked for; None: no matter."""

    cycle: str | None
    unit: str | None
    owner: str | None
    status: str | None
    kind: str | None
    state: str | None
    q: str | None

    async def need_possible(self, view: View) -> None:
        """Problem 422 `choice_unknown`: a filter that no objective can match."""
        need_word(self.status, "status", STATUSES)
        need_word(self.kind, "kind", KINDS)
        need_word(self.state, "state", STATES)
        await need_holder(view, self.owner, "owner")
        await need_unit(view, self.unit)
        await need_cycle(view, self.cycle)

    async def matching(self, view: View) -> list[Standing]:
        """Those, by id."""
        tree = await view.trees.whole(view.snapshot, view.moment)
        units = None if self.unit is None else beneath(await view.context(), self.unit, view.moment)
        found = [one for one in tree.standings.values() if _matches(one, self, units)]
        return sorted(found, key=lambda one: one.goal.id)


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/objectives", summary="Find objectives")
async def many(
    request: GoalsRequest,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    status: Shown = None,
    kind: OfKind = None,
    state: InState = None,
    q: Containing = None,
    sort: Annotated[
        str, Query(max_length=40, description=f"{', '.join(SORTS)}; - in front: descending")
    ] = "id",
    limit: Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX)] = 50,
    cursor: After = None,
) -> Answers[ObjectiveList]:
    """By their definitions at the moment, with scores and statuses; pages follow `next_cursor`."""
    async with view_of(request) as view:
        filters = ObjectiveFilters(cycle, unit, owner, status, kind, state, q)
        await filters.need_possible(view)
        body = await _list(request, view, filters, _order(sort), limit, cursor)
        return respond(request, view.clocks, encoded(body))


@routes.get("/v1/objectives/{id}", summary="One objective")
async def one(request: GoalsRequest, id: str) -> Found[ObjectiveAnswer]:
    """With key results, parts, links, closings, and what was counted and left out."""
    async with view_of(request) as view:
        body = {**heading(view.clocks), "objective": await _detail(view, id)}
        return respond(request, view.clocks, encoded(body))


async def standing_of(view: View, id: str) -> Standing:
    """How one objective stands, also before it existed. Problem 404."""
    found = await standing_at(await view.history(), id, view.moment)
    if found is None:
        raise Problem(404, "not_found", "There is no such objective here at these clocks.")
    return found


async def _list(
    request: Request,
    view: View,
    filters: ObjectiveFilters,
    order: tuple[Callable[[Standing], Any], bool],
    limit: int,
    after: str | None,
) -> dict[str, Any]:
    context = await view.context()
    found = await filters.matching(view)
    key, descending = order
    found.sort(key=key, reverse=descending)
    first = read_cursor(request, after, str(view.clocks.token))
    page = found[first : first + limit]
    more = first + limit < len(found)
    return {
        **heading(view.clocks),
        "total": len(found),
        "items": await _items(view, context, page),
        "next_cursor": cursor(request, str(view.clocks.token), first + limit) if more else None,
    }


async def _items(view: View, context: Context, page: list[Standing]) -> list[dict[str, Any]]:
    known = await versions(view.snapshot, [f"objective/{one.goal.id}" for one in page], view.clocks.seq)
    heard = await (await view.history()).values.check_ins_however_old(
        [
            CheckInsHoweverOld(one.goal.id, (), one.moment.true_at, one.moment.true_at, one.moment.known_to)
            for one in page
        ],
    )
    return [
        {
            **shown.summary(one),
            "version": known.get(f"objective/{one.goal.id}", 0),
            "owner_left": _owner_left(context, one),
            "confidence": number(heard.get((one.goal.id, None), NO_CHECK_IN).confidence),
        }
        for one in page
    ]


def _owner_left(context: Context, one: Standing) -> bool:
    return context.has_left(one.goal.owner, one.moment.known_to, one.moment.true_at)


def _matches(one: Standing, filters: ObjectiveFilters, units: frozenset[str] | None) -> bool:
    body = one.goal.body
    return (
        (filters.cycle is None or body.get("cycle") == filters.cycle)
        and (filters.owner is None or body["owner"] == filters.owner)
        and (units is None or body["owner"] in units)
        and (filters.kind is None or body.get("kind") == filters.kind)
        and (filters.state is None or body["stage"] == filters.state)
        and (filters.status is None or one.status.shown == filters.status)
        and (filters.q is None or _contains(one, normalize("NFC", filters.q).casefold()))
    )


def _contains(one: Standing, text: str) -> bool:
    body = one.goal.body
    texts = [body["title"], body.get("description") or "", *(kr.text for kr in one.goal.key_results)]
    return any(text in candidate.casefold() for candidate in texts)


def beneath(context: Context, unit: str, moment: AsOf) -> frozenset[str]:
    """The unit and all beneath it, as owners."""
    parents = {
        id: (body.get("parent") or "").removeprefix("unit/")
        for id, _, body in context.all("unit", moment.known_to, moment.true_at)
    }
    found = {unit.removeprefix("unit/")}
    while True:
        more = {id for id, parent in parents.items() if parent in found} - found
        if not more:
            return frozenset(f"unit/{id}" for id in found)
        found |= more


def _order(sort: str) -> tuple[Callable[[Standing], Any], bool]:
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    keys: dict[str, Callable[[Standing], Any]] = {
        "id": lambda one: one.goal.id,
        "title": lambda one: one.goal.body["title"].casefold(),
        "score": lambda one: _null_last(one.amended.score, descending),
        "gap": lambda one: _null_last(one.status.gap, descending),
        "status": lambda one: one.status.shown,
        "activated_at": lambda one: _null_last(one.goal.activated_at, descending),
    }
    if name not in keys:
        raise Problem(422, "invalid", f"sort is one of {', '.join(SORTS)}.", field="sort")
    return keys[name], descending


def _null_last(value: Decimal | datetime | None, descending: bool) -> tuple[bool, Any]:
    return ((value is None) != descending, 0 if value is None else value)


async def _detail(view: View, id: str) -> dict[str, Any]:
    standing = await standing_of(view, id)
    context = await view.context()
    body, moment = standing.goal.body, view.moment
    events, version = await events_and_version(
        view.snapshot, shown.evidence_seqs([standing]), f"objective/{id}", moment.known_to
    )
    parents = context.links_of(id, moment.known_to, moment.true_at)
    children = [
        *context.links_to(f"objective/{id}", moment.known_to, moment.true_at),
        *(
            link
            for one in standing.goal.key_results
            for link in context.links_to(f"key-result/{one.id}", moment.known_to, moment.true_at)
        ),
    ]
    return {
        **shown.summary(standing),
        "version": version,
        "owner_left": _owner_left(context, standing),
        "confidence": number(standing.said.confidence),
        "last_check_in_at": time(standing.said.word.at),
        "description": body.get("description"),
        "drafted_at": body["drafted_at"],
        "cycle_start": time(standing.cycle.start) if standing.cycle else None,
        "cycle_end": time(standing.cycle.end) if standing.cycle else None,
        "key_results": [
            shown.key_result(standing, one, spans_of(context, standing, one), events)
            for one in (*standing.defined.key_results, *_added_with_values(standing))
        ],
        "counted": shown.counted(standing.amended.counted),
        "left_out": shown.left_out(standing.amended.left_out),
        "counted_committed": shown.counted(standing.as_committed.counted),
        "left_out_committed": shown.left_out(standing.as_committed.left_out),
        "feeds_counted_twice": list(standing.amended.feeds_twice),
        "parents": [shown.link(one) for one in parents],
        "children": [shown.link(one) for one in children],
        "closings": await _closings(view, body["closings"]),
        "restated": await _restated(view, standing),
        "policy": _policy(context, standing),
        "carried_from": body.get("carried_from"),
        "carried_into": body.get("carried_into"),
    }


def _added_with_values(standing: Standing) -> list[KeyResult]:
    """The key results that did not exist yet and had values all the same."""
    scores = standing.amended.key_results
    return [
        one
        for one in standing.added_later
        if any(part.input.measured for part in scores[one.id].parts.values())
    ]


def spans_of(context: Context, standing: Standing, one: KeyResult) -> dict[str, Span]:
    """The windows of a key result's parts that have one."""
    ground = Ground(standing.goal.id, standing.moment, standing.cycle, standing.rules.time_zone)
    gathering = Gathering(context)
    return {name: gathering.span(part, ground) for name, part in one.parts.items() if part.window is not None}


async def _closings(view: View, closings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    texts = view.texts()
    written = [Text(one.get("retrospective"), one["event_id"], "/retrospective") for one in closings]
    await texts.look_up(written)
    return [
        {
            "at": one["at"],
            "event_id": one["event_id"],
            "actor": one["actor"],
            "outcome": one["outcome"],
            "grade": one.get("grade"),
            "suggested": one.get("suggested"),
            "reason": one.get("reason"),
            "retrospective": texts.open(text),
            "reopened": one.get("reopened_seq") is not None,
        }
        for one, text in zip(closings, written, strict=True)
    ]


async def _restated(view: View, standing: Standing) -> dict[str, Any] | None:
    """Of a closed one: the score at the closing instant, as known now."""
    if standing.goal.closing is None:
        return None
    id = standing.goal.id
    then = AsOf(standing.goal.closing.at, view.clocks.seq)
    again = (await (await view.history()).at(then, [id], unclosed=id))[id]
    return {
        "score": number(again.amended.score),
        "score_committed": number(again.as_committed.score),
    }


def _revisions(
    context: Context, objective: str, owner: str, known_to: int, true_at: datetime
) -> list[dict[str, Any]]:
    """Which policy facts were in force, the nearest first."""
    policies = context.policies(objective, owner, known_to, true_at)
    return [{"scope": scope, "revision": one.revision, "event_id": one.event_id} for scope, one in policies]


def _policy(context: Context, standing: Standing) -> dict[str, Any]:
    rules = dataclasses.asdict(standing.rules)
    written = {name: number(value) if isinstance(value, Decimal) else value for name, value in rules.items()}
    moment = standing.moment
    revisions = _revisions(context, standing.goal.id, standing.defined.owner, moment.known_to, moment.true_at)
    return {**written, "revisions": revisions}
