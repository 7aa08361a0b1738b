"""mutmut in an environment of its own, over a flat copy of the packages: it knows a module by where its file lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".cache" / "mutants"
TREE, VENV, LOG = HOME / "tree", HOME / "venv", HOME / "log"
MUTMUT = "mutmut==3.8.1"
"""Forks one process per mutant after one import, and runs of the tests only those that called the mutated function."""
LAID_FLAT = (
    *(f"libs/{name}/goal_ledger_{name}" for name in ("contracts", "domain", "scoring", "history", "ledger")),
    *("services/projection/goal_ledger_projection", "tests", "pyproject.toml", "requirements.lock"),
    *("libs", "services", "deploy", "docs"),  # read by some of the tests
)
FETCH_S = 600
JUDGE_S = 120
KILLED = frozenset({1, 3})
TIMED_OUT = frozenset({36, -24, 24, 152, 255})

Verdicts = dict[str, int | None]
"""By mutant the exit code of its tests; None: not judged yet."""


def prepare() -> None:
    """The tool, beside our own packages and pins, and the tree it works in. Raises CalledProcessError if it cannot be fetched."""
    TREE.mkdir(parents=True, exist_ok=True)
    for path in LAID_FLAT:
        link = TREE / Path(path).name
        if not link.is_symlink():
            link.symlink_to(ROOT / path)
    if not (VENV / "bin" / "mutmut").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True, timeout=FETCH_S)
        ours = sysconfig.get_path("purelib")
        theirs = VENV / Path(ours).relative_to(sys.prefix) / "goal_ledger.pth"
        theirs.write_text(f"import site; site.addsitedir({ours!r})\n")
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, MUTMUT], check=True, timeout=FETCH_S)


def start(names: Sequence[str]) -> subprocess.Popen[bytes]:
    """Judge these mutants, one after the other, as a neighbour that gives way; what it says goes to the log."""
    with LOG.open("wb") as log:
        command = ["nice", "-n", "19", str(VENV / "bin" / "mutmut"), "run", "--max-children", "1", *names]
        return subprocess.Popen(command, cwd=TREE, stdout=log, stderr=subprocess.STDOUT)


def verdicts() -> Verdicts:
    """Of all mutants that were made."""
    found: Verdicts = {}
    for meta in sorted((TREE / "mutants").glob("goal_ledger_*/**/*.meta")):
        found.update(json.loads(meta.read_text())["exit_code_by_key"])
    return found


def judge_before_import(name: str) -> int:
    """The exit code of the tests of contracts in a process that is told the mutant before it imports anything: codecs
    are built at import, so that mutmut's forks hold the right ones. An empty name: no mutant."""
    tests = ["-x", "-q", "-p", "no:cacheprovider", "--ignore=tests/contracts/test_pure.py", "tests/contracts"]
    command = ["nice", "-n", "19", str(VENV / "bin" / "python"), "-m", "pytest", *tests]
    chosen = os.environ | {"MUTANT_UNDER_TEST": name}
    try:
        ended = subprocess.run(
            command, cwd=TREE / "mutants", env=chosen, capture_output=True, timeout=JUDGE_S
        )
    except subprocess.TimeoutExpired:
        return min(TIMED_OUT)
    return min(ended.returncode, 1)


def change(name: str) -> tuple[str, str]:
    """What stood there, and what the mutant made of it."""
    shown = [str(VENV / "bin" / "mutmut"), "show", name]
    diff = subprocess.run(shown, cwd=TREE, check=True, capture_output=True, text=True).stdout
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return _joined(lines, "-"), _joined(lines, "+")


def _joined(lines: Sequence[str], mark: str) -> str:
    return " ".join(line[1:].strip() for line in lines if line.startswith(mark))
