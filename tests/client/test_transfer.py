"""What the client makes of files and facts, without a server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_client.cli.session import NOT_ALLOWED, NOT_REACHED, REFUSED, code_of
from goal_ledger_client.exchange import Problem, Unavailable
from goal_ledger_client.export import organisation_of
from goal_ledger_client.transfer import CSV, FORMAT, JSON_LINES, rows_of_document, rows_of_file

INCREASE = {"kind": "increase", "baseline": "0", "target": "10"}


def test_a_document_becomes_rows_in_the_order_of_the_file() -> None:
    rows = rows_of_document(
        {"format": FORMAT, "check_ins": [{"id": "c"}], "units": [{"id": "u"}, {"id": "v"}]}
    )

    lines = [json.loads(line) for line in rows.content.splitlines()]
    assert [(one["section"], one["id"]) for one in lines] == [
        ("check_ins", "c"),
        ("units", "u"),
        ("units", "v"),
    ]
    assert rows.places == ("/check_ins/0", "/units/0", "/units/1")


@pytest.mark.parametrize("document", [[], {}, {"format": "v0"}, {"format": FORMAT, "goals": []}])
def test_what_is_no_document_is_refused_before_it_is_sent(document: Any) -> None:
    with pytest.raises(ValueError, match="format"):
        rows_of_document(document)


def test_decimals_of_a_file_keep_their_digits(tmp_path: Path) -> None:
    file = tmp_path / "o.json"
    file.write_text(
        '{"format": "goal-ledger.organisation.v1", "readings": [{"id": "r", "value": 0.10000000001}]}'
    )

    assert b'"0.10000000001"' in rows_of_file(file).content


def test_the_ending_says_what_a_file_is(tmp_path: Path) -> None:
    for name, kind in (("a.csv", CSV), ("a.jsonl", JSON_LINES)):
        (tmp_path / name).write_text("row,id\n")
        assert rows_of_file(tmp_path / name).media_type == kind


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Problem(409, {"code": "id_taken"}), REFUSED),
        (Problem(401, {"code": "unauthenticated"}), NOT_ALLOWED),
        (Problem(403, {"code": "not_allowed"}), NOT_ALLOWED),
        (Problem(503, {"code": "not_recorded"}), NOT_REACHED),
        (Unavailable(0, {"code": "unreachable"}), NOT_REACHED),
    ],
)
def test_exit_codes(problem: Problem, code: int) -> None:
    assert code_of(problem) == code


def _facts(*given: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "seq": seq,
            "stream": "objective/a",
            "type": type,
            "data": data,
            "effective_at": f"2026-01-{seq:02}T00:00:00.000000Z",
            "actor": "person/ada",
        }
        for seq, (type, data) in enumerate(given, 1)
    ]


DRAFTED = ("ObjectiveDrafted", {"title": "A", "owner": "person/ada"})
ADDED = ("KeyResultAdded", {"key_result": "k", "text": "K", "measure": INCREASE, "weight": "1"})
ACTIVATED = ("ObjectiveActivated", {})
CHECKED_IN = (
    "CheckInRecorded",
    {"check_in": "c", "key_result": "k", "values": [{"part": "value", "value": "1"}]},
)
CORRECTED = (
    "CheckInCorrected",
    {"check_in": "c", "key_result": "k", "values": [{"part": "value", "value": "2"}]},
)
CLOSED = ("ObjectiveClosed", {"outcome": "partial"})


def test_what_was_committed_otherwise_stands_beside_what_is_now() -> None:
    changed = ("KeyResultWeightChanged", {"key_result": "k", "weight": "3"})
    document = organisation_of(_facts(DRAFTED, ADDED, ACTIVATED, changed))

    key_result = document["objectives"][0]["key_results"][0]
    assert (key_result["weight"], key_result["committed"]) == ("3", {"weight": "1"})
    assert key_result["changed"]["weight"]["order"] == 4


def test_what_was_changed_before_the_activation_was_never_committed() -> None:
    changed = ("KeyResultWeightChanged", {"key_result": "k", "weight": "3"})
    document = organisation_of(_facts(DRAFTED, ADDED, changed, ACTIVATED))

    assert "committed" not in document["objectives"][0]["key_results"][0]


def test_a_corrected_check_in_says_what_it_said_first() -> None:
    check_in = organisation_of(_facts(DRAFTED, ADDED, ACTIVATED, CHECKED_IN, CLOSED, CORRECTED))["check_ins"][
        0
    ]

    assert check_in["values"][0]["value"] == "2" and [
        one["values"][0]["value"] for one in check_in["earlier"]
    ] == ["1"]
    assert (check_in["order"], check_in["corrected"]["order"]) == (4, 6)


def test_a_retracted_check_in_is_left_out_unless_a_closing_counted_it() -> None:
    retracted = ("CheckInRetracted", {"check_in": "c", "key_result": "k"})

    gone = organisation_of(_facts(DRAFTED, ADDED, ACTIVATED, CHECKED_IN, retracted, CLOSED))
    kept = organisation_of(_facts(DRAFTED, ADDED, ACTIVATED, CHECKED_IN, CLOSED, retracted))

    assert gone["check_ins"] == []
    assert kept["check_ins"][0]["retracted"]["order"] == 6


def test_the_command_line_starts_without_the_kafka_client() -> None:
    program = "import sys, goal_ledger_client.cli.app; print('aiokafka' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
