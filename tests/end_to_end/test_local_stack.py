"""stack.json is all that an outside program needs to use, kill and restart the parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from typing import Any

import pytest
from goal_ledger_local.processes import is_alive
from goal_ledger_local.stack import Stack

OURS = ("command", "relay", "worker", "query")


def ready(url: str) -> int:
    with urllib.request.urlopen(f"{url}/health/ready") as answer:
        return int(answer.status)


def test_the_description_names_every_address_and_process(stack: dict[str, Any]) -> None:
    addresses = {"command_url", "command_internal_url", "query_url", "kafka"}
    databases = {"ledger_database_url", "keys_database_url", "read_database_url"}
    assert set(stack) == addresses | databases | {"workspace", "emitter", "tokens", "processes"}
    assert set(stack["processes"]) == {*OURS, "kafka", "postgres"}
    for process in stack["processes"].values():
        assert is_alive(process["pid"])
        assert os.path.exists(process["log"])  # noqa: PTH110
    assert [ready(stack["processes"][part]["url"]) for part in OURS] == [200] * len(OURS)


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
