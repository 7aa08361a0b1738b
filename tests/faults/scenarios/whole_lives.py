"""Thousands of whole random lives: facts in memory and tables answer alike. No fault is made; it is the long run of
`tests/history`, with lives that `make test` does not draw."""

from __future__ import annotations

from goal_ledger_local.stack import Stack
from history.both import AT_A_TIME, compare_lives, tables_at
from history.busy_feeds import compare_busy_feed

from faults.finding import Finding

LIVES = 3_000
BUSY_PER = 10
"""A busy feed for so many lives."""
FIRST = 1_000_000
"""Seeds from here on: other lives than those of `make test`."""


async def whole_lives(stack: Stack, lives: int = LIVES) -> Finding:
    """In a database of their own on the stack's server."""
    found = Finding("facts in memory and tables answer the same of whole random lives")
    async with tables_at(await stack.postgres.create("lives")) as tables:
        for first in range(FIRST, FIRST + lives, AT_A_TIME):
            try:
                await compare_lives(tables, range(first, first + AT_A_TIME))
            except AssertionError as differs:
                found.expect(False, str(differs)[:2000])
        for seed in range(FIRST, FIRST + lives // BUSY_PER):
            try:
                await compare_busy_feed(tables, seed)
            except AssertionError as differs:
                found.expect(False, str(differs)[:2000])
    found.note(lives=lives, busy_feeds=lives // BUSY_PER)
    return found
