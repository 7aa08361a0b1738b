"""The earlier of two answers, as a question states it: by its clocks, its token, or when it was given."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query
from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_contracts.position import Position
from goal_ledger_edge.problems import Problem
from goal_ledger_history.as_of import AsOf

from goal_ledger_projection.api.answers import Shape, heading
from goal_ledger_projection.api.calendar_times import calendar_time, resolved
from goal_ledger_projection.api.cited import cited_facts
from goal_ledger_projection.api.clocks import Clocks, StatedClocks, Token, known_at_of
from goal_ledger_projection.api.view import View

Since = Annotated[
    str,
    Query(
        max_length=120,
        description="The earlier answer: its token, the position or the instant that it was given at; also a local day (its "
        "end), a distance back (-P1W), an edge of a cycle (q3.start)",
        json_schema_extra={"examples": ["1-120", "2026-03-02T09:00:00Z", "-P1W"]},
    ),
]


class Side(Shape):
    token: str
    position: str
    as_of: str


def side(clocks: Clocks) -> dict[str, str]:
    """The members of :class:`Side`."""
    about = heading(clocks)
    return {name: about[name] for name in ("token", "position", "as_of")}


async def clocks_since(view: View, text: str, field: str = "since") -> Clocks:
    """What ``since`` comes to. A position stands for the present when its last fact was recorded, an instant for that
    present; one by the calendar is seen from the question's clocks. Problems 410, 422, 503; `sides_reversed`: it lies after
    these clocks."""
    try:
        found = await view.clocks_at(await _stated(view, text, field))
    except Problem as refused:
        refused.field = None if refused.field is None else field
        raise
    if found.as_of > view.clocks.as_of or found.seq > view.clocks.seq:
        sentence = "The earlier answer lies after the later one: swap the two sides."
        raise Problem(422, "sides_reversed", sentence, field=field)
    return found


async def _stated(view: View, text: str, field: str) -> StatedClocks:
    if "_" in text:
        return StatedClocks(token=Token.parse(text, field))
    by_calendar = calendar_time(text)
    if by_calendar is not None:
        clocks = view.clocks
        at = resolved(by_calendar, await view.context(), clocks.seq, clocks.as_of, field)
        return StatedClocks(at, at)
    known = known_at_of(text, field)
    return StatedClocks(await _recorded_at(view, known) if isinstance(known, Position) else known, known)


async def _recorded_at(view: View, position: Position) -> datetime:
    """When its last fact was recorded; of one that is not here, any time."""
    fact = (await cited_facts(view.snapshot, [position.seq])).get(position.seq)
    return view.clocks.as_of if fact is None else parse_instant(fact["recorded_at"])


def moment(clocks: Clocks) -> AsOf:
    """Where they stand."""
    return AsOf(clocks.as_of, clocks.seq)
