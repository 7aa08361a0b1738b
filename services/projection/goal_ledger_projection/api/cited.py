"""The facts that an explanation names: who said it, when, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from goal_ledger_contracts import wire
from goal_ledger_contracts.measures import Measure
from goal_ledger_history.explanation import Cited, PartNode
from goal_ledger_scoring.inputs import PartInput
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import Shape, number, time
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.facts import CITED

Json = dict[str, Any]


class CitedFact(Shape):
    event_id: str
    seq: int
    stream: str
    type: str
    actor: str = Field(description="Who said it")
    effective_at: str = Field(description="When it was true")
    recorded_at: str = Field(description="When it was learnt")
    reason: str | None


async def cited_facts(snapshot: Snapshot, seqs: Iterable[int]) -> dict[int, Json]:
    """By seq, in that order."""
    rows = await snapshot.fetch(CITED, sorted(set(seqs)))
    return {
        row["seq"]: {
            "event_id": str(row["event_id"]),
            "seq": row["seq"],
            "stream": row["stream"],
            "type": row["type"],
            "actor": row["actor"],
            "effective_at": time(row["effective_at"]),
            "recorded_at": time(row["recorded_at"]),
            "reason": row["reason"],
        }
        for row in rows
    }


def seqs_in(value: Any) -> Iterable[int]:
    """The facts that are named anywhere in it."""
    if isinstance(value, Cited):
        yield int(value)
    elif isinstance(value, list):
        for one in value:
            yield from seqs_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from seqs_in(one)


def plain(value: Any) -> Any:
    """A structure of dataclasses as dicts and lists, numbers and instants as they are written; facts still by seq."""
    if value is None or isinstance(value, Cited | str | bool | int):
        return value
    written = _WRITTEN.get(type(value))
    if written is not None:
        return written(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return {name: plain(getattr(value, name)) for name in _names(type(value))}


def _measure(measure: Any) -> Json:
    return wire.encode(measure) | {"kind": measure.kind}


def _part(part: PartNode) -> Json:
    """A mean's value as it is shown."""
    written = {name: plain(getattr(part, name)) for name in _names(PartNode) if name != "divisor"}
    return {**written, "value": shown.value(PartInput(part.value, part.divisor))}


_WRITTEN: dict[type, Callable[[Any], Any]] = {
    Decimal: number,
    datetime: time,
    PartNode: _part,
    **dict.fromkeys(get_args(Measure), _measure),
}
_NAMES: dict[type, tuple[str, ...]] = {}


def _names(of: type) -> tuple[str, ...]:
    if of not in _NAMES:
        _NAMES[of] = tuple(field.name for field in dataclasses.fields(of))
    return _NAMES[of]


def with_events(value: Any, facts: Mapping[int, Json]) -> Any:
    """The same with the event id of every fact that is named."""
    if isinstance(value, Cited):
        return facts[value]["event_id"]
    if isinstance(value, list):
        return [with_events(one, facts) for one in value]
    if isinstance(value, dict):
        return {name: with_events(one, facts) for name, one in value.items()}
    return value
