"""`GET /v1/objectives/{id}/timeline`: every fact of an objective, with what it changed from and to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_contracts.canonical import decimal_text
from goal_ledger_edge.problems import Problem
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Shape, answered
from goal_ledger_projection.api.routes import After, Found, QuestionRoute, read_cursor
from goal_ledger_projection.api.routes import cursor as cursor_of
from goal_ledger_projection.api.texts import Text, Texts, texts_of
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.read_models.definitions import OF_OBJECTIVE_BETWEEN
from goal_ledger_projection.read_models.facts import PAGE_OF_STREAM
from goal_ledger_projection.read_models.value_rows import OF_KEY_RESULTS

LIMIT_ITEMS_MAX = 500
Json = dict[str, Any]

_NOT_COMPARED = frozenset({"changed", "activated_seq", "drafted_seq", "closings", "pauses"})
_OF_KEY_RESULT = ("text", "description", "measure", "weight", "owner", "bindings", "dropped")


class Change(Shape):
    field: str = Field(
        description="Path within the definition, or of the value", examples=["key_results/kr-1/weight"]
    )
    before: Any
    after: Any


class TimelineEntry(Shape):
    seq: int
    version: int
    event_id: str
    type: str
    effective_at: str
    recorded_at: str
    actor: str
    reason: str | None
    after_activation: bool = Field(description="The definition was a commitment when this was recorded")
    data: dict[str, Any] = Field(description="Of the fact, personal text opened")
    changes: list[Change]


class TimelineAnswer(AnswerAtClocks):
    objective: str
    items: list[TimelineEntry]
    next_cursor: str | None


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/objectives/{id}/timeline", summary="What happened to an objective")
async def timeline(
    request: GoalsRequest,
    id: str,
    limit: Annotated[int, Query(ge=1, le=LIMIT_ITEMS_MAX)] = 100,
    cursor: After = None,
) -> Found[TimelineAnswer]:
    """Every fact of its stream, with what each changed from and to; personal text opened."""
    async with view_of(request) as view:
        after = read_cursor(request, cursor, str(view.clocks.token))
        rows = await view.snapshot.fetch(
            PAGE_OF_STREAM, f"objective/{id}", view.clocks.seq, view.clocks.as_of, after, limit + 1
        )
        if not rows and not after:
            raise Problem(404, "not_found", "There is no such objective here at these clocks.")
        page = [json.loads(row["bytes"]) for row in rows[:limit]]
        more = len(rows) > limit
        body = {
            "objective": id,
            "items": await _entries(view, id, page) if page else [],
            "next_cursor": cursor_of(request, str(view.clocks.token), page[-1]["seq"]) if more else None,
        }
        return answered(request, view.clocks, body)


async def _entries(view: View, id: str, facts: list[Json]) -> list[Json]:
    definitions = {
        row["seq"]: json.loads(row["body"])
        for row in await view.snapshot.fetch(OF_OBJECTIVE_BETWEEN, id, facts[0]["seq"], facts[-1]["seq"])
    }
    values = await _Values.of(view, facts)
    texts = view.texts()
    personal = {one["seq"]: texts_of(one["type"], one["event_id"], one["data"]) for one in facts}
    await texts.look_up(text for many in personal.values() for text in many.values())
    seqs = sorted(definitions)
    found = []
    for one in facts:
        before = next((definitions[seq] for seq in reversed(seqs) if seq < one["seq"]), None)
        after = definitions.get(one["seq"])
        changes = definition_changes(before, after) if after is not None else values.changes(one)
        committed = before is not None and before.get("activated_seq") is not None
        found.append(_entry(one, opened_data(one, personal[one["seq"]], texts), changes, committed))
    return found


def _entry(fact: Json, data: Json, changes: list[Json], committed: bool) -> Json:
    return {
        "seq": fact["seq"],
        "version": fact["version"],
        "event_id": fact["event_id"],
        "type": fact["type"],
        "effective_at": fact["effective_at"],
        "recorded_at": fact["recorded_at"],
        "actor": fact["actor"],
        "reason": fact.get("reason"),
        "after_activation": committed,
        "data": data,
        "changes": changes,
    }


def opened_data(fact: Json, personal: Mapping[str, Text], texts: Texts) -> Json:
    """The fact's data with its personal texts opened."""
    return {**fact["data"], **{field: texts.open(text) for field, text in personal.items()}}


def definition_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Json]:
    """What differs between two definitions of an objective: `{field, before, after}`, by field."""
    old, new = _flat(before), _flat(after)
    return [
        {"field": field, "before": old.get(field), "after": new.get(field)}
        for field in sorted(old.keys() | new.keys())
        if old.get(field) != new.get(field)
    ]


def _flat(body: Mapping[str, Any] | None) -> Json:
    if body is None:
        return {}
    flat = {
        name: value
        for name, value in body.items()
        if name not in _NOT_COMPARED and name not in ("key_results", "links") and value not in (None, [])
    }
    closings = [one for one in body["closings"] if one.get("reopened_seq") is None]
    if closings:
        flat |= {
            name: closings[-1][name] for name in ("outcome", "grade", "suggested") if name in closings[-1]
        }
    if any("to" not in one for one in body.get("pauses", ())):
        flat["paused"] = True
    for one in body["key_results"]:
        flat |= {f"key_results/{one['id']}/{name}": one.get(name) for name in _OF_KEY_RESULT if one.get(name)}
    for link in body["links"]:
        flat[f"links/{link['parent']}"] = {
            "mode": link["mode"],
            "weight": link["weight"],
            "link": link["link"],
        }
    return flat


class _Values:
    """The values that check-ins changed: in force at the check-in's own time, just before it was known and after."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    @staticmethod
    async def of(view: View, facts: list[Json]) -> _Values:
        key_results = sorted({one["data"]["key_result"] for one in facts if _has_values(one)})
        if not key_results:
            return _Values([])
        return _Values(list(await view.snapshot.fetch(OF_KEY_RESULTS, key_results, facts[-1]["seq"])))

    def changes(self, fact: Json) -> list[Json]:
        """By part: the value in force before and after the fact, where they differ."""
        if not _has_values(fact):
            return []
        seq, key_result = fact["seq"], fact["data"]["key_result"]
        rows = [row for row in self._rows if row["key_result"] == key_result]
        touched = [row for row in rows if row["seq"] == seq or row["ended_seq"] == seq]
        found = []
        for part in sorted({row["part"] for row in touched}):
            at = max(row["effective_at"] for row in touched if row["part"] == part)
            of_part = [row for row in rows if row["part"] == part]
            before, after = _in_force(of_part, at, seq - 1), _in_force(of_part, at, seq)
            if before != after:
                found.append({"field": f"values/{part}", "before": before, "after": after})
        return found


def _has_values(fact: Json) -> bool:
    return fact["type"].startswith("CheckIn") and fact["data"].get("key_result") is not None


def _in_force(rows: list[Any], at: datetime, known: int) -> Any:
    """Rows come by (effective_at, seq), the last that holds is in force."""
    for row in reversed(rows):
        ended = row["ended_seq"] is not None and row["ended_seq"] <= known
        if row["effective_at"] <= at and row["seq"] <= known and not ended:
            value: Decimal | None = row["value"]
            return decimal_text(value) if value is not None else row["done"]
    return None
