"""JSON from outside is parsed once and strictly."""

import json
from decimal import Decimal
from typing import Any

import pytest
from goal_ledger_contracts.strict_json import MAX_DEPTH, NotJson, parse, parse_items
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "not JSON"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":{"b":1,"c":2,"b":3}}', "twice"),
        (b"NaN", "not a JSON number"),
        (b"[Infinity]", "not a JSON number"),
        (b"[-Infinity]", "not a JSON number"),
        (b"\xff", "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b"1" * 65, "more than 64"),
        (b"1." + b"1" * 64, "more than 64"),
        (b"1e99999999999999999999", "cannot be represented"),
        (b'"\x00"', "not JSON"),
        (b"[" * 33 + b"]" * 33, "deeper"),
        (b"[" * 200_000, "deeper"),
    ],
)
def test_what_is_not_acceptable_is_refused_with_a_sentence(raw: bytes, says: str) -> None:
    with pytest.raises(NotJson, match=says):
        parse(raw, 1_000_000)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("NaN", "not a JSON number"),
        ('{"a":1,"a":2}', "twice"),
        ('"\\ud800"', "surrogate"),
        ("1" * 5000, "more than 64"),
        ("[" * 40 + "]" * 40, "deeper"),
    ],
)
def test_of_a_list_a_bad_item_costs_no_other(bad: str, says: str) -> None:
    first, wrong, last = parse_items(f' [{{"a":1.50}} , {bad},\n"\u00e5" ] '.encode(), 10_000)

    assert (first, last) == ({"a": Decimal("1.50")}, "\u00e5")
    assert isinstance(wrong, NotJson) and says in str(wrong)


@pytest.mark.parametrize(
    "raw", [b"[NaN", b"[NaN,]", b"[NaN] 1", b"[NaN 1]", b'{"a":NaN}', b"NaN", b"[NaN,\xff]", b"[" * 100_000]
)
def test_what_is_no_list_is_refused_as_a_whole(raw: bytes) -> None:
    with pytest.raises(NotJson):
        parse_items(raw, 1_000_000)


def test_the_size_comes_first() -> None:
    assert parse(b'"abc"', 5) == "abc"
    with pytest.raises(NotJson, match="6 bytes; at most 5"):
        parse(b'"abcd"', 5)


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, 1000) is not None
    wide = b"[" + b",".join(b"[]" for _ in range(100)) + b"]"
    assert parse(wide, 1000) == [[]] * 100


@pytest.mark.parametrize("digits", ["0.1", "1e400", "-1.50", "12345678901234567890.123456789"])
def test_numbers_are_taken_by_their_digits(digits: str) -> None:
    found = parse(digits.encode(), 100)
    assert type(found) is Decimal
    assert str(found) == str(Decimal(digits))


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse(b'"\\ud83c\\udfaf"', 100) == "🎯"


INNER = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.text(st.characters(exclude_categories=("Cs",)))
)
VALUES = st.recursive(
    INNER,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_others_write_is_read_as_it_is(value: Any) -> None:
    assert parse(json.dumps(value, allow_nan=False).encode(), 1_000_000) == value
