"""`GET /v1/feeds`: the feeds, their last reading, and what waits in quarantine. An emitter sees its own."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request
from goal_ledger_contracts.canonical import decimal_text, instant_text
from goal_ledger_scoring.windows import plus
from starlette.responses import Response

from goal_ledger_projection.api.access import May
from goal_ledger_projection.api.answers import encoded, heading, respond
from goal_ledger_projection.api.desk import Desk, View
from goal_ledger_projection.api.organisation import with_versions
from goal_ledger_projection.api.routes import declared
from goal_ledger_projection.api.shapes import FeedsAnswer
from goal_ledger_projection.api.streams import event_ids

Json = dict[str, Any]
QUARANTINE_ITEMS_MAX = 20

_LAST = """
SELECT q.feed, l.* FROM unnest($2::text[]) AS q (feed)
CROSS JOIN LATERAL (SELECT r.source, r.id, r.time, r.value, r.unit, r.mode, r.recorded_seq FROM readings r
    WHERE r.workspace = $1 AND r.feed = q.feed AND r.state = 0 AND r.time <= $4
      AND r.seq <= $3 AND (r.ended_seq IS NULL OR r.ended_seq > $3)
    ORDER BY r.time DESC, r.seq DESC LIMIT 1) l
"""
_QUARANTINE = """
SELECT feed, source, id, time, value, unit, mode, recorded_seq FROM readings
WHERE workspace = $1 AND feed = ANY ($2) AND state = 1 AND seq <= $3 AND {in_force}
ORDER BY feed, seq
"""
_IN_QUARANTINE = _QUARANTINE.format(in_force="ended_seq IS NULL")
"""Now: by the small index of what waits."""
_WAS_IN_QUARANTINE = _QUARANTINE.format(in_force="(ended_seq IS NULL OR ended_seq > $3)")


def router(desk: Desk) -> APIRouter:
    """The route of the feeds."""
    routes = APIRouter(tags=["feeds"])

    @routes.get("/v1/feeds", summary="The feeds and their health", **declared(FeedsAnswer))
    async def feeds(request: Request) -> Response:
        async with desk.view(request, May.READ_FEEDS) as view:
            body = {**heading(view.clocks), "items": await _feeds(view)}
            return respond(request, view.clocks, encoded(body))

    return routes


async def _feeds(view: View) -> list[Json]:
    context, clocks, reader = await view.context(), view.clocks, view.reader
    known = {
        name: body
        for name, _, body in sorted(context.all("feed", clocks.seq, clocks.as_of))
        if not reader.own_feeds_only or body["system"].removeprefix("system/") == reader.system
    }
    names = list(known)
    last = {row["feed"]: row for row in await view.snapshot.fetch(_LAST, names, clocks.seq, clocks.as_of)}
    waiting: defaultdict[str, list[Any]] = defaultdict(list)
    statement = _IN_QUARANTINE if clocks.seq == clocks.newest.seq else _WAS_IN_QUARANTINE
    for row in await view.snapshot.fetch(statement, names, clocks.seq):
        waiting[row["feed"]].append(row)
    events = await event_ids(view.snapshot, _seqs(last, waiting))
    zone = context.time_zone(clocks.seq, clocks.as_of)
    items = [
        {
            "name": name,
            **{
                member: body.get(member)
                for member in ("system", "kind", "unit", "interval", "low", "high", "description")
            },
            "fresh": _fresh(view, last.get(name), body.get("interval"), zone),
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


def _fresh(view: View, last: Any | None, interval: str | None, zone: str) -> bool:
    if last is None:
        return False
    return interval is None or plus(last["time"], interval, zone) >= view.clocks.as_of


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
