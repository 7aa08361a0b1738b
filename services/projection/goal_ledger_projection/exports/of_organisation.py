"""Datasets of what is few: links, cycles, units, policies at the moment, and who sat in which unit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from goal_ledger_scoring.windows import cycle_span

from goal_ledger_projection.api.view import View
from goal_ledger_projection.exports.arrow import batch_of_rows
from goal_ledger_projection.exports.pyarrow_later import pa
from goal_ledger_projection.exports.schemas import Dataset
from goal_ledger_projection.history.context import Context
from goal_ledger_projection.read_models.definitions import EVERY_VERSION_OF_KIND

ROWS_A_PAGE = 5000
ExportRow = tuple[Any, ...]


async def pages_of_rows(dataset: Dataset, rows: Sequence[ExportRow]) -> AsyncIterator[pa.Table]:
    """Rows that are there already."""
    for at in range(0, len(rows), ROWS_A_PAGE):
        yield pa.Table.from_batches([batch_of_rows(dataset, rows[at : at + ROWS_A_PAGE])])


def links(view: View, context: Context) -> list[ExportRow]:
    """By child, then link."""
    known_to, true_at = view.clocks.seq, view.clocks.as_of
    found = [
        (
            link.id,
            link.child,
            link.parent,
            "contributes" if link.contributes else "supports",
            link.weight,
            link.seq,
        )
        for link in context.links_at(known_to, true_at)
    ]
    return sorted(found, key=lambda row: (row[1], row[0]))


def cycles(view: View, context: Context) -> list[ExportRow]:
    """By id."""
    known_to, true_at = view.clocks.seq, view.clocks.as_of
    zone = context.time_zone(known_to, true_at)
    found = []
    for id, _, body in context.all("cycle", known_to, true_at):
        start, end = date.fromisoformat(body["start"]), date.fromisoformat(body["end"])
        span = cycle_span(start, end, zone)
        found.append((id, body["name"], start, end, span.start, span.end, body.get("parent"), body["stage"]))
    return sorted(found, key=lambda row: row[0])


def units(view: View, context: Context) -> list[ExportRow]:
    """By id."""
    found = [
        (
            *(id, body["name"], body.get("parent"), body.get("lead")),
            *(orjson.dumps(body["waves"]).decode(), body["stage"]),
        )
        for id, _, body in context.all("unit", view.clocks.seq, view.clocks.as_of)
    ]
    return sorted(found, key=lambda row: row[0])


def policies(view: View, context: Context) -> list[ExportRow]:
    """By scope."""
    found = [
        (scope, body["revision"], orjson.dumps(body["policy"]).decode(), body["event_id"], seq)
        for scope, seq, body in context.all("policy", view.clocks.seq, view.clocks.as_of)
    ]
    return sorted(found, key=lambda row: row[0])


OF_CONTEXT: dict[str, Callable[[View, Context], list[ExportRow]]] = {
    "links": links,
    "cycles": cycles,
    "units": units,
    "policies": policies,
}
"""By dataset."""


async def memberships(view: View) -> list[ExportRow]:
    """By person, unit, time. Who left the organisation sits nowhere from then on."""
    rows = await view.snapshot.fetch(EVERY_VERSION_OF_KIND, "person", view.clocks.seq, view.clocks.as_of)
    sat: dict[str, list[tuple[datetime, frozenset[str]]]] = {}
    for row in rows:
        body = json.loads(row["body"])
        units = () if body.get("left_at") else (one.removeprefix("unit/") for one in body["units"])
        sat.setdefault(row["id"], []).append((row["effective_at"], frozenset(units)))
    found = [(person, *stay) for person, versions in sat.items() for stay in _stays(versions)]
    return sorted(found, key=lambda row: row[:3])


def _stays(versions: Iterable[tuple[datetime, frozenset[str]]]) -> Iterable[ExportRow]:
    """(unit, from, to) of each stay of one person."""
    since: dict[str, datetime] = {}
    for at, units in versions:
        for unit in sorted(since.keys() - units):
            yield unit, since.pop(unit), at
        for unit in units - since.keys():
            since[unit] = at
    for unit, start in since.items():
        yield unit, start, None
