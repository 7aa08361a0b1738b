"""What is to be published next: pages of facts behind the marks, of many workspaces at once, in one statement.

One statement is one snapshot: the epoch a page is published under and the facts in it belong together even while a
recovery raises the epoch. Within a workspace facts come in seq order without gaps, for the guard on the head makes
commit order the order of seq; so ``seq > published`` misses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from goal_ledger_ledger.store import raw_connection
from sqlalchemy.ext.asyncio import AsyncEngine

WORKSPACES_PER_ROUND = 200
FACTS_PER_WORKSPACE = 3_000
BYTES_PER_WORKSPACE = 4 * 1024 * 1024
"""Limits of one round: it is held in memory, and twice, for the next is read while one is under way."""
FACTS_PER_ROUND = 4_000

_BEHIND = """
SELECT h.workspace, h.epoch, h.seq, coalesce(sent.seq, p.seq, 0) AS after
FROM heads h
LEFT JOIN published p ON p.workspace = h.workspace AND p.epoch = h.epoch
LEFT JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS sent(workspace, epoch, seq)
    ON sent.workspace = h.workspace AND sent.epoch = h.epoch
WHERE coalesce(sent.seq, p.seq, 0) < h.seq AND h.workspace <> ALL($4::text[])
ORDER BY h.moved_at
LIMIT $5
"""

_PAGE = f"""
WITH behind AS ({_BEHIND}),
share AS (SELECT greatest(50, least($6::bigint, $7::bigint / greatest(1, count(*)))) AS facts FROM behind)
SELECT b.workspace, b.epoch, f.seq, f.stream, f.type, f.event_id::text, f.recorded_at, f.bytes, f.traceparent
FROM behind b CROSS JOIN share CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT page.*, sum(octet_length(page.bytes)) OVER (ORDER BY page.seq) AS total
        FROM (
            SELECT seq, stream, type, event_id, recorded_at, bytes, traceparent FROM facts
            WHERE workspace = b.workspace AND seq > b.after AND seq <= b.seq
            ORDER BY seq LIMIT share.facts
        ) page
    ) sized
    WHERE total <= $8 OR seq = b.after + 1
    ORDER BY seq
) f
"""


class Pages:
    """Reads the next round."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def next(self, sent: Mapping[tuple[str, int], int], without: Collection[str]) -> list[Any]:
        """Rows in seq order per workspace. ``sent``: what is under way beyond the marks; ``without``: left out."""
        async with raw_connection(self._engine) as raw:
            rows: list[Any] = await raw.fetch(
                _PAGE,
                [workspace for workspace, _ in sent],
                [epoch for _, epoch in sent],
                list(sent.values()),
                list(without),
                WORKSPACES_PER_ROUND,
                FACTS_PER_WORKSPACE,
                FACTS_PER_ROUND,
                BYTES_PER_WORKSPACE,
            )
        return rows
