"""Short versions of the scenarios of `make faults`, on the shared stack."""

from __future__ import annotations

from faults.finding import Finding
from faults.scenarios import (
    both_ways,
    inbox_waits,
    poison,
    racing_links,
    same_key,
    secrecy,
    topic_lost,
    two_processes,
)
from goal_ledger_local.stack import Stack


def assert_held(found: Finding) -> None:
    assert not found.wrong, found.lines()


async def test_a_key_in_flight_to_two_processes_is_one_fact_with_one_answer(running_stack: Stack) -> None:
    assert_held(await same_key(running_stack, keys=20))


async def test_of_two_racing_links_that_close_a_loop_exactly_one_wins(running_stack: Stack) -> None:
    assert_held(await racing_links(running_stack, pairs=50))


async def test_two_processes_on_one_workspace_lose_nothing_and_both_live(running_stack: Stack) -> None:
    assert_held(await two_processes(running_stack, check_ins=1000, timed=False))


async def test_a_reading_over_http_and_kafka_at_once_counts_once(running_stack: Stack) -> None:
    assert_held(await both_ways(running_stack, readings=60))


async def test_poison_goes_whole_to_the_rejected_topic_and_blocks_nothing(running_stack: Stack) -> None:
    assert_held(await poison(running_stack))


async def test_a_database_that_is_away_rejects_no_reading(running_stack: Stack) -> None:
    assert_held(await inbox_waits(running_stack, readings=500, down_s=1.0))


async def test_personal_text_is_nowhere_in_clear(running_stack: Stack) -> None:
    assert_held(await secrecy(running_stack))


async def test_a_topic_deleted_behind_a_stopped_worker_comes_back_whole(running_stack: Stack) -> None:
    assert_held(await topic_lost(running_stack, check_ins=50))
