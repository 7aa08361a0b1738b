"""`GET /v1/commitments`: the register of commitments at a date: what was committed to, by whom, when, and what became of it
(SPEC 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from goal_ledger_contracts.canonical import decimal_text
from goal_ledger_edge.routing import Answers
from goal_ledger_history.explanation import Cited
from goal_ledger_history.goals import Goal, KeyResult, Version
from goal_ledger_history.statuses import Standing
from pydantic import Field

from goal_ledger_projection.api import cited, shown
from goal_ledger_projection.api.answers import Instant, Listed, Number, Shape, time
from goal_ledger_projection.api.choices import STATES, need_objective, need_word, word
from goal_ledger_projection.api.goalpost_moves import OfObjective, changes_in, only
from goal_ledger_projection.api.lists import Json, listed, page_of
from goal_ledger_projection.api.owned import InCycle, InUnit, Owned, OwnedBy
from goal_ledger_projection.api.routes import After, QuestionRoute
from goal_ledger_projection.api.shown import Binding, Scores
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.context import Context

LIMIT_ITEMS_MAX = 200
COMMITTED_STATES = STATES[1:]


class KeyResultInRegister(Shape):
    id: str
    text: str
    owner: str | None
    weight: str
    measure: dict[str, object] = Field(description="With a baseline that was found later")
    bindings: list[Binding]


class ContributingLink(Shape):
    objective: str = Field(description="Its score counts in this goal")
    to: str = Field(description="objective/<id> or key-result/<id>")
    weight: str


class CommitmentShape(Scores):
    objective: str
    committed_at: str = Field(description="When it was activated for the first time")
    recorded_at: str
    by: str = Field(description="Who activated it")
    reason: str | None
    event_id: str
    seq: int
    title: str
    description: str | None
    kind: str | None
    owner: str
    contributors: list[str]
    cycle: str | None
    start: str | None = Field(description="First local day of the cycle, as it was committed to")
    end: str | None = Field(description="Last local day")
    key_results: list[KeyResultInRegister]
    contributing: list[ContributingLink] = Field(
        description="Goals that counted in it when it was committed to"
    )
    state: str = Field(description="At `as_of`: active, closed or archived")
    outcome: str | None
    grade: Number
    closed_at: Instant
    present_owner: str = Field(description="At `as_of`")
    present_cycle: str | None
    amendments: int = Field(description="Changes of it since, as /v1/amendments lists them")
    goalpost_moves: int = Field(description="Those of them that change what is counted")


class CommitmentsAnswer(Listed):
    items: list[CommitmentShape]


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/commitments", summary="The register of commitments")
async def commitments(
    request: GoalsRequest,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    objective: OfObjective = None,
    state: Annotated[str | None, word(COMMITTED_STATES, "At `as_of`")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX, description="How many items at most")] = 50,
    cursor: After = None,
) -> Answers[CommitmentsAnswer]:
    """Every goal that was activated by `as_of`, in the order in which that was recorded: its definition at the first
    activation, and what became of it. The filters match by what it was then or is at `as_of`."""
    async with view_of(request) as view:
        await need_objective(view, objective)
        need_word(state, "state", COMMITTED_STATES)
        owned = await Owned.of(view, cycle, unit, owner)
        page = page_of(request, view, await _committed(view, owned, state, only(objective)), limit, cursor)
        return listed(request, view, page, await _written(view, [now for now, _ in page.items]))


async def _committed(
    view: View, owned: Owned, state: str | None, objectives: list[str] | None
) -> list[tuple[Goal, Goal]]:
    """Each goal as it is and as it was committed to. ``objectives``: these alone."""
    definitions = (await view.history()).definitions
    present = (await definitions.goals(await definitions.versions_at(view.moment, objectives))).values()
    activated = {one.id: (one.id, one.activated_seq) for one in present if one.activated_seq is not None}
    first = await definitions.goals(activated.values())
    pairs = [(one, first[activated[one.id]]) for one in present if one.id in activated]
    asked = [
        (now, then)
        for now, then in pairs
        if owned.has((now.owner, then.owner), (now.cycle, then.cycle)) and state in (None, now.stage)
    ]
    return sorted(asked, key=lambda both: both[1].seq)


async def _written(view: View, goals: Sequence[Goal]) -> list[Json]:
    history, context = await view.history(), await view.context()
    standings = await history.at(view.moment, [one.id for one in goals])
    activated: dict[str, Version] = {one.id: (one.id, one.activated_seq or 0) for one in goals}
    first = await history.definitions.goals(activated.values())
    facts = await cited.cited_facts(view.snapshot, (Cited(seq) for _, seq in activated.values()))
    changes = await changes_in(view, list(activated))
    amended = Counter(one.objective for one in changes)
    moved = Counter(one.objective for one in changes if one.is_move)
    return [
        _item(context, standings[one.id], first[activated[one.id]], facts[activated[one.id][1]])
        | {"amendments": amended[one.id], "goalpost_moves": moved[one.id]}
        for one in goals
    ]


def _item(context: Context, standing: Standing, then: Goal, fact: Json) -> Json:
    now, committed, body = standing.goal, standing.committed, then.body
    assert committed is not None
    return {
        "objective": now.id,
        "committed_at": fact["effective_at"],
        "recorded_at": fact["recorded_at"],
        "by": fact["actor"],
        **{name: fact[name] for name in ("reason", "event_id", "seq")},
        **{
            name: body.get(name)
            for name in ("title", "description", "kind", "owner", "contributors", "cycle")
        },
        **_dates(context, then),
        "key_results": [_key_result(one) for one in committed.key_results if not one.dropped],
        "contributing": _contributing(context, then),
        **_became(now),
        **shown.scores_of(standing.amended.score, standing.as_committed.score),
    }


def _dates(context: Context, then: Goal) -> Json:
    cycle = None if then.cycle is None else context.body("cycle", then.cycle, then.seq, None)
    return {edge: None if cycle is None else cycle[edge] for edge in ("start", "end")}


def _became(now: Goal) -> Json:
    closing = None if now.closing is None else now.body["closings"][-1]
    return {
        "state": now.stage,
        "outcome": now.outcome,
        "grade": None if closing is None else closing.get("grade"),
        "closed_at": None if now.closing is None else time(now.closing.at),
        "present_owner": now.owner,
        "present_cycle": now.cycle,
    }


def _key_result(one: KeyResult) -> Json:
    return {
        "id": one.id,
        "text": one.text,
        "owner": one.owner,
        "weight": decimal_text(one.weight),
        "measure": one.body["measure"],
        "bindings": shown.bindings(one),
    }


def _contributing(context: Context, then: Goal) -> list[Json]:
    parents = [f"objective/{then.id}", *(f"key-result/{one.id}" for one in then.key_results)]
    return [
        {"objective": link.child, "to": parent, "weight": decimal_text(link.weight)}
        for parent in parents
        for link in context.links_to(parent, then.seq, None)
        if link.contributes
    ]
