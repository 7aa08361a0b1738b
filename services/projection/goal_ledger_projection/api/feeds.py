"""`GET /v1/feeds`, `/v1/quarantine`: the feeds, their last reading, and what waits for a person. An emitter sees its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_contracts.canonical import decimal_text, instant_text, parse_instant
from goal_ledger_edge.routing import Answers
from goal_ledger_scoring.status import FedPart, is_fed_freshly
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Listed, Number, Shape
from goal_ledger_projection.api.choices import need_holder, unknown
from goal_ledger_projection.api.lists import Json, listed, page_of, single
from goal_ledger_projection.api.organisation import with_versions
from goal_ledger_projection.api.routes import After, Found, Limit, QuestionRoute
from goal_ledger_projection.api.streams import event_ids
from goal_ledger_projection.api.view import FeedsRequest, View, view_of
from goal_ledger_projection.read_models.readings import LAST_OF_FEEDS, WAITED_THEN, WAITING_NOW
from goal_ledger_projection.read_models.sequences import GAPS

QUARANTINE_ITEMS_MAX = 20
GAP_ITEMS_MAX = 20


class ReadingShape(Shape):
    source: str
    id: str
    time: str
    value: str
    unit: str | None
    mode: str
    event_id: str


class RestartShape(Shape):
    at: str
    base: str = Field(description="What the counter goes on from")
    event_id: str
    reason: str | None


class FeedShape(Shape):
    name: str
    system: str
    kind: str
    unit: str | None
    interval: str | None
    low: Number
    high: Number
    description: str | None
    restarts: list[RestartShape] = Field(description="When its counter began anew")
    fresh: bool = Field(
        description="A reading was accepted within the interval; without one: within the workspace's cadence"
    )
    in_quarantine: int
    last_reading: ReadingShape | None
    quarantine: list[ReadingShape] = Field(description="The oldest of those that wait")
    version: int


class FeedsAnswer(Listed):
    items: list[FeedShape]


class SequenceGapShape(Shape):
    source: str
    after: str = Field(description="The number before the gap, which arrived")
    before: str = Field(description="The number behind it, which arrived")


class SequenceGapsShape(Shape):
    """Numbers that had not arrived at the position, between those that had. A late arrival closes its gap."""

    gaps: int
    missing: str = Field(description="How many numbers are missing in all gaps")
    items: list[SequenceGapShape] = Field(
        description="The 20 newest by source; looked for in its 100,000 highest numbers"
    )


class OneFeedShape(FeedShape):
    sequence_gaps: SequenceGapsShape


class FeedAnswer(AnswerAtClocks):
    feed: OneFeedShape


class QuarantinedShape(ReadingShape):
    feed: str


class QuarantineAnswer(Listed):
    items: list[QuarantinedShape]


routes = APIRouter(tags=["feeds"], route_class=QuestionRoute)


@routes.get("/v1/feeds", summary="The feeds and their health")
async def feeds(
    request: FeedsRequest,
    system: Annotated[str | None, Query(max_length=47, description="That emits them")] = None,
    limit: Limit = 1000,
    cursor: After = None,
) -> Answers[FeedsAnswer]:
    """The feeds by name; an emitter sees its own."""
    async with view_of(request) as view:
        known = await _of_system(view, system)
        page = page_of(request, view, list(known), limit, cursor)
        return listed(request, view, page, await _feeds(view, {name: known[name] for name in page.items}))


@routes.get("/v1/feeds/{name}", summary="One feed")
async def feed(request: FeedsRequest, name: str) -> Found[FeedAnswer]:
    """Its definition, its last reading, what waits in quarantine, and which sequence numbers are missing."""
    async with view_of(request) as view:
        known = {one: body for one, body in (await _known(view)).items() if one == name}
        found = await _feeds(view, known)
        if found:
            found[0]["sequence_gaps"] = await _gaps(view, name)
        return single(request, view, "feed", found[0] if found else None)


@routes.get("/v1/quarantine", summary="The readings in quarantine")
async def quarantine(
    request: FeedsRequest,
    feed: Annotated[str | None, Query(max_length=64)] = None,
    system: Annotated[str | None, Query(max_length=47, description="That emits them")] = None,
    limit: Limit = 100,
    cursor: After = None,
) -> Answers[QuarantineAnswer]:
    """Those that wait for a person to release or reject them, by feed and as they came."""
    async with view_of(request) as view:
        known = await _of_system(view, system)
        if feed is not None and feed not in known:
            raise unknown(f"There is no feed {feed[:64]} to be seen here.", "feed", sorted(known))
        rows = await _quarantined(view, [feed] if feed is not None else list(known))
        page = page_of(request, view, rows, limit, cursor)
        events = await event_ids(view.snapshot, [row["recorded_seq"] for row in page.items])
        items = [{"feed": row["feed"], **_reading(row, events)} for row in page.items]
        return listed(request, view, page, items)


async def _of_system(view: View, system: str | None) -> dict[str, Json]:
    """The feeds to be seen, of one system. Problem 422 `choice_unknown`."""
    known = await _known(view)
    if system is None:
        return known
    id = system.removeprefix("system/")
    found = {name: body for name, body in known.items() if body["system"].removeprefix("system/") == id}
    if not found and (view.reader.own_feeds_only and id != view.reader.system):
        raise unknown("An emitter sees its own feeds.", "system", [view.reader.system])
    if not found:
        await need_holder(view, f"system/{id}", "system", ("system",))
    return found


async def _known(view: View) -> dict[str, Json]:
    context, clocks, reader = await view.context(), view.clocks, view.reader
    return {
        name: body
        for name, _, body in sorted(context.all("feed", clocks.seq, clocks.as_of))
        if not reader.own_feeds_only or body["system"].removeprefix("system/") == reader.system
    }


async def _quarantined(view: View, names: list[str]) -> Sequence[Any]:
    clocks = view.clocks
    statement = WAITING_NOW if clocks.seq == clocks.newest.seq else WAITED_THEN
    return await view.snapshot.fetch(statement, names, clocks.seq)


async def _gaps(view: View, name: str) -> Json:
    rows = await view.snapshot.fetch(GAPS, name, view.clocks.seq, GAP_ITEMS_MAX)
    first = rows[0] if rows else None
    return {
        "gaps": 0 if first is None else first["gaps"],
        "missing": "0" if first is None else decimal_text(first["missing"]),
        "items": [
            {"source": row["source"], "after": f"{row['after']:f}", "before": f"{row['before']:f}"}
            for row in rows
        ],
    }


async def _feeds(view: View, known: dict[str, Json]) -> list[Json]:
    context, clocks = await view.context(), view.clocks
    names = list(known)
    last = {
        row["feed"]: row for row in await view.snapshot.fetch(LAST_OF_FEEDS, names, clocks.seq, clocks.as_of)
    }
    waiting: defaultdict[str, list[Any]] = defaultdict(list)
    for row in await _quarantined(view, names):
        waiting[row["feed"]].append(row)
    events = await event_ids(view.snapshot, _seqs(last, waiting))
    rules = context.workspace_rules(clocks.seq, clocks.as_of)
    items = [
        {
            "name": name,
            **{
                member: body.get(member)
                for member in ("system", "kind", "unit", "interval", "low", "high", "description")
            },
            "restarts": [
                {name: one.get(name) for name in ("at", "base", "event_id", "reason")}
                for one in context.restarts(name, clocks.seq)
                if parse_instant(one["at"]) <= clocks.as_of
            ],
            "fresh": is_fed_freshly(
                FedPart(last[name]["time"] if name in last else None, body.get("interval")),
                rules,
                clocks.as_of,
            ),
            "in_quarantine": len(waiting[name]),
            "last_reading": None if name not in last else _reading(last[name], events),
            "quarantine": [_reading(row, events) for row in waiting[name][:QUARANTINE_ITEMS_MAX]],
        }
        for name, body in known.items()
    ]
    return await with_versions(view, "feed", items, "name")


def _seqs(last: dict[str, Any], waiting: dict[str, list[Any]]) -> list[int]:
    shown = [row for rows in waiting.values() for row in rows[:QUARANTINE_ITEMS_MAX]]
    return [row["recorded_seq"] for row in (*last.values(), *shown)]


def _reading(row: Any, events: dict[str, str]) -> Json:
    return {
        "source": row["source"],
        "id": row["id"],
        "time": instant_text(row["time"]),
        "value": decimal_text(row["value"]),
        "unit": row["unit"],
        "mode": row["mode"],
        "event_id": events[str(row["recorded_seq"])],
    }
