"""The members that every fact has, read from many facts at once and, where something is odd, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

Json = dict[str, Any]

INSTANT_CHARACTERS = 27
"""RFC 3339 in UTC with microseconds."""


class Row(NamedTuple):
    """What is checked of one fact beside its bytes."""

    seq: int
    stream: str
    version: int
    previous: str | None
    event_id: str
    recorded_at: str
    workspace: str
    type: str
    actor: str
    effective_at: str
    correlation_id: str
    causation_id: str
    schema: int
    data: Json


_TYPES: dict[str, frozenset[type]] = {
    name: frozenset({int} if name in ("seq", "version", "schema") else {dict} if name == "data" else {str})
    for name in Row._fields
} | {"previous": frozenset({str, type(None)})}
_MEMBERS = frozenset((*Row._fields, "command", "origin", "reason", "stated_at"))
_values = itemgetter(*Row._fields)


def rows_of(facts: Sequence[Json]) -> list[Row] | None:
    """Of all facts, if every one has the members of a fact, and no others; else None."""
    try:
        found = list(map(_values, facts))
    except KeyError:
        return None
    columns = zip(*found, strict=True)
    if any(
        not _TYPES[name].issuperset(map(type, column))
        for name, column in zip(Row._fields, columns, strict=True)
    ):
        return None
    if not all(map(_MEMBERS.issuperset, facts)) or not {INSTANT_CHARACTERS}.issuperset(
        len(row[5]) for row in found
    ):
        return None
    return found  # plain tuples: making a Row of each takes as long as the rest


def what_is_wrong(fact: Json) -> str:
    """Of a fact of which there is no row."""
    lacking = [name for name in Row._fields if name not in fact]
    if lacking:
        return f"it has no {', '.join(lacking)}"
    odd = sorted(fact.keys() - _MEMBERS)
    if odd:
        return f"a fact has no member {odd[0][:40]!r}"
    wrong = _of_another_type(fact)
    return f"{', '.join(wrong) or 'recorded_at'} is not what it must be"


def _of_another_type(fact: Json) -> Iterable[str]:
    return [name for name in Row._fields if type(fact[name]) not in _TYPES[name]]
