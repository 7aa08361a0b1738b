"""A record that was tampered with is caught, and the place is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from goal_ledger_verifier.findings import CODES

from verifier.campaign import TAMPERINGS_OF_EACH, missed
from verifier.signed import signed_life, verified

LOGS = 46


def test_every_tampering_is_named_at_its_place_and_no_clean_log_is_accused(tmp_path: Path) -> None:
    assert LOGS * TAMPERINGS_OF_EACH > 500
    assert missed(tmp_path, range(LOGS)) == []


def test_the_report_says_what_was_checked_and_under_which_head(tmp_path: Path) -> None:
    of = signed_life(1)
    report = verified(tmp_path, of.lines, of.key, of.heads, [of.proof(17)])
    assert report.exit_code == 0
    document = json.loads(json.dumps(report.document()))
    assert document["verdict"] == "whole"
    assert document["log"]["facts"] == len(of.lines) and document["log"]["workspace"] == of.workspace
    assert document["log"]["shredded"].keys() == {"person/kari"}
    assert (document["log"]["erased_texts"], document["log"]["sealed_texts"]) == (1, of.sealed_texts)
    assert list(document["checked"].values()) == [len(of.lines), len(of.heads) + 1, len(of.heads) + 1, 0, 1]
    assert list(report.lines())[-1] == "Nothing found."


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    of = signed_life(2, facts=4300, head_every=4200)
    lines = [*of.lines[:2000], *of.lines[2001:]]
    one = verified(tmp_path, lines, of.key, of.heads)
    assert {found.code for found in one.findings.kept} >= {"seq_wrong", "version_wrong", "head_beyond_log"}
    program = [
        str(Path(sys.executable).with_name("goal-ledger-verify")),
        str(tmp_path / "log.jsonl"),
        "--json",
    ]
    given = ["--key", of.key, "--head", str(tmp_path / "head-0"), "--head", str(tmp_path / "head-1")]
    assert len(of.heads) == 2
    told = subprocess.run(
        [*program, *given, "--processes", "2"], capture_output=True, text=True, timeout=120, check=False
    )
    assert (told.returncode, json.loads(told.stdout)) == (1, one.document())


def test_without_a_head_nothing_shows_that_the_end_is_there(tmp_path: Path) -> None:
    of = signed_life(3)
    report = verified(tmp_path, of.lines[:40], of.key, [])
    assert report.exit_code == 0
    assert report.remarks[0].startswith("no head was given")


def test_a_proof_of_another_fact_is_named(tmp_path: Path) -> None:
    of = signed_life(4)
    moved = of.proof(17).replace("index 16", "index 17")
    report = verified(tmp_path, of.lines, of.key, [], [moved])
    assert [(one.code, one.seq) for one in report.findings.kept] == [("proof_wrong", 18)]


def test_the_page_lists_every_code() -> None:
    page = (Path(__file__).parents[2] / "docs/guide/auditors.md").read_text()
    listed = [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 3]
    assert listed == [f"| `{code}` | {meaning} |" for code, meaning in CODES.items()]
