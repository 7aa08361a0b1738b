"""The bytes that are stored are written straight from the fact; they equal RFC 8785 of its JSON object."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from contracts.test_wire import values_of
from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import canonical
from goal_ledger_contracts.envelope import CommandMark, Fact, Origin, from_bytes, to_bytes
from goal_ledger_contracts.facts import FACTS
from goal_ledger_contracts.unit import UnitCreated
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
INSTANTS = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize("name", FACTS)
def test_data_is_written_as_the_canonical_form_of_its_object(name: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(values_of(FACTS[name]))
    def equal(data: Any) -> None:
        assert wire.written(data).encode() == canonical(wire.encode(data))

    equal()


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Fact,
        event_id=TEXTS,
        workspace=TEXTS,
        seq=st.integers(1, 2**53 - 1),
        stream=TEXTS,
        version=st.integers(1, 2**31),
        data=st.builds(UnitCreated, TEXTS),
        effective_at=INSTANTS,
        recorded_at=INSTANTS,
        actor=TEXTS,
        correlation_id=TEXTS,
        causation_id=TEXTS,
        previous=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
        reason=st.none() | TEXTS,
        stated_at=st.none() | INSTANTS,
        command=st.none() | st.builds(CommandMark, TEXTS, TEXTS),
        origin=st.none()
        | st.builds(Origin, TEXTS, TEXTS, TEXTS, st.integers(0, 100), st.integers(0, 2**53 - 1)),
    )
)
def test_a_facts_bytes_are_canonical_and_read_back(fact: Fact) -> None:
    stored = to_bytes(fact)
    assert stored == rfc8785.dumps(json.loads(stored))
    assert from_bytes(stored) == fact


def test_an_instant_in_another_zone_is_written_in_utc() -> None:
    at = datetime.fromisoformat("2026-01-01T01:00:00+01:00")
    fact = Fact("e", "w", 1, "unit/u", 1, UnitCreated("n"), at, at, "operator", "c", "c", None)
    assert b'"recorded_at":"2026-01-01T00:00:00.000000Z"' in to_bytes(fact)
