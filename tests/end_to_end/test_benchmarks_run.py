"""The benchmarks are kept alive: two of them run in small sizes. What they measure is looked at by people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
WITHIN_S = 240


def test_benchmarks_run_and_write_their_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    words = [sys.executable, "-m", "benchmarks", "latency", "relay", "--quick", "--json", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    ran = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, timeout=WITHIN_S
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    document = json.loads(file.read_text())
    figures = {one["what"]: one for one in document["figures"]}
    assert figures["latency p50"]["ours"] > 0
    assert figures["relay, draining a backlog"]["ratio"] > 0
    assert document["machine"]["processor"]
