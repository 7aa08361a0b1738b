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
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

PROGRAM = Path(sys.executable).with_name("goal-ledger")
GUIDE = Path(__file__).parents[2] / "docs" / "guide"
WORKSPACE = "by-hand"


@pytest.fixture(scope="module")
def environment(running_stack: Stack) -> dict[str, str]:
    """A workspace with two units and *ada*: admin, importer, auditor."""
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
        ada.command("/v1/units", {"id": "sales", "name": "Sales", "parent": "company"})
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


def test_every_example_of_the_guide_runs_as_it_is_written(
    environment: dict[str, str], tmp_path: Path
) -> None:
    table = re.search(r"```csv\n(.*?)```", (GUIDE / "import.md").read_text(encoding="utf-8"), re.DOTALL)
    assert table is not None
    (tmp_path / "okr.csv").write_text(table[1], encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", (GUIDE / "cli.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > 25

    told: dict[str, str] = {}
    for line in lines:
        sign, program, *words = shlex.split(line)
        assert (sign, program) == ("$", "goal-ledger")
        if words[0] in ("objectives", "objective", "progress", "export", "tree"):
            _wait(environment)
        ran = run(environment, *words, cwd=tmp_path)
        assert ran.returncode == 0, (line, ran.stdout, ran.stderr)
        told[line] = ran.stdout

    record = [
        json.loads(line) for line in (tmp_path / "record.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [fact["seq"] for fact in record] == list(range(1, len(record) + 1))
    found = "\n".join(told.values())
    assert "happier customers" in found and "The market turned" in found
    counts = json.loads(found.splitlines()[-1])["summary"]["counts"]
    assert (counts["refused"], counts["created"]) == (0, 0)


def _wait(environment: dict[str, str]) -> None:
    """Until the read side has what was recorded."""
    with GoalLedger(
        environment["GOAL_LEDGER_COMMAND_URL"],
        environment["GOAL_LEDGER_QUERY_URL"],
        environment["GOAL_LEDGER_TOKEN"],
    ) as ada:
        position = ada.command("/v1/units/sales/rename", {"name": "Sales"}).position
        ada.query("/v1/units", after=position)


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
