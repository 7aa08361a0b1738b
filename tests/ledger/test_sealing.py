"""Personal text: sealed before it is hashed, opened with its key, erased with it."""

from __future__ import annotations

import json

import pytest
from goal_ledger_contracts import wire
from goal_ledger_contracts.objective import CheckInRecorded, CommentAdded, ObjectiveDrafted
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_contracts.personal import Sealed
from goal_ledger_ledger.sealing import (
    ERASED,
    SEALED_AWAY,
    OwnerShredded,
    SealBroken,
    TextKey,
    TextPlace,
    associated_data,
    key_ids,
    open_fact_data,
    owners,
    seal_fact_data,
)
from hypothesis import given
from hypothesis import strategies as st

KEYS = {"person/kari": TextKey(b"k" * 32), "system/shop": TextKey(b"s" * 32)}
PLACE = TextPlace("acme", "0190-event", "objective/web-shop", "person/kari")
text = st.text(min_size=1, max_size=200)


def check_in(**more):
    return CheckInRecorded("c1", "kr1", **more)


@given(text, st.lists(text, max_size=3), st.lists(text, max_size=3))
def test_what_was_sealed_opens_again(note, blockers, evidence):
    clear = check_in(note=note, blockers=tuple(blockers), evidence=tuple(evidence))
    sealed = seal_fact_data(clear, PLACE, KEYS)
    assert open_fact_data(sealed, "acme", "0190-event", KEYS) == clear


def test_no_clear_text_is_left_and_the_form_is_k_n_c_without_padding():
    body = wire.encode(seal_fact_data(check_in(note="I am ill", blockers=("doctor", "x")), PLACE, KEYS))
    written = json.dumps(body)
    assert "ill" not in written and "doctor" not in written and "=" not in written
    assert set(body["note"]) == {"k", "n", "c"} and body["note"]["k"] == "person/kari"


def test_the_key_is_the_authors_the_actors_or_the_persons():
    assert owners(check_in(note="x"), PLACE) == {"person/kari"}
    assert owners(check_in(note="x", author="person/ola"), PLACE) == {"person/ola"}
    assert owners(PersonAdded("Ola"), TextPlace("acme", "e", "person/ola", "operator")) == {"person/ola"}
    assert owners(check_in(), PLACE) == owners(ObjectiveDrafted("t", "unit/u"), PLACE) == frozenset()


def test_the_associated_data_bind_workspace_fact_and_field():
    assert associated_data("acme", "e1", "/blockers/0") == b"acme\x00e1\x00/blockers/0"
    sealed = seal_fact_data(check_in(note="x", blockers=("y",)), PLACE, KEYS)
    for workspace, event_id, moved in [
        ("other", "0190-event", sealed),
        ("acme", "0191-event", sealed),
        ("acme", "0190-event", check_in(note=sealed.blockers[0])),
    ]:
        with pytest.raises(SealBroken):
            open_fact_data(moved, workspace, event_id, KEYS)


def test_a_deleted_key_reads_erased_and_a_missing_one_sealed():
    sealed = seal_fact_data(CommentAdded("c", "objective/o", text="hello"), PLACE, KEYS)
    assert open_fact_data(sealed, "acme", "0190-event", {"person/kari": None}).text == ERASED
    assert open_fact_data(sealed, "acme", "0190-event", {}).text == SEALED_AWAY
    assert list(key_ids(sealed)) == ["person/kari"]


def test_nothing_is_sealed_for_a_shredded_owner():
    with pytest.raises(OwnerShredded):
        seal_fact_data(check_in(note="x"), PLACE, {"person/kari": None})


def test_the_same_text_is_never_sealed_the_same_way_twice():
    one, two = (seal_fact_data(check_in(note="x"), PLACE, KEYS).note for _ in range(2))
    assert isinstance(one, Sealed) and one != two


def test_facts_without_personal_text_are_left_as_they_are():
    drafted = ObjectiveDrafted("t", "unit/u")
    assert seal_fact_data(drafted, PLACE, {}) is drafted
