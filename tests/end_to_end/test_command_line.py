"""The goal-ledger program against the running stack: the guide's examples as written, exit codes, JSON."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_client import GoalLedger
from goal_ledger_client.cli.app import app
from goal_ledger_demo import organisation
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack
from typer.testing import CliRunner

PROGRAM = Path(sys.executable).with_name("goal-ledger")
GUIDE = Path(__file__).parents[2] / "docs" / "guide"
WORKSPACE = "by-hand"


@pytest.fixture(scope="module")
def environment(running_stack: Stack) -> dict[str, str]:
    """A workspace with a unit and *ada*: admin, importer, auditor."""
    running_stack.operator(
        "create-workspace",
        *("--id", WORKSPACE, "--name", "By hand", "--time-zone", "Europe/Oslo", "--admin-person", "ada"),
        *("--admin-name", "Ada", "--issuer", ISSUER, "--subject", "ada"),
    )
    at = running_stack.describe()
    token = running_stack.mint_token("ada", WORKSPACE)
    with GoalLedger(at["command_url"], at["query_url"], token) as ada:
        for role in ("importer", "auditor"):
            ada.command("/v1/roles/grant", {"holder": "person/ada", "role": role})
        ada.command("/v1/units", {"id": "company", "name": "Company"})
    return {
        **os.environ,
        "GOAL_LEDGER_COMMAND_URL": at["command_url"],
        "GOAL_LEDGER_QUERY_URL": at["query_url"],
        "GOAL_LEDGER_TOKEN": token,
        "COLUMNS": "160",
    }


def run(
    environment: dict[str, str], *words: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *words],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


_ASKING = [
    "list",
    "show",
    "timeline",
    "objectives",
    "tree",
    "progress",
    "feeds",
    "check-ins",
    "tail",
    "ask",
    "explain",
    "diff",
    "what-if",
    "quarantine",
    "export",
]
"""Words of commands that ask the read side."""


def _lines() -> list[str]:
    page = (GUIDE / "cli.md").read_text(encoding="utf-8")
    return [
        line for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) for line in block.splitlines()
    ]


def _run_the_guide(environment: dict[str, str], *more: str) -> dict[str, str]:
    """Each line of the guide, in order, with these words added: what it printed. In this process: there are many."""
    table = re.search(r"```csv\n(.*?)```", (GUIDE / "cli.md").read_text(encoding="utf-8"), re.DOTALL)
    assert table is not None
    Path("okr.csv").write_text(table[1], encoding="utf-8")
    told: dict[str, str] = {}
    for line in _lines():
        sign, program, *words = shlex.split(line)
        assert (sign, program) == ("$", "goal-ledger")
        if words[0] in _ASKING or (words[1:] and words[1] in _ASKING):
            _wait(environment)
        ran = CliRunner().invoke(app, [*words, *(one for one in more if one not in words)], env=environment)
        refused = [one for one in ran.output.splitlines() if "refused" in one]
        assert ran.exit_code == 0, (line, refused, ran.output[-500:], ran.exception)
        told[line] = ran.stdout
    return told


def _asks_nothing_of_python(told: str) -> bool:
    """No form of Python's own, such as None, a list or a dict."""
    return not re.search(r"\bNone\b|\bTrue\b|\bFalse\b|\['|{'", told)


def test_every_example_of_the_guide_runs_against_the_demo(
    demo: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(_lines()) > 60
    told = _run_the_guide({"GOAL_LEDGER_STACK": str(demo.directory / "stack.json")})

    record = [
        json.loads(line) for line in (tmp_path / "record.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [fact["seq"] for fact in record] == list(range(1, len(record) + 1))
    found = "\n".join(told.values())
    assert "glk.nordlys.till-2027." in found
    assert "happier customers" in found and "The market turned" in found and "The fair went well" in found
    for line, printed in told.items():
        assert "--json" in line or " ask " in line or _asks_nothing_of_python(printed), (line, printed)
    counts = json.loads(found.splitlines()[-1])["summary"]["counts"]
    assert (counts["refused"], counts["created"]) == (0, 0)


def test_every_example_of_the_guide_runs_with_json(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line, printed in _run_the_guide(environment, "--json").items():
        told = printed.splitlines()
        assert told and all(isinstance(json.loads(one), dict) for one in told), line


def test_what_the_tables_show_is_whole_and_nobody_elses(environment: dict[str, str]) -> None:
    long, title = "l" * 64, "Not [bold]marked[/] up, not [/] even so"
    run(environment, "objective", "draft", title, "--id", long, "--owner", "person/ada")
    measure = ("--baseline", "0", "--target", "10")
    run(environment, "key-result", "add", long, "Kept", "--id", "kept", *measure)
    run(environment, "key-result", "add", long, "Given up", "--id", "given-up", *measure)
    run(environment, "objective", "activate", long)
    run(environment, "key-result", "drop", "given-up", "--reason", "No longer ours")
    run(environment, "check-in", "kept", "--value", "9")
    run(environment, "objective", "close", long, "--outcome", "missed", "--reason", "Late", "--grade", "0.5")
    _wait(environment)

    listed = run(environment | {"COLUMNS": "40"}, "objectives").stdout
    assert long in listed and title in listed
    shown = run(environment, "objective", "show", long).stdout.splitlines()
    assert title in shown[0] and "missed" in shown[0]
    kept, given_up = (next(one for one in shown if name in one) for name in ("Kept", "Given up"))
    assert "dropped" in given_up and "missed" not in kept + given_up
    timeline = run(environment, "objective", "timeline", long).stdout
    assert re.search(r"^ +[0-9]+  [0-9T:-]+  ObjectiveClosed  person/ada  “Late”", timeline, re.MULTILINE)
    assert "outcome: – → missed" in timeline and _asks_nothing_of_python(timeline)


def _wait(environment: dict[str, str]) -> None:
    """Until the read side has what was recorded."""
    stack, given = environment.get("GOAL_LEDGER_STACK"), environment
    if stack is not None:
        at = json.loads(Path(stack).read_text(encoding="utf-8"))
        given = {f"GOAL_LEDGER_{one.upper()}_URL": at[f"{one}_url"] for one in ("command", "query")}
        given["GOAL_LEDGER_TOKEN"] = at["tokens"]["admin"]
    name = "Company" if stack is None else organisation.NAME
    with GoalLedger(*(given[f"GOAL_LEDGER_{one}"] for one in ("COMMAND_URL", "QUERY_URL", "TOKEN"))) as admin:
        position = admin.command("/v1/units/company/rename", {"name": name}).position
        admin.query("/v1/units", after=position)


def test_exit_codes_tell_scripts_what_became_of_it(environment: dict[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("row,id,title,owner\nobjective,fine,Fine,person/ada\nobjective,bad,Bad,person/nobody\n")
    draft = ("objective", "draft", "Twice", "--id", "twice", "--owner", "person/ada")
    elsewhere = environment | {"GOAL_LEDGER_TOKEN": "nonsense"}
    nowhere = {name: one for name, one in environment.items() if not name.startswith("GOAL_LEDGER")}

    assert run(environment, *draft).returncode == 0
    assert run(environment, *draft).returncode == 0
    assert run(environment, "objective", "activate", "nothing").returncode == 1
    partly = run(environment, "import", str(bad))
    assert partly.returncode == 1 and "line 3" in partly.stdout and "1 created" in partly.stdout
    assert run(environment, "import", str(tmp_path / "missing.json")).returncode == 2
    assert run(environment, "objective", "draft").returncode == 2
    assert run(nowhere, "objectives").returncode == 2
    assert run(elsewhere, "objectives").returncode == 4


def test_json_everywhere_and_problems_as_json(environment: dict[str, str]) -> None:
    answer = json.loads(
        run(environment, "objective", "draft", "J", "--id", "j", "--owner", "person/ada", "--json").stdout
    )
    _wait(environment)
    shown: dict[str, Any] = json.loads(run(environment, "objective", "show", "j", "--json").stdout)
    refused = run(environment | {"GOAL_LEDGER_JSON_ERRORS": "1"}, "objective", "activate", "nothing")

    assert answer["id"] == shown["objective"]["id"] == "j"
    assert json.loads(refused.stderr)["code"] == "unknown_objective"


def test_the_stack_file_says_where_and_who(environment: dict[str, str], tmp_path: Path) -> None:
    stack = tmp_path / "stack.json"
    tokens = {"admin": environment["GOAL_LEDGER_TOKEN"]}
    urls = {f"{one}_url": environment[f"GOAL_LEDGER_{one.upper()}_URL"] for one in ("command", "query")}
    stack.write_text(json.dumps({**urls, "tokens": tokens}))
    bare = {name: one for name, one in environment.items() if not name.startswith("GOAL_LEDGER")}

    assert run(bare, "--stack", str(stack), "feeds", "--json").returncode == 0
    assert run(bare, "--stack", str(stack), "--role", "auditor", "feeds").returncode == 2
