"""Before `make mutants`, which takes long: what is listed can be, and mutants that once got away are killed."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from mutants.survivors import listed

TESTS = Path(__file__).parents[1]
SCORING = "goal_ledger_scoring"
DOMAIN = "goal_ledger_domain"
NAMED = [
    (f"{SCORING}.results", "part.score < 1", "part.score <= 1", "within_risk_asks"),
    (f"{DOMAIN}.durations", "31 * 86400", "30 * 86400", "each_unit_of_a_duration"),
]
"""Module, what stands there, what becomes of it, and the test that notices."""


@pytest.mark.parametrize(("module", "was", "becomes", "noticed_by"), NAMED, ids=[one[1] for one in NAMED])
def test_what_once_got_away_is_noticed(module: str, was: str, becomes: str, noticed_by: str) -> None:
    bounds = TESTS / module.partition(".")[0].removeprefix("goal_ledger_") / "test_bounds.py"
    command = [
        sys.executable,
        str(TESTS / "mutants/one.py"),
        module,
        was,
        becomes,
        str(bounds),
        "-k",
        noticed_by,
    ]
    ran = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1 and "FAILURES" in ran.stdout, ran.stdout + ran.stderr


def test_a_listed_survivor_changes_what_stands_there_and_has_a_reason() -> None:
    for one in listed().values():
        source = " ".join(line.strip() for line in inspect.getsource(_module_of(one.function)).splitlines())
        assert one.was in source and one.was != one.becomes and len(one.why) > 10, one


def _module_of(function: str) -> object:
    """The module is the longest name that can be imported; classes and functions stand behind it."""
    names = function.split(".")
    for end in range(len(names) - 1, 0, -1):
        name = ".".join(names[:end])
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    raise AssertionError(function)
