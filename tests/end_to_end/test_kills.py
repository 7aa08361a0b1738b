"""Every part is killed once while writers and an emitter work: nothing acknowledged is lost or doubled (short version)."""

from __future__ import annotations

from faults.campaign import Campaign, Plan, header, row, verdict
from faults.scenarios import import_killed
from goal_ledger_local.stack import Stack

PARTS = ("command", "relay", "worker", "kafka", "postgres")


async def test_whatever_is_killed_nothing_acknowledged_is_lost_or_doubled(running_stack: Stack) -> None:
    kills = await Campaign(running_stack, Plan(PARTS, seconds=0.4, writers=4), lambda _: None).run()

    assert not verdict(kills).wrong, "\n".join([header(), *(row(kill) for kill in kills)])
    assert [kill.part for kill in kills] == list(PARTS)


async def test_an_import_goes_on_where_its_command_process_was_killed(running_stack: Stack) -> None:
    found = await import_killed(running_stack, rows=600, note_characters=2_000)

    assert not found.wrong, found.lines()
