"""Filters name what exists: one that nothing can match is refused with the choices, never answered with an empty list."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from fastapi import Query
from goal_ledger_contracts.ids import ID
from goal_ledger_edge.problems import Problem

from goal_ledger_projection.api.streams import versions
from goal_ledger_projection.api.view import View
from goal_ledger_projection.read_models.definitions import EVER_DEFINED

STATES = ("draft", "active", "closed", "archived")
OUTCOMES = ("achieved", "partial", "missed", "dropped", "postponed")
STATED = ("on_track", "behind", "at_risk")
KINDS = ("committed", "aspirational")
STATUSES_OF_KEY_RESULTS = ("on_track", "behind", "at_risk", "not_measured", "pending", "outdated")
STATUSES = (*STATUSES_OF_KEY_RESULTS, *OUTCOMES)
_LISTED_AT = {"person": "/v1/people", "system": "/v1/systems", "objective": "/v1/objectives"}
NAMED_MAX = 100
"""So many choices are named; there may be more units or cycles than a person wants to read."""


def word(choices: Collection[str], description: str = "") -> Any:
    """The parameter of a filter whose values are words."""
    return Query(description=description, json_schema_extra={"enum": list(choices)})


def need_word(value: str | None, field: str, choices: Collection[str]) -> None:
    """Problem 422 `choice_unknown`: the value is none of these."""
    if value is not None and value not in choices:
        raise unknown(f"{field} is one of {', '.join(choices)}.", field, choices)


async def need_unit(view: View, unit: str | None) -> None:
    """Problem 422 `choice_unknown`: the record names no such unit, at any time."""
    await _need_known(view, unit and unit.removeprefix("unit/"), "unit")


async def need_cycle(view: View, cycle: str | None) -> None:
    """Problem 422 `choice_unknown`: the record names no such cycle, at any time."""
    await _need_known(view, cycle, "cycle")


async def need_feed(view: View, feed: str | None) -> None:
    """Problem 422 `choice_unknown`: the record names no such feed, at any time."""
    await _need_known(view, feed, "feed")


async def need_objective(view: View, objective: str | None) -> None:
    """Problem 422 `choice_unknown`: the record names no such objective."""
    await _need_defined(view, "objective", objective, "objective", "/v1/objectives")


async def need_key_result(view: View, key_result: str | None) -> None:
    """Problem 422 `choice_unknown`: the record names no such key result."""
    if key_result is None:
        return
    goals, seq = view.goals, view.clocks.seq
    if await goals.objective_of(view.snapshot, key_result, seq) is None:
        raise _not_there("key result", key_result, "key_result", "/v1/key-results")


async def need_holder(
    view: View, holder: str | None, field: str, kinds: tuple[str, ...] = ("unit", "person")
) -> None:
    """Problem 422 `choice_unknown`: not `<kind>/<id>` of one of these kinds and of one that there is."""
    if holder is None:
        return
    kind, _, id = holder.partition("/")
    if kind not in kinds or not ID.fullmatch(id):
        forms = [f"{one}/<id>" for one in kinds]
        raise unknown(f"{field} is {' or '.join(forms)}.", field, forms)
    if kind == "unit":
        await _need_known(view, id, "unit", field)
    else:
        await _need_defined(view, kind, id, field, _LISTED_AT[kind])


async def need_stream(view: View, stream: str | None) -> None:
    """Problem 422 `choice_unknown`: the record has no fact of such a stream."""
    if stream is not None and not await versions(view.snapshot, [stream], view.clocks.seq):
        raise Problem(422, "choice_unknown", f"There is no stream {stream}.", field="stream")


def need_period(start: datetime | None, end: datetime | None, field: str) -> None:
    """Problem 422 `dates_reversed`: nothing lies from the start on and before the end."""
    if start is not None and end is not None and start >= end:
        raise Problem(422, "dates_reversed", "The period ends where it begins, or before.", field=field)


async def _need_defined(view: View, kind: str, id: str | None, field: str, listed_at: str) -> None:
    if id is not None and await view.snapshot.first(EVER_DEFINED, kind, id, view.clocks.seq) is None:
        raise _not_there(kind, id, field, listed_at)


def _not_there(what: str, id: str, field: str, listed_at: str) -> Problem:
    """There may be too many to be named."""
    sentence = f"There is no {what} {id[:64]}; GET {listed_at} lists those there are."
    return Problem(422, "choice_unknown", sentence, field=field)


async def _need_known(view: View, id: str | None, kind: str, field: str | None = None) -> None:
    if id is None:
        return
    known = (await view.context()).ids(kind, view.clocks.seq)
    if id not in known:
        named = sorted(known)[:NAMED_MAX]
        listed = f"known are {', '.join(named)}" if named else "there is none"
        raise unknown(f"There is no {kind} {id[:64]}; {listed}.", field or kind, named)


def unknown(sentence: str, field: str, choices: Collection[str]) -> Problem:
    """Problem 422 `choice_unknown`, with the choices."""
    return Problem(422, "choice_unknown", sentence, field=field, allowed=list(choices))
