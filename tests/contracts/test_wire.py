"""The wire form of every fact class, for whatever values its fields can hold."""

import dataclasses
import json
import types
import typing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import canonical
from goal_ledger_contracts.facts import FACTS
from goal_ledger_contracts.objective import PartValue
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_contracts.workspace import KeyIssued
from hypothesis import given, settings
from hypothesis import strategies as st

MEASURE = FACTS["MeasureChanged"]
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
BASES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(0, 2**53 - 1),
    bool: st.booleans(),
    Decimal: st.decimals(-(10**6), 10**6, places=6),
    datetime: st.datetimes(timezones=st.just(UTC)),
    date: st.dates(date(2000, 1, 1), date(2000, 1, 1) + timedelta(days=9999)),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Whatever a field with this type hint can hold."""
    if hint in BASES:
        return BASES[hint]
    if hint is type(None):
        return st.none()
    origin = typing.get_origin(hint)
    if origin is tuple:
        return st.lists(values_of(typing.get_args(hint)[0]), max_size=2).map(tuple)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(values_of(one) for one in typing.get_args(hint)))
    hints = typing.get_type_hints(hint)
    return st.builds(hint, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(hint)})


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_read_back_as_it_was_written(name: str) -> None:
    cls = FACTS[name]

    @settings(max_examples=25, deadline=None)
    @given(values_of(cls))
    def round_trip(data: Any) -> None:
        stored = canonical(wire.encode(data))
        assert wire.decode(cls, json.loads(stored)) == data
        assert wire.written(data).encode() == stored

    round_trip()


@pytest.mark.parametrize(
    ("hint", "body", "says"),
    [
        (UnitCreated, {"name": "A", "surprise": 1}, "UnitCreated has no field 'surprise'"),
        (UnitCreated, {}, "UnitCreated: .*missing.*'name'"),
        (UnitCreated, [], "UnitCreated is written as an object"),
        (UnitCreated, {"name": 1}, "expected str, got int"),
        (KeyIssued, {"key": "k", "holder": "person/a"}, "KeyIssued: .*missing.*'digest'"),
        (
            MEASURE,
            {"key_result": "k", "measure": {"kind": "guess"}},
            "kind is 'guess'; known are .*, increase, ",
        ),
        (MEASURE, {"key_result": "k", "measure": {"target": "1"}}, "kind is None"),
        (MEASURE, {"key_result": "k", "measure": "increase"}, "kind is None"),
        (MEASURE, {"key_result": "k", "measure": {"kind": "increase", "kinds": 1}}, "no field 'kinds'"),
        (FACTS["StoreRestored"], {"fork_seq": True, "epoch": 1}, "expected int, got bool"),
    ],
)
def test_another_shape_is_an_error_and_nothing_is_dropped_silently(hint: Any, body: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        wire.decode(hint, body)


def test_no_step_done_any_more_is_not_the_same_as_nothing_said() -> None:
    none_done, nothing = PartValue("value", done=()), PartValue("value")
    assert wire.encode(none_done) == {"part": "value", "done": []}
    assert wire.encode(nothing) == {"part": "value"}
    assert wire.decode(PartValue, wire.encode(none_done)) == none_done
