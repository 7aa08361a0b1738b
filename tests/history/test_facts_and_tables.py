"""Facts in memory and tables give one answer, whatever was lived, to the last digit: the rules are over both, and what
each of them answers is the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from goal_ledger_local.postgres import Postgres
from history.both import AT_A_TIME, Tables, compare_lives, tables_at
from history.busy_feeds import compare_busy_feed

LIVES = 300
BUSY_FEEDS = 20


@pytest.fixture(scope="module")
async def tables(postgres: Postgres) -> AsyncIterator[Tables]:
    async with tables_at(await postgres.create("histories")) as made:
        yield made


@pytest.mark.parametrize("first", range(0, LIVES, AT_A_TIME))
async def test_facts_and_tables_answer_the_same_of_whole_random_lives(tables: Tables, first: int) -> None:
    await compare_lives(tables, range(first, first + AT_A_TIME))


async def test_sums_kept_by_hour_and_day_are_those_of_the_readings_one_by_one(tables: Tables) -> None:
    for seed in range(BUSY_FEEDS):
        await compare_busy_feed(tables, seed)
