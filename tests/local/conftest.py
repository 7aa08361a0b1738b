"""A directory that PostgreSQL's user may enter, and a supervisor to be killed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SMALL_STACK = Path(__file__).with_name("small_stack.py")


@pytest.fixture
def directory() -> Iterator[Path]:
    """An empty directory below /tmp that other users may walk into."""
    made = Path(tempfile.mkdtemp(prefix="goal-ledger-local-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


class Running:
    """A small stack in a process of its own; `described` is what it printed when ready."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        argv = [sys.executable, str(SMALL_STACK), str(directory)]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.described = self.next_line()

    def next_line(self) -> dict[str, Any]:
        """The next JSON line it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        parsed: dict[str, Any] = json.loads(line)
        return parsed


@pytest.fixture
def running(directory: Path) -> Iterator[Running]:
    """Killed at the end if it still runs; what it owned then ends by itself."""
    stack = Running(directory)
    yield stack
    stack.process.kill()
    stack.process.communicate()
