"""`POST /v1/what-if`: a question asked of a record that is not so: facts left out, or another policy. Nothing changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.workspace import Policy
from goal_ledger_contracts.zones import names
from goal_ledger_edge.bodies import read_json
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Right, Takes
from goal_ledger_history.explanation import Cited
from goal_ledger_history.scores_at import ScoresAt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.alignment import AlignmentAnswer
from goal_ledger_projection.api.answers import Shape, encoded, respond
from goal_ledger_projection.api.choices import need_holder
from goal_ledger_projection.api.cited import CitedFact
from goal_ledger_projection.api.key_results import KeyResultAnswer
from goal_ledger_projection.api.objective import ObjectiveAnswer
from goal_ledger_projection.api.routes import Found, QuestionRoute
from goal_ledger_projection.api.subquestions import OF_MAX_CHARACTERS, Json, Subquestion
from goal_ledger_projection.api.view import SUPPOSED, View, view_of
from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.facts_behind import (
    FACTS_BEHIND_MAX,
    FactWithBytes,
    TooManyFacts,
    stored_behind,
)
from goal_ledger_projection.history.supposed import (
    StillNeeded,
    SupposedHistory,
    SupposedPolicy,
    supposed,
)
from goal_ledger_projection.history.trees import Trees
from goal_ledger_projection.read_models.definitions import EVER_OF_KIND

BODY_MAX_BYTES = 65_536
LEFT_OUT_MAX_ITEMS = 100
VIEWS = ("/v1/objectives/{id}", "/v1/key-results/{id}", "/v1/alignment")
_SCOPE = r"^(workspace|(unit|objective)/[A-Za-z0-9._-]{1,64})$"
_POINTS = Field(default=None, ge=0, le=100, max_digits=9, decimal_places=6)


class PolicyOtherwise(BaseModel):
    """What is left out stays as it is set. Members and ranges as of `POST /v1/policies`."""

    model_config = ConfigDict(extra="forbid")

    time_zone: str | None = Field(default=None, max_length=64)
    on_track_points: Decimal | None = _POINTS
    behind_points: Decimal | None = _POINTS
    roll_up: Literal["key_results", "aligned", "both"] | None = None
    cadence_weeks: int | None = Field(default=None, ge=1, le=52, strict=True)
    anchor_weekday: int | None = Field(default=None, ge=1, le=7, strict=True, description="1 is Monday")
    grace_days: int | None = Field(default=None, ge=0, le=60, strict=True)
    feeds_count_as_word: bool | None = Field(default=None, strict=True)

    @property
    def bands_are_reversed(self) -> bool:
        """Both are given, and cannot be so; one alone stands beside whatever is set."""
        on_track, behind = self.on_track_points, self.behind_points
        return on_track is not None and behind is not None and behind < on_track


class WhatIfQuestion(BaseModel):
    """What is asked, and what is supposed."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(
        max_length=OF_MAX_CHARACTERS,
        description=f"Path and query of one of {', '.join(VIEWS)}; clocks there or on this address",
        examples=["/v1/objectives/shop"],
    )
    leave_out: list[UUID] = Field(
        default=[], max_length=LEFT_OUT_MAX_ITEMS, description="Event ids of facts that were never recorded"
    )
    policy: PolicyOtherwise | None = Field(default=None, description="In force in the scope at all times")
    scope: str = Field(default="workspace", pattern=_SCOPE, description="Of the policy")


class Supposed(Shape):
    leave_out: list[CitedFact] = Field(description="The facts that this answer goes without")
    policy: dict[str, Any] | None = Field(description="The members of the policy that are otherwise")
    scope: str | None


class WhatIfObjective(ObjectiveAnswer):
    what_if: Supposed = Field(description="This is not so: what is supposed")


class WhatIfKeyResult(KeyResultAnswer):
    what_if: Supposed = Field(description="This is not so: what is supposed")


class WhatIfAlignment(AlignmentAnswer):
    what_if: Supposed = Field(description="This is not so: what is supposed")


WhatIfAnswer = WhatIfObjective | WhatIfKeyResult | WhatIfAlignment
WhatIfRequest = Annotated[Request, Right(Permission.READ_GOALS), Takes({"application/json": WhatIfQuestion})]

routes = APIRouter(tags=["alignment"], route_class=QuestionRoute)


@routes.post("/v1/what-if", summary="How it would stand without some facts, or under another policy")
async def what_if(request: WhatIfRequest) -> Found[WhatIfAnswer]:
    """The question's own body, with `what_if`. Nothing is recorded; the facts behind it are replayed in memory."""
    asked = _read(await read_json(request, BODY_MAX_BYTES))
    question = Subquestion(request, asked.question, "/question", VIEWS)
    async with view_of(_at_its_clocks(request, question)) as view:
        clocks = view.clocks
    suppose = _Supposing(asked, question)
    body = await question.at(str(clocks.token), **{SUPPOSED: suppose.view})
    return respond(request, clocks, encoded({**body, "what_if": suppose.told}))


def _read(sent: Any) -> WhatIfQuestion:
    """Problems 422 `invalid`, `bands_reversed`."""
    try:
        asked = WhatIfQuestion.model_validate(sent)
    except ValidationError as wrong:
        errors = [{**one, "loc": ("body", *one["loc"])} for one in wrong.errors()]
        raise RequestValidationError(errors) from None
    policy = asked.policy
    if policy is not None and policy.time_zone is not None and policy.time_zone not in names():
        raise Problem(422, "invalid", "There is no such IANA time zone.", field="/policy/time_zone")
    if policy is not None and policy.bands_are_reversed:
        sentence = "behind_points is below on_track_points."
        raise Problem(422, "bands_reversed", sentence, field="/policy/behind_points")
    return asked


def _at_its_clocks(request: Request, question: Subquestion) -> Request:
    """The request with the clocks that the question states. Problem 422 `invalid`: stated twice."""
    both = {name for name, _ in question.clocks} & request.query_params.keys()
    if both:
        raise Problem(422, "invalid", f"{min(both)} is stated twice.", field="/question")
    query = urlencode([*request.query_params.multi_items(), *question.clocks])
    return Request({**request.scope, "query_string": query.encode()}, request.receive)


@dataclass(frozen=True, slots=True)
class SupposedView(View):
    """A view of what is supposed."""

    supposed: SupposedHistory

    async def context(self) -> Context:
        return self.supposed.context

    async def history(self) -> ScoresAt:
        return self.supposed.scores

    @property
    def trees(self) -> Trees:
        return self.supposed.trees


class _Supposing:
    """Makes of the view of the record one of what is supposed."""

    def __init__(self, asked: WhatIfQuestion, question: Subquestion) -> None:
        self._asked, self._question = asked, question
        self.told: Json = {}

    async def view(self, view: View) -> View:
        """Problems 404, 422."""
        context, asked = await view.context(), self._asked
        facts = await self._behind(view, context)
        left = _seqs(facts, asked.leave_out)
        policy = None
        given = {} if asked.policy is None else asked.policy.model_dump(exclude_none=True)
        if given:
            if asked.scope != "workspace":
                await need_holder(view, asked.scope, "/scope", ("unit", "objective"))
            policy = SupposedPolicy(asked.scope, Policy(**given))
        try:
            found = await asyncio.to_thread(
                supposed, view.snapshot, context, view.goals, facts, set(left), policy
            )
        except StillNeeded as refused:
            raise _needed(facts, refused) from None
        named = await cited.cited_facts(view.snapshot, [Cited(seq) for seq in left])
        written = None if asked.policy is None else asked.policy.model_dump(mode="json", exclude_none=True)
        scope = asked.scope if policy is not None else None
        self.told = {"leave_out": list(named.values()), "policy": written, "scope": scope}
        return SupposedView(view.snapshot, view.reader, view.clocks, view.views, found)

    async def _behind(self, view: View, context: Context) -> list[FactWithBytes]:
        """Problem 422 `too_many_facts`."""
        seq = view.clocks.seq
        try:
            return await stored_behind(view.snapshot, context, await self._objectives(view), seq)
        except TooManyFacts:
            sentence = f"It rests on more than {FACTS_BEHIND_MAX} facts; ask of a goal beneath it."
            raise Problem(422, "too_many_facts", sentence, limit=FACTS_BEHIND_MAX) from None

    async def _objectives(self, view: View) -> set[str]:
        id, seq = self._question.path_params.get("id"), view.clocks.seq
        if id is None:
            return {row["id"] for row in await view.snapshot.fetch(EVER_OF_KIND, "objective", seq)}
        if self._question.route.path == VIEWS[1]:
            id = await view.goals.objective_of(view.snapshot, id, seq)
        return set() if id is None else {id}


def _seqs(facts: list[FactWithBytes], leave_out: list[UUID]) -> list[int]:
    """Problem 422 `fact_not_behind`."""
    known = {fact.event_id: fact.seq for fact, _ in facts}
    for place, one in enumerate(leave_out):
        if str(one) not in known:
            sentence = "No fact that the answer rests on has this event id."
            raise Problem(422, "fact_not_behind", sentence, field=f"/leave_out/{place}")
    return [known[str(one)] for one in leave_out]


def _needed(facts: list[FactWithBytes], refused: StillNeeded) -> Problem:
    known = {fact.seq: fact for fact, _ in facts}
    needed = [
        {
            "event_id": str(known[seq].event_id),
            "type": type(known[seq].data).__name__,
            "needed_by": [str(known[one].event_id) for one in by],
        }
        for seq, by in sorted(refused.by.items())
    ]
    first = needed[0]
    sentence = f"{first['type']} cannot be left out alone: {len(first['needed_by'])} other facts need it."
    return Problem(422, "needed_by_others", sentence, field="/leave_out", needed=needed)
