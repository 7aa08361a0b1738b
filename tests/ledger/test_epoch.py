"""A new epoch: raised in one transaction with its first own fact, whatever other writers do meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from goal_ledger_contracts.decision import Decision
from goal_ledger_contracts.position import Position
from goal_ledger_ledger.submission import UnknownWorkspace

from ledger.tiny import Commands


def restored(commands: Commands, name: str = "fork"):
    """What decides the first own fact: any fact of the tiny domain will do."""
    return lambda world, situation, fork: commands.unit(f"{name}-{fork.epoch}-{fork.seq}").decide(
        world, situation
    )


async def test_the_log_goes_on_after_the_fork_under_the_new_epoch(ledger, commands, audit, workspace):
    await ledger.submit(commands.unit("a"))
    answer = await ledger.begin_epoch(workspace, 0, restored(commands))
    assert answer.position == Position(2, 3)
    assert (await ledger.submit(commands.unit("b"))).position == Position(2, 4)
    assert [fact["stream"] for fact in (await audit.facts())[2:]] == ["unit/fork-2-2", "unit/b"]
    assert await audit.value("SELECT fork_seq FROM epochs WHERE workspace = $1 AND epoch = 2") == 2


async def test_it_is_above_every_epoch_that_was_lost(ledger, commands, workspace):
    assert (await ledger.begin_epoch(workspace, 4, restored(commands))).position.epoch == 5
    assert (await ledger.begin_epoch(workspace, 2, restored(commands))).position.epoch == 6


async def test_a_writer_of_the_old_epoch_folds_anew_and_loses_nothing(process, commands, audit, workspace):
    one, two = await process(), await process()
    await one.submit(commands.unit("a"))
    told = await asyncio.gather(
        *(one.submit(commands.unit(f"n{n}")) for n in range(20)),
        two.begin_epoch(workspace, 0, restored(commands)),
        *(one.submit(commands.unit(f"m{n}")) for n in range(20)),
    )
    assert sorted(answer.position.seq for answer in told) == list(range(3, 44))
    assert (await one.submit(commands.unit("z"))).position == Position(2, 44)
    assert len(await audit.facts()) == 44


async def test_what_is_refused_raises_no_epoch(ledger, commands, audit, workspace):
    def refuse(world, situation, fork) -> Decision:
        raise ValueError("not this")

    with pytest.raises(ValueError, match="not this"):
        await ledger.begin_epoch(workspace, 0, refuse)
    assert await audit.value("SELECT epoch FROM heads WHERE workspace = $1") == 1
    assert (await ledger.submit(commands.unit("a"))).position == Position(1, 2)
    with pytest.raises(UnknownWorkspace):
        await ledger.begin_epoch("nowhere", 0, restored(commands))
