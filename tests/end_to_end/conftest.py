"""The whole stack, once per test session: real servers, real processes, talked to as an outside program would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_local.stack import Stack


@pytest.fixture(scope="session")
def running_stack(session_directory: Path) -> Iterator[Stack]:
    """The stack to kill and restart parts of, to mint tokens, and to run the operator's command line."""
    with Stack(session_directory / "stack") as running:
        running.publish()
        yield running


@pytest.fixture(scope="session")
def stack(running_stack: Stack) -> dict[str, Any]:
    """What stack.json says of it: addresses, and the processes with their restart words."""
    return running_stack.describe()
