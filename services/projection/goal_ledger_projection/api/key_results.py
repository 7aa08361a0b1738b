"""`GET /v1/key-results`: find key results; one with its parts, values and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.last_check_ins import NO_CHECK_IN, CheckInsHoweverOld, LastCheckIn
from goal_ledger_history.statuses import Standing
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import AnswerAtClocks, Instant, Listed, Number, answered, number, time
from goal_ledger_projection.api.choices import (
    STATES,
    STATUSES_OF_KEY_RESULTS,
    need_cycle,
    need_feed,
    need_holder,
    need_objective,
    need_unit,
    need_word,
    word,
)
from goal_ledger_projection.api.lists import listed, page_of
from goal_ledger_projection.api.objective import spans_of, standing_of
from goal_ledger_projection.api.objectives import beneath
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute
from goal_ledger_projection.api.shown import Binding, KeyResultShape, Scores
from goal_ledger_projection.api.streams import events_and_version, versions
from goal_ledger_projection.api.view import GoalsRequest, View, view_of


class KeyResultAnswer(AnswerAtClocks):
    key_result: KeyResultShape
    version: int = Field(description="Of its objective's stream; for If-Match")


class ListedKeyResult(Scores):
    id: str
    objective: str
    objective_state: str
    cycle: str | None
    text: str
    owner: str = Field(description="Its own, else its objective's")
    weight: str
    dropped: bool
    kind: str = Field(description="Of its measure")
    bindings: list[Binding]
    state: str
    expected: Number
    gap: Number
    status: str = Field(description="Its own; under a closed objective: at the closing")
    status_stated: str | None
    status_computed: str | None
    confidence: Number
    last_check_in_at: Instant
    version: int = Field(description="Of its objective's stream; for If-Match")


class KeyResultsAnswer(Listed):
    items: list[ListedKeyResult]


InObjective = Annotated[str | None, Query(max_length=64)]
OwnedBy = Annotated[
    str | None,
    Query(max_length=80, description="unit/<id> or person/<id>: its own, else its objective's"),
]
InUnit = Annotated[str | None, Query(max_length=64, description="Owned by it or a unit beneath it")]
InCycle = Annotated[str | None, Query(max_length=64)]
FedBy = Annotated[str | None, Query(max_length=64, description="A part of it is bound to the feed")]
Shown = Annotated[str | None, word(STATUSES_OF_KEY_RESULTS, "As shown")]
InState = Annotated[str | None, word(STATES, "Of its objective")]


@dataclass(frozen=True, slots=True)
class KeyResultFilters:
    """Which key results are asked for; None: no matter."""

    objective: str | None
    owner: str | None
    unit: str | None
    cycle: str | None
    feed: str | None
    status: str | None
    state: str | None
    dropped: bool | None

    async def need_possible(self, view: View) -> None:
        """Problem 422 `choice_unknown`: a filter that no key result can match."""
        need_word(self.status, "status", STATUSES_OF_KEY_RESULTS)
        need_word(self.state, "state", STATES)
        await need_objective(view, self.objective)
        await need_holder(view, self.owner, "owner")
        await need_unit(view, self.unit)
        await need_cycle(view, self.cycle)
        await need_feed(view, self.feed)

    def match(self, standing: Standing, one: KeyResult, units: frozenset[str] | None) -> bool:
        """``units``: the owners that belong to the unit asked for."""
        goal, owner = standing.goal, _owner(standing, one)
        return (
            (self.objective is None or goal.id == self.objective)
            and (self.owner is None or owner == self.owner)
            and (units is None or owner in units)
            and (self.cycle is None or goal.cycle == self.cycle)
            and (self.state is None or goal.stage == self.state)
            and (self.dropped is None or one.dropped == self.dropped)
            and (self.feed is None or self.feed in {bound.feed for bound in one.bindings.values()})
            and (self.status is None or standing.shown[one.id] == self.status)
        )

    async def matching(self, view: View) -> list[tuple[Standing, KeyResult]]:
        """Those, by id, each with how its objective stands."""
        tree = await view.trees.whole(view.snapshot, view.moment)
        units = None if self.unit is None else beneath(await view.context(), self.unit, view.moment)
        found = [
            (standing, one)
            for standing in tree.standings.values()
            for one in standing.defined.key_results
            if self.match(standing, one, units)
        ]
        return sorted(found, key=lambda pair: pair[1].id)


async def _asked(
    objective: InObjective = None,
    owner: OwnedBy = None,
    unit: InUnit = None,
    cycle: InCycle = None,
    feed: FedBy = None,
    status: Shown = None,
    state: InState = None,
    dropped: bool | None = None,
) -> KeyResultFilters:
    return KeyResultFilters(objective, owner, unit, cycle, feed, status, state, dropped)


KeyResultsAsked = Annotated[KeyResultFilters, Depends(_asked)]

routes = APIRouter(tags=["key results"], route_class=QuestionRoute)


@routes.get("/v1/key-results", summary="Find key results")
async def many(
    request: GoalsRequest,
    filters: KeyResultsAsked,
    limit: Limit = 100,
    cursor: After = None,
) -> Answers[KeyResultsAnswer]:
    """By id, with scores and statuses; parts, values and evidence are in the answer about one."""
    async with view_of(request) as view:
        await filters.need_possible(view)
        page = page_of(request, view, await filters.matching(view), limit, cursor)
        return listed(request, view, page, await _written(view, page.items))


@routes.get("/v1/key-results/{id}", summary="One key result")
async def one(request: GoalsRequest, id: str) -> Found[KeyResultAnswer]:
    """Its measure, parts and values, with the event ids of the facts that they come from."""
    async with view_of(request) as view:
        standing, found = await key_result_standing(view, id)
        context = await view.context()
        events, version = await events_and_version(
            view.snapshot,
            shown.evidence_seqs([standing]),
            f"objective/{standing.goal.id}",
            view.clocks.seq,
        )
        body = {
            "key_result": shown.key_result(standing, found, spans_of(context, standing, found), events),
            "version": version,
        }
        return answered(request, view.clocks, body)


async def key_result_standing(view: View, id: str) -> tuple[Standing, KeyResult]:
    """A key result and how its objective stands, also before it existed. Problem 404."""
    objective = await view.goals.objective_of(view.snapshot, id, view.clocks.seq)
    if objective is not None:
        standing = await standing_of(view, objective)
        found = standing.defined.key_result(id) or standing.added_key_result(id)
        if found is not None:
            return standing, found
    raise Problem(404, "not_found", "There is no such key result here at these clocks.")


def _owner(standing: Standing, one: KeyResult) -> str:
    return one.owner or standing.goal.owner


async def _written(view: View, page: Sequence[tuple[Standing, KeyResult]]) -> list[dict[str, Any]]:
    seq = view.clocks.seq
    known = await versions(
        view.snapshot, sorted({f"objective/{standing.goal.id}" for standing, _ in page}), seq
    )
    heard = await (await view.history()).values.check_ins_however_old(
        [
            CheckInsHoweverOld(
                of.goal.id, (one.id,), of.moment.true_at, of.moment.true_at, of.moment.known_to
            )
            for of, one in page
        ],
    )
    return [
        {
            **shown.listed_key_result(standing, one, _owner(standing, one)),
            **_said(heard.get((standing.goal.id, one.id), NO_CHECK_IN)),
            "version": known.get(f"objective/{standing.goal.id}", 0),
        }
        for standing, one in page
    ]


def _said(last: LastCheckIn) -> dict[str, Any]:
    return {"confidence": number(last.confidence), "last_check_in_at": time(last.word.at)}
