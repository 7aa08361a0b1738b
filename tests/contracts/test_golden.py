"""Golden bytes of every fact version ever stored: written so, read back so, for ever."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from contracts.examples import EXAMPLES, GOLDEN, MEASURES, fact
from goal_ledger_contracts import wire
from goal_ledger_contracts.envelope import from_bytes, leaf_hash, to_bytes
from goal_ledger_contracts.facts import FACTS, PERSONAL_FIELDS, SCHEMA, STREAM_OF
from goal_ledger_contracts.measures import Measure
from goal_ledger_contracts.objective import CheckInRecorded
from goal_ledger_contracts.workspace import KeyRevoked

FILES = sorted(GOLDEN.glob("*.json"))


def test_every_version_of_every_fact_has_its_file() -> None:
    names = {path.stem for path in FILES}
    wanted = {f"{name}.v{version}" for name in FACTS for version in range(1, SCHEMA[name] + 1)}
    assert wanted <= names
    assert {name.split(".")[0] for name in names} <= set(FACTS)


def test_every_kind_of_measure_has_its_file() -> None:
    kinds = {member.kind for member in Measure.__args__}
    assert kinds == set(MEASURES)
    assert {f"KeyResultAdded.v1.{kind}" for kind in kinds} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_stored_is_read_back(path: Path) -> None:
    stored = path.read_bytes()
    found = from_bytes(stored)
    assert found.type == path.stem.split(".")[0]
    if path.stem in EXAMPLES:
        assert found == EXAMPLES[path.stem]
        assert to_bytes(found) == stored


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_fact_of_today_is_stored_in_the_bytes_of_its_file(name: str) -> None:
    assert to_bytes(EXAMPLES[name]) == (GOLDEN / f"{name}.json").read_bytes()


def test_the_examples_set_every_field() -> None:
    for name, fact_class in FACTS.items():
        examples = [one.data for one in EXAMPLES.values() if type(one.data) is fact_class]
        for field in dataclasses.fields(fact_class):
            values = [getattr(data, field.name) for data in examples]
            assert any(value not in (None, (), "") for value in values), f"{name}.{field.name}"


def test_the_envelope_has_the_members_that_outsiders_rely_on() -> None:
    body = json.loads(to_bytes(fact(KeyRevoked("k"))))
    assert set(body) == set(
        [
            "event_id",
            "workspace",
            "seq",
            "stream",
            "version",
            "type",
            "schema",
            "effective_at",
            "stated_at",
            "recorded_at",
            "actor",
            "reason",
            "correlation_id",
            "causation_id",
            "command",
            "origin",
            "previous",
            "data",
        ]
    )
    assert STREAM_OF["KeyRevoked"] == body["stream"].split("/")[0] == "workspace"


def test_what_is_not_set_is_left_out_and_the_first_of_a_stream_says_null() -> None:
    plain = dataclasses.replace(
        fact(CheckInRecorded("c")), reason=None, stated_at=None, command=None, origin=None, previous=None
    )
    body = json.loads(to_bytes(plain))
    assert body["data"] == {"after_closing": False, "check_in": "c", "method": "manual"}
    assert body["previous"] is None
    assert not {"reason", "stated_at", "command", "origin"} & set(body)
    assert from_bytes(to_bytes(plain)) == plain


def test_a_hash_is_of_a_zero_byte_and_the_stored_bytes() -> None:
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_personal_fields_are_those_of_the_specification() -> None:
    named = {cls.__name__: {name for name, _ in fields} for cls, fields in PERSONAL_FIELDS.items() if fields}
    said = {"note", "blockers", "evidence"}
    assert named == {
        "PersonAdded": {"display_name"},
        "PersonRenamed": {"display_name"},
        "CheckInRecorded": said,
        "CheckInCorrected": said,
        "CommentAdded": {"text"},
        "KudosGiven": {"text"},
        "ObjectiveClosed": {"retrospective"},
    }


@pytest.mark.parametrize("changed", [{"schema": 2}, {"type": "Unheard"}, {"data": {"key": "k", "more": 1}}])
def test_a_fact_of_another_shape_is_not_read_as_one_of_ours(changed: dict[str, Any]) -> None:
    body = json.loads(to_bytes(fact(KeyRevoked("k")))) | changed
    with pytest.raises((ValueError, KeyError)):
        from_bytes(json.dumps(body).encode())


def test_text_in_clear_and_sealed_have_one_field() -> None:
    clear = wire.encode(CheckInRecorded("c", note="open"))
    assert clear["note"] == "open"
    assert wire.decode(CheckInRecorded, clear).note == "open"
