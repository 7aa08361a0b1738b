"""What a restore leaves behind, on a stack of its own: the record goes on and forks nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.scenarios import both_restored, restored_while_running
from goal_ledger_local.stack import Stack


@pytest.fixture(scope="module")
def restored_stack(session_directory: Path) -> Iterator[Stack]:
    with Stack(session_directory / "restored") as running:
        yield running


async def test_store_and_kafka_restored_together_go_on_in_a_new_epoch(restored_stack: Stack) -> None:
    found = await both_restored(restored_stack)
    assert not found.wrong, found.lines()


async def test_a_store_put_back_under_two_running_processes_is_written_to_by_neither(
    restored_stack: Stack,
) -> None:
    found = await restored_while_running(restored_stack, check_ins=10)
    assert not found.wrong, found.lines()
