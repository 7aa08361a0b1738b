"""Parts that are stopped in their tracks, on a stack of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.scenarios import command_paused, server_hangs, worker_paused
from goal_ledger_local.stack import Stack


@pytest.fixture(scope="module")
def paused_stack(session_directory: Path) -> Iterator[Stack]:
    with Stack(session_directory / "paused") as running:
        running.publish()
        yield running


async def test_a_command_process_paused_in_a_transaction_stops_no_other(paused_stack: Stack) -> None:
    found = await command_paused(paused_stack)
    assert not found.wrong, found.lines()


async def test_a_worker_paused_in_a_transaction_stops_no_other(paused_stack: Stack) -> None:
    found = await worker_paused(paused_stack)
    assert not found.wrong, found.lines()


async def test_a_database_server_that_hangs_is_told_in_time(paused_stack: Stack) -> None:
    found = await server_hangs(paused_stack)
    assert not found.wrong, found.lines()
