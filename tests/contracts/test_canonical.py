"""Canonical bytes are RFC 8785; decimals and instants have one written form."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, Inexact, InvalidOperation
from typing import Any

import pytest
import rfc8785
from contracts.examples import EXAMPLES
from goal_ledger_contracts.canonical import (
    EXACT,
    canonical,
    decimal_text,
    instant_text,
    parse_decimal,
    parse_instant,
)
from goal_ledger_contracts.envelope import to_bytes
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(VALUES)
def test_canonical_bytes_equal_rfc_8785_for_all_that_facts_can_hold(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_fact_is_stored_in_rfc_8785_bytes(name: str) -> None:
    stored = to_bytes(EXAMPLES[name])
    assert rfc8785.dumps(json.loads(stored)) == stored


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("0E+5", "0"),
        ("1E+3", "1000"),
        ("1.500", "1.5"),
        ("100", "100"),
        ("-12.000001", "-12.000001"),
        ("999999999999999999.999999", "999999999999999999.999999"),
    ],
)
def test_a_decimal_has_one_written_form(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


WRITTEN = st.decimals(-(10**18) + 1, 10**18 - 1, places=6, allow_nan=False, allow_infinity=False)


@given(WRITTEN)
def test_a_decimal_is_read_back_exactly(value: Decimal) -> None:
    assert parse_decimal(decimal_text(value)) == value


@pytest.mark.parametrize(
    "text",
    ["", "+1", "01", "1.", ".5", "1e3", "-", "0x1", "1.0000001", "1" * 19, "NaN", "Infinity", "1_0", "١"],
)
def test_any_other_form_of_a_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        parse_decimal(text)


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


FIRST, LAST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 hypothesis adds the zone


@given(st.datetimes(FIRST, LAST, timezones=ZONES))
def test_an_instant_is_written_in_utc_with_microseconds_and_read_back(at: datetime) -> None:
    text = instant_text(at)
    assert text.endswith("Z") and len(text) == len("2026-01-01T00:00:00.000000Z")
    assert parse_instant(text) == at
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "yesterday",
        "",
        "2026-13-01T00:00:00Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00-00:60",
        "2026-01-01T00:00:00+05:99",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0530",
        "2026-01-01T00:00:00+05:30:10",
        "2026-01-01T00:00Z",
        "20260101T000000Z",
        "2026-W01-1T00:00:00Z",
        "2026-W01-1T00:00:00.000000Z",
        "2026-01-01T00:00:00,000000Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+5:30",
        "2026-01-01T00:00:00.Z",
        "2026-01-01 00:00:00.000000Z",
        "2026-01-01T00:00:00.00+0100",
        "2026-01-01T00:00:00.1234567890Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_what_is_not_an_instant_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)


def test_an_instant_without_an_offset_is_not_written() -> None:
    with pytest.raises(ValueError, match="offset"):
        instant_text(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500000Z"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"),
        ("2026-01-01T05:30:00.000001+05:30", "2026-01-01T00:00:00.000001Z"),
        ("2025-12-31T18:00:00-06:00", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T23:59:00+23:59", "2026-01-01T00:00:00.000000Z"),
        ("0001-01-01T00:01:00+00:01", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_an_instant_may_have_any_offset_and_is_written_in_one_form(text: str, written: str) -> None:
    assert instant_text(parse_instant(text)) == written


def test_what_json_has_no_form_for_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"value": float("nan")})


@pytest.mark.parametrize("text", ["-0.000001", "999999999999999999", "-999999999999999999.999999", "0.1"])
def test_a_decimal_in_its_written_form_is_taken(text: str) -> None:
    assert str(parse_decimal(text)) == str(Decimal(text))


def test_sums_before_the_one_rounding_are_exact_or_an_error() -> None:
    largest = Decimal("999999999999999999.999999")
    assert EXACT.multiply(largest, largest) == Decimal("999999999999999999999998000000000000.000000000001")
    assert EXACT.divide(Decimal(1), Decimal(8)) == Decimal("0.125")
    with pytest.raises(Inexact):
        EXACT.divide(Decimal(1), Decimal(3))
    with pytest.raises(InvalidOperation):
        EXACT.multiply(Decimal(0), Decimal("Infinity"))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own zone is not UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_the_zone_of_the_machine_does_not_matter() -> None:
    at = parse_instant("2026-01-01T02:00:00+02:00")
    assert (at.tzinfo, at.hour) == (UTC, 0)
    assert instant_text(at.astimezone(timezone(timedelta(hours=-8)))) == "2026-01-01T00:00:00.000000Z"
