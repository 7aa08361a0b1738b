"""A part's stretches as the database is asked for them: one row each, and which readings count in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from goal_ledger_history.protocols import Fed
from goal_ledger_scoring.aggregation import Stretch

from goal_ledger_projection.read_models.reading_sums import DAY, HOUR

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)

STRETCH = """
unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::text[], $8::text[])
WITH ORDINALITY AS q (feed, since, until, opened, k, feed_unit, part_unit, n)
"""
ACCEPTED_THEN = """
r.workspace = $1 AND r.feed = q.feed AND r.state = 0 AND r.seq <= q.k AND (r.ended_seq IS NULL OR r.ended_seq > q.k)
"""
"""Whatever its unit."""
_IN_UNIT = "AND coalesce({unit}, q.feed_unit, q.part_unit) IS NOT DISTINCT FROM q.part_unit"
ACCEPTED = ACCEPTED_THEN + _IN_UNIT.format(unit="r.unit")

_GRAINS = {"hour": HOUR, "day": DAY}
_THERE_BY_THEN = """
{sums}.workspace = $1 AND {sums}.feed = q.feed AND {sums}.grain = {grain} AND {sums}.first_seq <= q.k
AND {sums}.since >= date_trunc('{name}', {since}, 'UTC') AND {sums}.since <= {until}
"""


def _there_by_then(sums: str, grain: str, since: str, until: str) -> str:
    return _THERE_BY_THEN.format(sums=sums, grain=_GRAINS[grain], name=grain, since=since, until=until)


def sums_between(grain: str, *, in_unit: bool = True) -> str:
    """Which rows `s` of `reading_sums` hold readings between q.since and q.until (that count in the part's unit)."""
    between = _there_by_then("s", grain, "q.since", "q.until")
    return between + _IN_UNIT.format(unit="nullif(s.unit, '')") if in_unit else between


def newest(columns: str, accepted: str = ACCEPTED, *, since: str = "q.since", until: str = "q.until") -> str:
    """The last accepted reading between two instants, if there is one, as a query for one row. The days, and in a day the
    hours, in which any lay by then are walked backwards: what was recorded later is passed over by the day and hour."""
    return _outermost("DESC", columns, accepted, since, until)


def oldest(columns: str, accepted: str = ACCEPTED) -> str:
    """The first one between q.since and q.until, by days and hours forwards."""
    return _outermost("ASC", columns, accepted, "q.since", "q.until")


def _outermost(order: str, columns: str, accepted: str, since: str, until: str) -> str:
    return f"""
    SELECT l.* FROM reading_sums d
    CROSS JOIN LATERAL (
        SELECT l.* FROM reading_sums h
        CROSS JOIN LATERAL (
            SELECT {columns} FROM readings r
            WHERE {accepted} AND r.time >= greatest(h.since, {since}) AND r.time < h.since + interval '1 hour'
              AND r.time <= {until}
            ORDER BY r.time {order}, r.seq {order} LIMIT 1) l
        WHERE {_there_by_then("h", "hour", since, until)}
          AND h.since >= d.since AND h.since < d.since + interval '24 hours'
        ORDER BY h.since {order} LIMIT 1) l
    WHERE {_there_by_then("d", "day", since, until)}
    ORDER BY d.since {order} LIMIT 1
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
    return at if end is None or end > at else end - TICK
