"""The whole stack, once per test session: real servers, real processes, talked to as an outside program would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_demo import organisation, seeding
from goal_ledger_demo.__main__ import TOPIC
from goal_ledger_demo.emitter import emit
from goal_ledger_local.stack import Stack


@pytest.fixture(scope="session")
def running_stack(session_directory: Path) -> Iterator[Stack]:
    """The stack to kill and restart parts of, to mint tokens, and to run the operator's command line."""
    with Stack(session_directory / "stack", settings={"REST_S": "5"}) as running:
        running.publish()
        yield running


@pytest.fixture(scope="session")
def stack(running_stack: Stack) -> dict[str, Any]:
    """What stack.json says of it: addresses, and the processes with their restart words."""
    return running_stack.describe()


@pytest.fixture(scope="session")
async def demo(running_stack: Stack) -> Stack:
    """The stack with the demo organisation, its readings emitted."""
    start = seeding.start_day(running_stack.directory)
    seeding.create_workspace(running_stack)
    seeding.seed(running_stack, start, lambda done, of: None)
    running_stack.credentials.write_sign_ins(seeding.sign_ins(running_stack))
    running_stack.publish(
        workspace=organisation.WORKSPACE,
        emitter={"topic": TOPIC, "feeds": [organisation.VISITORS, organisation.SALES]},
        tokens=seeding.tokens(running_stack),
    )
    await emit(running_stack.describe()["kafka"], TOPIC, start, 0.0)
    return running_stack
