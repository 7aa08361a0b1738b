"""Missing Java, Maven or PostgreSQL: one line that says what was looked for and what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from goal_ledger_local.kafka_jars import kafka_jars
from goal_ledger_local.postgres_binaries import find_binaries
from goal_ledger_local.tools import ToolMissing, find_java, find_maven

NOTHING = {"PATH": "", "GOAL_LEDGER_CACHE": "/nonexistent"}


@pytest.mark.parametrize(
    ("find", "sought", "packages"),
    [
        (lambda: find_java(NOTHING), "Java 17 or newer", "default-jdk-headless"),
        (lambda: find_maven(NOTHING), "Maven", "apt-get install maven"),
        (lambda: kafka_jars(NOTHING), "Java 17 or newer", "default-jdk-headless"),
        (
            lambda: find_binaries(NOTHING, (), install=False),
            "PostgreSQL 15 or newer",
            "apt-get install postgresql",
        ),
    ],
)
def test_a_missing_tool_gives_one_line(find: Callable[[], object], sought: str, packages: str) -> None:
    with pytest.raises(ToolMissing) as missing:
        find()
    said = str(missing.value)
    assert sought in said
    assert packages in said
    assert "\n" not in said


def test_a_java_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    with pytest.raises(ToolMissing, match=r"found only .*bin/java, which is older"):
        find_java({"JAVA_HOME": str(tmp_path), "PATH": ""})


def test_the_command_says_it_on_stderr_and_fails() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "JAVA_HOME"} | {"PATH": ""}
    argv = [sys.executable, "-m", "goal_ledger_local", "tools"]
    ran = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("Java 17 or newer")
