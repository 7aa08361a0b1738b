"""A dataset that lies in one table, read page by page: each page a snapshot of its own, as CSV, in so many rows that it
stays small. Any number of rows, and rows of any size, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from goal_ledger_projection.api.view import View
from goal_ledger_projection.exports.arrow import table_of_csv
from goal_ledger_projection.exports.pyarrow_later import pa
from goal_ledger_projection.exports.schemas import Dataset
from goal_ledger_projection.history.snapshots import TooMuch

FIRST_ROWS, ROWS_MAX = 1000, 20_000
PAGE_BYTES, PAGE_BYTES_MAX = 4_000_000, 16_000_000
"""What a page is meant to hold, as PostgreSQL writes it, and what it must not."""
FEWER = 16

Again = Callable[[], AbstractAsyncContextManager[View]]
"""Opens one more view at the clocks of the export."""
Conditions = tuple[Sequence[str], Sequence[Any]]
"""Of a statement, and its values from `$2` on."""


@dataclass(frozen=True, slots=True)
class InTable:
    """`select`: from conditions and a limit to the statement; `key`: the columns that it orders by; `complete`: what
    PostgreSQL cannot say of a page."""

    dataset: Dataset
    select: Callable[[Sequence[str], int], str]
    key: tuple[str, ...]
    conditions: Conditions
    complete: Callable[[View, pa.Table], Awaitable[pa.Table]] | None = None

    def page(self, after: tuple[Any, ...] | None, rows: int) -> tuple[str, Sequence[Any]]:
        """The statement of the page after these key values, and its values."""
        conditions, values = self.conditions
        if after is None:
            return self.select(conditions, rows), values
        numbers = ", ".join(f"${len(values) + 2 + n}" for n in range(len(after)))
        following = f"({', '.join(self.key)}) > ({numbers})"
        return self.select([*conditions, following], rows), [*values, *after]


async def pages_of(source: InTable, again: Again) -> AsyncIterator[pa.Table]:
    """All rows, in order."""
    after, rows = None, FIRST_ROWS
    while True:
        try:
            page, size = await _page(source, again, after, rows)
        except TooMuch:
            rows = max(1, rows // FEWER)
            continue
        if page.num_rows:
            yield page
            after = tuple(page.column(name)[-1].as_py() for name in source.key)
        if page.num_rows < rows:
            return
        rows = max(1, min(ROWS_MAX, rows * PAGE_BYTES // max(size, 1)))


async def _page(
    source: InTable, again: Again, after: tuple[Any, ...] | None, rows: int
) -> tuple[pa.Table, int]:
    """The page, and how many bytes it was."""
    statement, values = source.page(after, rows)
    async with again() as view:
        raw = await view.snapshot.copied(statement, *values, bytes_max=None if rows == 1 else PAGE_BYTES_MAX)
        page = await asyncio.to_thread(table_of_csv, raw, source.dataset)
        if source.complete is not None and page.num_rows:
            page = await source.complete(view, page)
    return page, len(raw)
