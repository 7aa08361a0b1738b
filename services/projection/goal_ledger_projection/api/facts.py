"""`GET /v1/facts`: the facts as they were recorded, for analysts, auditors and admins."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from unicodedata import normalize

from fastapi import APIRouter, Query, Request
from goal_ledger_contracts.facts import FACTS, STREAM_OF
from goal_ledger_contracts.ids import ID
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers, Gives
from goal_ledger_edge.visits import note
from pydantic import ConfigDict, Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Shape, answered, respond
from goal_ledger_projection.api.choices import need_holder, need_period, need_stream, unknown
from goal_ledger_projection.api.clocks import instant
from goal_ledger_projection.api.routes import SEQ_MAX, After, QuestionRoute, read_cursor
from goal_ledger_projection.api.routes import cursor as cursor_of
from goal_ledger_projection.api.texts import texts_of
from goal_ledger_projection.api.timeline import opened_data
from goal_ledger_projection.api.view import RecordRequest, View, view_of
from goal_ledger_projection.history.snapshots import Row
from goal_ledger_projection.read_models.facts import THEN, page_of_facts

LIMIT_ITEMS_MAX = 1000
JSON_LINES = "application/jsonl"
NEXT_CURSOR_HEADER = "Goal-Ledger-Next-Cursor"


class FactShape(Shape):
    model_config = ConfigDict(extra="allow")

    event_id: str
    workspace: str
    seq: int
    stream: str
    version: int
    type: str
    effective_at: str
    recorded_at: str
    actor: str
    data: dict[str, Any]


class FactsAnswer(AnswerAtClocks):
    items: list[FactShape] = Field(
        description="As recorded, personal text opened; format=jsonl gives the bytes"
    )
    next_cursor: str | None


class FactsQuestion:
    """Builds the statement; values are always passed apart."""

    def __init__(self, conditions: Sequence[str], *values: Any) -> None:
        self.values: list[Any] = list(values)
        self.conditions = list(conditions)

    def where(self, condition: str, value: Any) -> None:
        if value is not None:
            self.values.append(value)
            self.conditions.append(condition.format(f"${len(self.values) + 1}"))

    def within(self, time: str, since: str | None, until: str | None) -> None:
        """Problem 422: not instants, or a period that nothing lies in."""
        start, end = _instant(since, f"{time}_from"), _instant(until, f"{time}_to")
        need_period(start, end, f"{time}_from")
        self.where(f"{time}_at >= {{}}", start)
        self.where(f"{time}_at < {{}}", end)

    def statement(self, descending: bool, limit: int) -> str:
        return page_of_facts(self.conditions, descending, limit)


Stream = Annotated[str | None, Query(max_length=80, examples=["objective/web-shop"])]
Type = Annotated[str | None, Query(max_length=400, description="One or several, with commas")]
Actor = Annotated[str | None, Query(max_length=80, examples=["person/kari"])]


class FactFilter(NamedTuple):
    """Which facts are asked for."""

    stream: str | None
    types: list[str] | None
    actor: str | None

    @staticmethod
    async def of(view: View, stream: str | None, type: str | None, actor: str | None) -> FactFilter:
        """Problem 422 `choice_unknown`: there are none such."""
        _need_form(stream, "stream", sorted(set(STREAM_OF.values())))
        await need_stream(view, stream)
        _need_form(actor, "actor", ("person", "system"), "operator")
        await need_holder(view, None if actor == "operator" else actor, "actor", ("person", "system"))
        return FactFilter(stream, _types(type), actor)

    def question(self, conditions: Sequence[str], *values: Any) -> FactsQuestion:
        """Of those for which these conditions hold."""
        question = FactsQuestion(conditions, *values)
        question.where("stream = {}", self.stream)
        question.where("type = ANY ({})", self.types)
        question.where("actor = {}", self.actor)
        return question


Edge = Annotated[str | None, Query(max_length=40)]
OpenEdge = Annotated[str | None, Query(max_length=40, description="Not included")]
AboveSeq = Annotated[int | None, Query(ge=0, le=SEQ_MAX, description="Only seqs above this")]
BelowSeq = Annotated[int | None, Query(ge=1, le=SEQ_MAX, description="Only seqs below this")]
Containing = Annotated[str | None, Query(max_length=200, description="A text in the fact, as written there")]


class FactSearch(NamedTuple):
    """Which facts are searched for at the clocks; None: no matter."""

    stream: str | None
    type: str | None
    actor: str | None
    recorded: tuple[str | None, str | None]
    effective: tuple[str | None, str | None]
    after: int | None
    before: int | None
    q: str | None

    async def question(self, view: View) -> FactsQuestion:
        """Problem 422: what no fact can match, or no instant."""
        only = await FactFilter.of(view, self.stream, self.type, self.actor)
        _need_seqs(self.after, self.before)
        question = only.question(THEN, view.clocks.seq, view.clocks.as_of)
        question.within("recorded", *self.recorded)
        question.within("effective", *self.effective)
        question.where("seq > {}", self.after)
        question.where("seq < {}", self.before)
        text = None if self.q is None else normalize("NFC", self.q)
        question.where("position({} IN convert_from(bytes, 'UTF8')) > 0", text)
        return question


routes = APIRouter(tags=["facts"], route_class=QuestionRoute)


@routes.get("/v1/facts", summary="The facts")
async def facts(
    request: RecordRequest,
    stream: Stream = None,
    type: Type = None,
    actor: Actor = None,
    recorded_from: Edge = None,
    recorded_to: OpenEdge = None,
    effective_from: Edge = None,
    effective_to: OpenEdge = None,
    after: AboveSeq = None,
    before: BelowSeq = None,
    q: Containing = None,
    order: Annotated[Literal["asc", "desc"], Query()] = "asc",
    limit: Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX)] = 100,
    format: Annotated[
        Literal["json", "jsonl"], Query(description="jsonl: the canonical bytes, a line each")
    ] = "json",
    cursor: After = None,
) -> Annotated[Answers[FactsAnswer], Gives(content={JSON_LINES: {"type": "string"}})]:
    """As they were recorded, by filters; whoever reads them is noted in the access log."""
    async with view_of(request) as view:
        recorded, effective = (recorded_from, recorded_to), (effective_from, effective_to)
        search = FactSearch(stream, type, actor, recorded, effective, after, before, q)
        question = await search.question(view)
        descending = order == "desc"
        last = read_cursor(request, cursor, str(view.clocks.token)) or None
        question.where("seq < {}" if descending else "seq > {}", last)
        rows = await view.snapshot.fetch(question.statement(descending, limit + 1), *question.values)
        more = len(rows) > limit
        rows = rows[:limit]
        _note(request, view, rows)
        following = cursor_of(request, str(view.clocks.token), rows[-1]["seq"]) if more else None
        if format == "jsonl":
            lines = b"".join(bytes(row["bytes"]) + b"\n" for row in rows)
            answer = respond(request, view.clocks, lines, JSON_LINES)
            if following is not None:
                answer.headers[NEXT_CURSOR_HEADER] = following
            answer.headers["Goal-Ledger-Token"] = str(view.clocks.token)
            return answer
        items = await opened(view, [json.loads(row["bytes"]) for row in rows])
        return answered(request, view.clocks, {"items": items, "next_cursor": following})


def _note(request: Request, view: View, rows: Sequence[Row]) -> None:
    """In the access log: which facts were given (SPEC 11)."""
    note(
        request,
        view.reader.workspace,
        known_at=str(view.clocks.known),
        facts=len(rows),
        first_seq=min((row["seq"] for row in rows), default=None),
        last_seq=max((row["seq"] for row in rows), default=None),
    )


async def opened(view: View, facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Facts with their personal text in clear."""
    texts = view.texts()
    personal = [texts_of(one["type"], one["event_id"], one["data"]) for one in facts]
    await texts.look_up(text for many in personal for text in many.values())
    return [
        {**one, "data": opened_data(one, of_it, texts)} for one, of_it in zip(facts, personal, strict=True)
    ]


def _types(text: str | None) -> list[str] | None:
    if text is None:
        return None
    found = [one.strip() for one in text.split(",") if one.strip()]
    absent = [one for one in found if one not in FACTS]
    if absent or not found:
        sentence = (
            f"There is no type of fact {(absent or [text])[0][:64]!r}; known are {', '.join(sorted(FACTS))}."
        )
        raise unknown(sentence, "type", sorted(FACTS))
    return found


def _need_form(text: str | None, field: str, kinds: Collection[str], *words: str) -> None:
    """Problem 422 `choice_unknown`: neither `<kind>/<id>` of one of these kinds nor one of these words."""
    if text is None or text in words:
        return
    kind, _, id = text.partition("/")
    if kind not in kinds or not ID.fullmatch(id):
        forms = [*(f"{one}/<id>" for one in kinds), *words]
        raise unknown(f"{field} is {', '.join(forms)}.", field, forms)


def _need_seqs(after: int | None, before: int | None) -> None:
    """Problem 422: no seq lies between these."""
    if after is not None and before is not None and before <= after + 1:
        raise Problem(422, "invalid", f"No seq lies above {after} and below {before}.", field="before")


def _instant(text: str | None, field: str) -> datetime | None:
    return None if text is None else instant(text, field)
