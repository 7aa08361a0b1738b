"""Bytes are read as a fact only if they are canonical, by whichever library writes them."""

from __future__ import annotations

import orjson
import pytest
from goal_ledger_contracts.canonical import canonical
from goal_ledger_projection.read_models.fact import CannotApply, FactRead
from hypothesis import given
from hypothesis import strategies as st
from projection.worker.stories import running_example

KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_the_fast_writer_writes_canonical_bytes(value: object) -> None:
    assert orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == canonical(value)


def test_every_fact_of_the_running_example_is_read() -> None:
    log = running_example("shop")
    assert [FactRead("shop", seq, stored).seq for seq, stored in enumerate(log.stored, 1)] == [
        fact.seq for fact in log.facts
    ]


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        (b"{", b"{ "),
        (b'"seq":3', b'"seq":3.0'),
        (b'"seq":3', b'"seq":3,"seq":3'),
        (b'"actor":', b'"zactor":'),
        (b"person/ada", b"person\\/ada"),
        (b"person/ada", b"p\\u0065rson/ada"),
    ],
    ids=[
        "a space",
        "a float",
        "a member twice",
        "keys out of order",
        "an escape too many",
        "an escaped letter",
    ],
)
def test_bytes_that_are_not_canonical_are_no_fact(there: bytes, instead: bytes) -> None:
    stored = running_example("shop").stored[2]
    assert there in stored
    with pytest.raises(CannotApply, match="fact"):
        FactRead("shop", 3, stored.replace(there, instead, 1))
