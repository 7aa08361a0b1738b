"""`GET /v1/objectives/{id}/attribution`, `GET /v1/key-results/{id}/attribution`: what moved a score between two answers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_contracts.position import Position
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.attribution import Attribution, MovedSubject, ScoreChange, attribute
from goal_ledger_history.before_it_existed import is_known
from goal_ledger_history.causes import CAUSES, subject_of
from goal_ledger_history.explanation import Cited
from goal_ledger_scoring.numbers import ZERO, add
from pydantic import Field
from starlette.requests import Request

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.answers import AnswerAtClocks, Number, Shape, answered, number
from goal_ledger_projection.api.calendar_times import calendar_time
from goal_ledger_projection.api.cited import CitedFact
from goal_ledger_projection.api.clocks import Clocks, StatedClocks, Token, known_at_of
from goal_ledger_projection.api.earlier import moment, side
from goal_ledger_projection.api.routes import (
    ALSO_BY_CALENDAR,
    BY_CALENDAR,
    INSTANT,
    POSITION,
    Found,
    QuestionRoute,
)
from goal_ledger_projection.api.shown import Scores, scores_of
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.facts_behind import FACTS_BEHIND_MAX, TooManyFacts, facts_behind

Json = dict[str, Any]


class AttributionSide(Scores):
    token: str = Field(description="Ask for the thing itself with token=… to get the answer of this side")
    position: str
    as_of: str


class Moves(Shape):
    change: str = Field(description="By how much the score as amended moved; not measured counts as 0 here")
    change_committed: str = Field(description="The same of the score as committed")


class MovedChild(Shape):
    ref: str = Field(description="key-result/<id> or objective/<id>")
    change: str = Field(description="By how much it moved the score as amended")


class AttributionPart(Moves):
    cause: str = Field(description="Why the score moved", json_schema_extra={"enum": list(CAUSES)})
    along: str = Field(
        description="known_at: it was learnt, at the old as_of. as_of: it took effect, as known in the end"
    )
    seq: int | None = Field(description="Of the fact; null: time alone")
    event_id: str | None
    subject: str | None = Field(
        description="What the fact is about: key-result/<id>, objective/<id>, feed/<id> …"
    )
    score_before: Number
    score: Number = Field(description="As amended, after the fact")
    children: list[MovedChild] = Field(description="What each child of the asked thing moved; they add up")


class CauseTotal(Moves):
    cause: str
    facts: int = Field(description="How many parts have this cause")


class AttributionAnswer(AnswerAtClocks, Moves):
    ref: str
    start: AttributionSide = Field(alias="from")
    to: AttributionSide
    by_cause: list[CauseTotal] = Field(description="The parts by cause; they add up")
    by_child: list[MovedChild] = Field(description="The parts by child; they add up where there are children")
    parts: list[AttributionPart] = Field(
        description="One for each fact that moved a score; they add up exactly"
    )
    facts: list[CitedFact] = Field(description="The facts of the parts, by seq")


FromAsOf = Annotated[
    str | None,
    Query(
        description=f"`as_of` of the earlier answer (default: that of the later). {ALSO_BY_CALENDAR}",
        json_schema_extra={"anyOf": [INSTANT, *BY_CALENDAR]},
    ),
]
FromKnownAt = Annotated[
    str | None,
    Query(
        description=f"`known_at` of the earlier answer (default: that of the later). {ALSO_BY_CALENDAR}",
        json_schema_extra={"anyOf": [INSTANT, POSITION, *BY_CALENDAR]},
    ),
]
FromToken = Annotated[str | None, Query(max_length=120, description="`token` of the earlier answer")]

routes = APIRouter(route_class=QuestionRoute)


@routes.get(
    "/v1/objectives/{id}/attribution",
    summary="What moved an objective's scores between two answers",
    tags=["objectives"],
)
async def objective(
    request: GoalsRequest,
    id: str,
    from_as_of: FromAsOf = None,
    from_known_at: FromKnownAt = None,
    from_token: FromToken = None,
) -> Found[AttributionAnswer]:
    """One part for each fact, first along known_at, then along as_of, with its cause and what each child moved."""
    async with view_of(request) as view:
        if not await is_known(await view.history(), id, view.clocks.seq):
            raise Problem(404, "not_found", "There is no such objective here at these clocks.")
        start = await _start(view, await _stated(view, from_as_of, from_known_at, from_token))
        return await _answer(request, view, start, MovedSubject(id))


@routes.get(
    "/v1/key-results/{id}/attribution",
    summary="What moved a key result's scores between two answers",
    tags=["key results"],
)
async def key_result(
    request: GoalsRequest,
    id: str,
    from_as_of: FromAsOf = None,
    from_known_at: FromKnownAt = None,
    from_token: FromToken = None,
) -> Found[AttributionAnswer]:
    """One part for each fact, first along known_at, then along as_of, with its cause."""
    async with view_of(request) as view:
        holder = await view.goals.objective_of(view.snapshot, id, view.clocks.seq)
        if holder is None:
            raise Problem(404, "not_found", "There is no such key result here at these clocks.")
        start = await _start(view, await _stated(view, from_as_of, from_known_at, from_token))
        return await _answer(request, view, start, MovedSubject(holder, id))


async def _stated(view: View, as_of: str | None, known_at: str | None, token: str | None) -> StatedClocks:
    """The earlier side's clocks; what is not stated is as on the later side. Problem 422."""
    if token is not None:
        if as_of is not None or known_at is not None:
            sentence = "from_token stands alone, without from_as_of and from_known_at."
            raise Problem(422, "invalid", sentence, field="from_token")
        return StatedClocks(token=Token.parse(token, "from_token"))
    if as_of is None and known_at is None:
        sentence = "State the earlier answer: from_as_of, from_known_at, or from_token."
        raise Problem(422, "invalid", sentence, field="from_as_of")
    return StatedClocks(
        view.clocks.as_of if as_of is None else await view.instant(as_of, "from_as_of"),
        view.clocks.known if known_at is None else await _known_at(view, known_at),
    )


async def _known_at(view: View, text: str) -> datetime | Position:
    if calendar_time(text) is None:
        return known_at_of(text, "from_known_at")
    return await view.instant(text, "from_known_at")


async def _start(view: View, stated: StatedClocks) -> Clocks:
    """Problem 422 `sides_reversed`."""
    end = view.clocks
    try:
        start = await view.clocks_at(stated)
    except Problem as refused:
        refused.field = None if refused.field is None else f"from_{refused.field}"
        raise
    for is_after, field, name in (
        (start.as_of > end.as_of, "from_as_of", "as_of"),
        (start.seq > end.seq, "from_known_at", "known_at"),
    ):
        if is_after:
            where = field if stated.token is None else "from_token"
            sentence = f"The earlier answer's {name} lies after the later one's: swap the two sides."
            raise Problem(422, "sides_reversed", sentence, field=where)
    return start


async def _answer(request: Request, view: View, start: Clocks, subject: MovedSubject) -> Answers[Any]:
    try:
        facts = await facts_behind(view.snapshot, await view.context(), subject.objective, view.clocks.seq)
    except TooManyFacts:
        sentence = f"It rests on more than {FACTS_BEHIND_MAX} facts; ask of a goal or key result beneath it."
        raise Problem(422, "too_many_facts", sentence, limit=FACTS_BEHIND_MAX) from None
    found = await asyncio.to_thread(attribute, facts, subject, moment(start), view.moment)
    return answered(request, view.clocks, await _written(view, start, subject, found))


async def _written(view: View, start: Clocks, subject: MovedSubject, found: Attribution) -> Json:
    parts = [_part(one) for one in found.changes]
    facts = await cited.cited_facts(view.snapshot, cited.seqs_in(parts))
    ref = f"objective/{subject.objective}"
    if subject.key_result is not None:
        ref = f"key-result/{subject.key_result}"
    return {
        "ref": ref,
        "from": _side(start, found.start),
        "to": _side(view.clocks, found.end),
        **_totals(found.changes),
        "by_cause": _by_cause(found.changes),
        "by_child": _children(_child_totals(found.changes)),
        "parts": cited.with_events(parts, facts),
        "facts": list(facts.values()),
    }


def _side(clocks: Clocks, scores: tuple[Decimal | None, Decimal | None]) -> Json:
    return {**side(clocks), **scores_of(*scores)}


def _part(one: ScoreChange) -> Json:
    fact = one.fact
    return {
        "cause": one.cause,
        "along": one.along,
        "seq": None if fact is None else fact.seq,
        "event_id": None if fact is None else Cited(fact.seq),
        "subject": None if fact is None else subject_of(fact),
        "change": number(one.moved.amended),
        "change_committed": number(one.moved.committed),
        "score_before": number(one.before),
        "score": number(one.after),
        "children": _children(one.children.items()),
    }


def _children(moved: Iterable[tuple[str, Decimal]]) -> list[Json]:
    return [{"ref": ref, "change": number(change)} for ref, change in moved]


def _child_totals(changes: Iterable[ScoreChange]) -> Iterator[tuple[str, Decimal]]:
    """The one that moved most first."""
    totals: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in changes:
        for ref, change in one.children.items():
            totals[ref] = add(totals[ref], change)
    yield from sorted(totals.items(), key=lambda total: (-abs(total[1]), total[0]))


def _totals(changes: Sequence[ScoreChange]) -> Json:
    amended = reduce(add, [one.moved.amended for one in changes], ZERO)
    committed = reduce(add, [one.moved.committed for one in changes], ZERO)
    return {"change": number(amended), "change_committed": number(committed)}


def _by_cause(changes: Sequence[ScoreChange]) -> list[Json]:
    """The one that moved most first."""
    found: defaultdict[str, list[ScoreChange]] = defaultdict(list)
    for one in changes:
        found[one.cause].append(one)
    made = [{"cause": cause, **_totals(parts), "facts": len(parts)} for cause, parts in found.items()]
    return sorted(made, key=lambda one: (-abs(Decimal(one["change"])), one["cause"]))
