"""An auditor downloads the running stack's log by HTTP, saves answers, and verifies all of it with two programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults.waiting import until
from goal_ledger_client import GoalLedger
from goal_ledger_demo import organisation
from goal_ledger_local.stack import Stack

ASKED = (
    "/v1/alignment",
    "/v1/objectives",
    "/v1/key-results",
    "/v1/objectives/web-shop",
    "/v1/key-results/hours",
)
SIGNED_WITHIN_S = 60.0


@pytest.fixture(scope="module")
async def folder(demo: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``goal-ledger audit`` brought, with answers beside it."""
    made = tmp_path_factory.mktemp("audit")
    at = demo.describe()
    told = {
        **os.environ,
        "GOAL_LEDGER_COMMAND_URL": at["command_url"],
        "GOAL_LEDGER_QUERY_URL": at["query_url"],
    }
    told["GOAL_LEDGER_TOKEN"] = at["tokens"]["auditor"]

    with GoalLedger(at["command_url"], at["query_url"], at["tokens"]["auditor"]) as auditor:

        async def whole() -> bool:
            signed = auditor.send("GET", "/v1/log/checkpoint").text.split("\n")[1]
            return not auditor.send("GET", f"/v1/log?after={signed}&limit=1").content

        await until(whole, SIGNED_WITHIN_S, "the head is signed")
        proof = auditor.send("GET", f"/v1/logs/{organisation.WORKSPACE}/1/proof/17").text
    (made / "proof").write_text(proof)
    kept = _run("goal-ledger", "audit", str(made), env=told)
    assert kept.returncode == 0, kept.stderr
    (made / "answers").mkdir()
    with GoalLedger(at["command_url"], at["query_url"], at["tokens"]["analyst"]) as ledger:
        for number, path in enumerate(ASKED):
            body = ledger.query(path, after=_position(made))
            (made / "answers" / f"{number}.json").write_text(json.dumps(body))
    return made


def _position(folder: Path) -> str:
    lines = (folder / "log.jsonl").read_bytes().count(b"\n")
    return f"1-{lines}"


def _run(program: str, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).with_name(program)
    return subprocess.run(
        [str(path), *words], env=env, capture_output=True, text=True, timeout=120, check=False
    )


def _verified(folder: Path, log: str = "log.jsonl") -> tuple[int, dict[str, Any]]:
    words = ("--key", "key", "--head", "heads", "--proof", "proof", "--answer", "answers", "--json")
    given = [word if word.startswith("--") else str(folder / word) for word in words]
    told = _run("goal-ledger-verify", str(folder / log), *given)
    assert told.stdout, told.stderr
    return told.returncode, json.loads(told.stdout)


async def test_the_log_its_heads_a_proof_and_answers_are_whole(folder: Path) -> None:
    code, report = _verified(folder)
    assert (code, report["verdict"], report["findings"], report["remarks"]) == (0, "whole", [], [])
    assert report["checked"]["saved answers"] == len(ASKED)
    assert report["checked"]["facts proven"] == 1
    assert report["log"]["sealed_texts"] > 0


async def test_a_changed_letter_is_found(folder: Path) -> None:
    lines = (folder / "log.jsonl").read_bytes().splitlines(keepends=True)
    at = next(n for n, one in enumerate(lines) if b'"type":"ObjectiveDrafted"' in one)
    lines[at] = lines[at].replace(b'"title":"', b'"title":"X', 1)
    (folder / "changed.jsonl").write_bytes(b"".join(lines))
    code, report = _verified(folder, "changed.jsonl")
    assert code == 1
    assert {one["code"] for one in report["findings"]} >= {"previous_wrong", "root_differs"}
