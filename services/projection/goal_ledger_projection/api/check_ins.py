"""`GET /v1/check-ins`: what was said of goals, by whom and when; one check-in with all its revisions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from goal_ledger_contracts.canonical import instant_text
from goal_ledger_edge.routing import Answers
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Listed, Number, Shape, answered, number
from goal_ledger_projection.api.choices import (
    STATED,
    need_holder,
    need_key_result,
    need_objective,
    need_period,
    need_unit,
    need_word,
    word,
)
from goal_ledger_projection.api.clocks import instant
from goal_ledger_projection.api.lists import Json, Page, listed, not_found
from goal_ledger_projection.api.objectives import beneath
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute, read_pair
from goal_ledger_projection.api.routes import cursor as cursor_of
from goal_ledger_projection.api.streams import versions
from goal_ledger_projection.api.texts import Text, Texts
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.snapshots import Row
from goal_ledger_projection.read_models.check_ins import (
    BY_TIME,
    IN_FORCE,
    ON_KEY_RESULT,
    REVISIONS,
    count_of_check_ins,
    page_of_check_ins,
)

_PERSONAL = ("note", "blockers", "evidence")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CheckInShape(Shape):
    id: str
    objective: str
    key_result: str | None = Field(description="Null: on the objective itself")
    author: str = Field(description="Whose word it is: person/<id>, or system/<id>")
    actor: str = Field(description="Who recorded it")
    effective_at: str
    recorded_at: str
    values: list[dict[str, Any]] = Field(
        description="By part: {part, value}, or {part, done}: the complete list of steps done"
    )
    confidence: Number
    status: str | None = Field(description="As stated: on_track, behind or at_risk")
    method: str
    note: str | None
    blockers: list[str]
    evidence: list[str]
    reason: str | None
    after_closing: bool = Field(description="Recorded after the objective's closing")
    seq: int = Field(description="Of the fact that this content comes from")
    event_id: str
    version: int = Field(description="Of its objective's stream; for If-Match")


class RevisionShape(CheckInShape):
    ended_seq: int | None = Field(description="The fact that corrected or retracted it; null: in force")


class CheckInsAnswer(Listed):
    items: list[CheckInShape]


class CheckInAnswer(AnswerAtClocks):
    check_in: CheckInShape = Field(description="Its present content; of one retracted, its last")
    retracted: bool
    revisions: list[RevisionShape] = Field(description="The first, then its corrections")


ByAuthor = Annotated[str | None, Query(max_length=80, description="person/<id>: whose word it is")]
OnObjective = Annotated[str | None, Query(max_length=64, description="And its key results")]
OnKeyResult = Annotated[str | None, Query(max_length=64)]
InUnit = Annotated[str | None, Query(max_length=64, description="On goals owned by it or a unit beneath it")]
Stated = Annotated[str | None, word(STATED, "As stated")]
From = Annotated[str | None, Query(alias="from", max_length=40, description="True at that instant or later")]
To = Annotated[str | None, Query(max_length=40, description="True before that instant")]


@dataclass(frozen=True, slots=True)
class CheckInFilters:
    """Which check-ins are asked for; None: no matter."""

    author: str | None
    objective: str | None
    key_result: str | None
    unit: str | None
    status: str | None
    from_: str | None
    to: str | None

    async def question(self, view: View) -> CheckInQuestion:
        """Problem 422: a filter that no check-in can match, or no instant."""
        need_word(self.status, "status", STATED)
        await need_holder(view, self.author, "author", ("person", "system"))
        await need_objective(view, self.objective)
        await need_key_result(view, self.key_result)
        await need_unit(view, self.unit)
        question = CheckInQuestion(view)
        question.where("author = {}", self.author)
        question.where("objective = {}", self.objective)
        question.where(ON_KEY_RESULT, self.key_result)
        question.where("status = {}", self.status)
        if self.objective is None and self.key_result is None:
            question.where(BY_TIME)
        question.where(
            "objective = ANY ({})", None if self.unit is None else await _goals_of(view, self.unit)
        )
        start = None if self.from_ is None else instant(self.from_, "from")
        end = None if self.to is None else instant(self.to, "to")
        need_period(start, end, "from")
        question.where("effective_at >= {}", start)
        question.where("effective_at < {}", end)
        return question


class CheckInQuestion:
    """Builds the statement; values are always passed apart."""

    def __init__(self, view: View) -> None:
        self.values: list[Any] = [view.clocks.seq, view.clocks.as_of]
        self.conditions = list(IN_FORCE)

    def where(self, condition: str, *values: Any) -> None:
        if None not in values:
            numbers = [f"${len(self.values) + i}" for i in range(2, len(values) + 2)]
            self.values.extend(values)
            self.conditions.append(condition.format(*numbers))

    def counted(self) -> str:
        return count_of_check_ins(self.conditions)

    def page(self, limit: int) -> str:
        return page_of_check_ins(self.conditions, limit)


routes = APIRouter(tags=["check-ins"], route_class=QuestionRoute)


@routes.get("/v1/check-ins", summary="Find check-ins")
async def many(
    request: GoalsRequest,
    author: ByAuthor = None,
    objective: OnObjective = None,
    key_result: OnKeyResult = None,
    unit: InUnit = None,
    status: Stated = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 100,
    cursor: After = None,
) -> Answers[CheckInsAnswer]:
    """The content in force of each, the latest first."""
    async with view_of(request) as view:
        filters = CheckInFilters(author, objective, key_result, unit, status, from_, to)
        question = await filters.question(view)
        page = await _page(request, view, question, limit, cursor)
        return listed(request, view, page, await check_ins_written(view, page.items))


@routes.get("/v1/check-ins/{id}", summary="One check-in")
async def one(request: GoalsRequest, id: str) -> Found[CheckInAnswer]:
    """Its present content, and all its revisions."""
    async with view_of(request) as view:
        rows = await view.snapshot.fetch(REVISIONS, id, view.clocks.seq)
        if not rows or min(row["effective_at"] for row in rows) > view.clocks.as_of:
            raise not_found("check-in")
        written = await check_ins_written(view, rows)
        ends = [_ended(row, view.clocks.seq) for row in rows]
        body = {
            "check_in": written[-1],
            "retracted": ends[-1] is not None,
            "revisions": [{**one, "ended_seq": end} for one, end in zip(written, ends, strict=True)],
        }
        return answered(request, view.clocks, body)


async def _goals_of(view: View, unit: str) -> list[str]:
    tree = await view.trees.whole(view.snapshot, view.moment)
    units = beneath(await view.context(), unit, view.moment)
    return [id for id, one in tree.standings.items() if one.goal.body["owner"] in units]


async def _page(
    request: Request, view: View, question: CheckInQuestion, limit: int, cursor: str | None
) -> Page[Row]:
    """From the cursor on: it holds (effective_at in µs since 1970, seq) of the last one shown."""
    token = str(view.clocks.token)
    total = await view.snapshot.first(question.counted(), *question.values)
    after = read_pair(request, cursor, token)
    if after is not None:
        question.where("(effective_at, seq) < ({}, {})", _EPOCH + timedelta(microseconds=after[0]), after[1])
    rows = await view.snapshot.fetch(question.page(limit + 1), *question.values)
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        since = (last["effective_at"] - _EPOCH) // timedelta(microseconds=1)
        following = cursor_of(request, token, (since, last["seq"]))
    return Page(rows[:limit], 0 if total is None else total[0], following)


def _ended(row: Row, seq: int) -> int | None:
    ended: int | None = row["ended_seq"]
    return ended if ended is not None and ended <= seq else None


async def check_ins_written(view: View, rows: Sequence[Row]) -> list[Json]:
    """The items of :class:`CheckInsAnswer`."""
    bodies = [json.loads(row["body"]) for row in rows]
    texts = view.texts()
    personal = [
        {name: Text(body[name], body["event_id"], f"/{name}") for name in _PERSONAL if name in body}
        for body in bodies
    ]
    await texts.look_up(text for many in personal for text in many.values())
    known = await versions(
        view.snapshot, sorted({f"objective/{row['objective']}" for row in rows}), view.clocks.seq
    )
    return [
        _check_in(row, body, of_it, texts, known.get(f"objective/{row['objective']}", 0))
        for row, body, of_it in zip(rows, bodies, personal, strict=True)
    ]


def _check_in(row: Row, body: Json, personal: dict[str, Text], texts: Texts, version: int) -> Json:
    opened = {name: texts.open(text) for name, text in personal.items()}
    return {
        "id": row["check_in"],
        "objective": row["objective"],
        "key_result": row["key_result"],
        "author": row["author"],
        "actor": row["actor"],
        "effective_at": instant_text(row["effective_at"]),
        "recorded_at": instant_text(row["recorded_at"]),
        "values": [one if "value" in one else {"done": [], **one} for one in body["values"]],
        "confidence": number(row["confidence"]),
        "status": row["status"],
        "method": row["method"],
        "note": opened.get("note"),
        "blockers": opened.get("blockers", []),
        "evidence": opened.get("evidence", []),
        "reason": body.get("reason"),
        "after_closing": row["after_closing"],
        "seq": row["seq"],
        "event_id": body["event_id"],
        "version": version,
    }
