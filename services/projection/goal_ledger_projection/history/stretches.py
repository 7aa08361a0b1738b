"""A part's stretches as the database is asked for them: one row each, and which readings count in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from goal_ledger_history.protocols import Fed
from goal_ledger_scoring.aggregation import Stretch

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

STRETCH = """
unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::text[], $8::text[])
WITH ORDINALITY AS q (feed, since, until, opened, k, feed_unit, part_unit, n)
"""
ACCEPTED = """
r.workspace = $1 AND r.feed = q.feed AND r.state = 0 AND r.seq <= q.k AND (r.ended_seq IS NULL OR r.ended_seq > q.k)
AND coalesce(r.unit, q.feed_unit, q.part_unit) IS NOT DISTINCT FROM q.part_unit
"""


def stretch_columns(asked: Sequence[tuple[Fed, Stretch]]) -> list[list[Any]]:
    """The arguments of :data:`STRETCH`."""
    return [
        [one.feed for one, _ in asked],
        [stretch.start or BEGINNING for _, stretch in asked],
        [until(one.at, stretch.end) for one, stretch in asked],
        [stretch.opened or BEGINNING for _, stretch in asked],
        [one.known for one, _ in asked],
        [stretch.unit for _, stretch in asked],
        [one.unit for one, _ in asked],
    ]


def until(at: datetime, end: datetime | None) -> datetime:
    """The last instant up to `at` that lies before `end`."""
    return at if end is None or end > at else end - _TICK
