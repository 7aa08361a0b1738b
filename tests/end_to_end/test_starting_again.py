"""A stack of its own: started again from the same data it goes on; set back to an earlier dump it stops writing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.ground import Ground, break_ground
from faults.scenarios import store_restored
from faults.whole import compare
from goal_ledger_local.stack import Stack


@pytest.fixture(scope="module")
def directory(session_directory: Path) -> Path:
    return session_directory / "started-again"


@pytest.fixture(scope="module")
def told(directory: Path) -> tuple[Ground, str]:
    """A workspace told one check-in, by a stack that has ended since; and the position it answered."""
    with Stack(directory) as first:
        ground = break_ground(first, "again")
        with ground.client() as ada:
            return ground, ada.command(_path(ground), _body("before"), key="before").position


@pytest.fixture(scope="module")
def second(told: tuple[Ground, str], directory: Path) -> Iterator[Stack]:
    with Stack(directory) as stack:
        yield stack


def _path(ground: Ground) -> str:
    return f"/v1/key-results/{ground.key_results[0]}/check-ins"


def _body(id: str) -> dict[str, object]:
    return {"id": id, "values": [{"part": "value", "value": "5"}]}


async def test_a_stack_started_again_goes_on_from_its_data(second: Stack, told: tuple[Ground, str]) -> None:
    before, position = told
    ground = Ground(second, before.workspace, before.token, before.key_results, before.emitter_key)

    with ground.client() as ada:
        repeated = await asyncio.to_thread(ada.command, _path(ground), _body("before"), key="before")
        after = await asyncio.to_thread(ada.command, _path(ground), _body("after"))
    whole = await compare(ground)

    assert (repeated.replayed, repeated.position) == (True, position)
    assert after.facts[0]["seq"] == whole.facts == int(position.partition("-")[2]) + 1
    assert not whole.wrong


async def test_a_store_set_back_refuses_to_write_and_overwrites_nothing(second: Stack) -> None:
    found = await store_restored(second, check_ins=10)

    assert not found.wrong, found.lines()
