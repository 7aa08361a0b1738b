"""`make demo` as its user runs it: a process of its own, whose parts others kill and restart by its stack.json."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_client import GoalLedger

WITHIN_S = 180.0


@pytest.fixture(scope="module")
def directory(session_directory: Path) -> Path:
    return session_directory / "demo"


@pytest.fixture(scope="module")
def demo(directory: Path, session_directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    told = session_directory / "demo.out"
    with told.open("wb") as out:
        process = subprocess.Popen(_demo(directory), stdout=out, stderr=subprocess.STDOUT)
        yield process, told
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _demo(directory: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "goal_ledger_demo", "--directory", str(directory), *more]


def _until(holds: Callable[[], bool], process: subprocess.Popen[bytes], told: Path) -> None:
    until = time.monotonic() + WITHIN_S
    while not holds():
        assert process.poll() is None and time.monotonic() < until, told.read_text()
        time.sleep(0.05)


def test_it_outlives_a_part_that_somebody_kills_and_restarts(
    demo: tuple[subprocess.Popen[bytes], Path], directory: Path
) -> None:
    process, told = demo
    file = directory / "stack.json"
    _until(file.exists, process, told)
    described: dict[str, Any] = json.loads(file.read_text())
    query = described["processes"]["query"]

    os.kill(query["pid"], signal.SIGKILL)
    _until(lambda: "Ctrl-C stops everything" in told.read_text(), process, told)
    subprocess.run(query["restart"], check=True, timeout=60, capture_output=True)

    with GoalLedger(
        described["command_url"], described["query_url"], described["tokens"]["analyst"]
    ) as analyst:
        shop = analyst.query("/v1/objectives/web-shop")
    assert "cannot be shown now" in told.read_text()
    assert (shop["objective"]["id"], process.poll()) == ("web-shop", None)


def test_stopped_and_run_once_it_goes_on_from_the_same_data_and_proves_it(
    demo: tuple[subprocess.Popen[bytes], Path], directory: Path
) -> None:
    process, _ = demo
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert not (directory / "stack.json").exists()

    once = subprocess.run(
        _demo(directory, "--once"), capture_output=True, text=True, timeout=WITHIN_S, check=False
    )

    assert once.returncode == 0, once.stdout
    report = json.loads((directory / "report.json").read_text())
    assert report["roots_agree"] is True
    assert report["facts"] > 100
