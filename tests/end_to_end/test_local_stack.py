"""stack.json is all that an outside program needs to use, kill and restart the parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_local.processes import is_alive
from goal_ledger_local.stack import Stack

OURS = ("command", "relay", "worker", "changed", "query", "reconciler")
READY_WITHIN_S = 30.0
IDLE_S, IDLE_WITHIN_S = 4.0, 60.0
"""So long nothing is written; and so long what was done before may have its effects."""


def ready(url: str) -> int:
    """The status of `/health/ready`, asked until it is 200: a part that has just seen Kafka killed says so a while."""
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=READY_WITHIN_S) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            if time.monotonic() > deadline:
                return refused.code
        time.sleep(0.2)


def test_the_description_names_every_address_and_process(stack: dict[str, Any]) -> None:
    addresses = {"command_url", "command_internal_url", "query_url", "pages_url", "kafka"}
    databases = {"ledger_database_url", "keys_database_url", "read_database_url"}
    assert set(stack) == addresses | databases | {"workspace", "emitter", "tokens", "processes"}
    assert set(stack["processes"]) == {*OURS, "kafka", "postgres"}
    for process in stack["processes"].values():
        assert is_alive(process["pid"])
        assert os.path.exists(process["log"])  # noqa: PTH110
    assert [ready(stack["processes"][part]["url"]) for part in OURS] == [200] * len(OURS)


def test_processes_with_nothing_to_do_write_no_line(stack: dict[str, Any]) -> None:
    logs = {part: Path(stack["processes"][part]["log"]) for part in OURS}
    deadline, told = time.monotonic() + IDLE_WITHIN_S, {"not": "asked"}
    while told and time.monotonic() < deadline:
        before = {part: log.stat().st_size for part, log in logs.items()}
        time.sleep(IDLE_S)
        told = {part: log.read_bytes()[before[part] :].decode() for part, log in logs.items()}
        told = {part: lines for part, lines in told.items() if lines}

    assert told == {}


@pytest.mark.parametrize("part", OURS)
def test_a_killed_process_comes_back_by_its_restart_words(
    running_stack: Stack, stack: dict[str, Any], part: str
) -> None:
    described = json.loads(running_stack.file.read_text())["processes"][part]
    os.kill(described["pid"], signal.SIGKILL)

    subprocess.run(described["restart"], check=True, capture_output=True)

    after = json.loads(running_stack.file.read_text())["processes"][part]
    assert after["pid"] != described["pid"]
    assert after["url"] == stack["processes"][part]["url"]
    assert ready(after["url"]) == 200


def test_the_operators_command_line_runs_on_it_with_its_settings_filled_in(running_stack: Stack) -> None:
    words = ["create-workspace", "--id", "by-operator", "--name", "Acme", "--time-zone", "Europe/Oslo"]
    words += [
        "--admin-person",
        "ada",
        "--admin-name",
        "Ada",
        "--issuer",
        "https://i.invalid",
        "--subject",
        "7",
    ]
    argv = [sys.executable, "-m", "goal_ledger_local", "operator", "--dir", str(running_stack.directory)]

    made = subprocess.run([*argv, *words, "--json"], check=False, capture_output=True, text=True)
    unknown = ["issue-key", "--workspace", "never", "--holder", "system/x"]
    refused = subprocess.run([*argv, *unknown], check=False, capture_output=True, text=True)
    helped = subprocess.run([*argv, "shred-person", "--help"], check=False, capture_output=True, text=True)

    assert json.loads(made.stdout)["position"] == "1-4", made.stderr
    assert (refused.returncode, "unknown_workspace" in refused.stderr) == (1, True)
    assert (helped.returncode, "Whose order it is" in helped.stdout) == (0, True)
