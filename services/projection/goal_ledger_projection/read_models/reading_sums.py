"""Read model `reading_sums`: accepted readings summed up per feed, unit and hour (and day) in UTC.

A feed may have millions of readings; a sum over a year is then some hundred rows, and only where a question's edge cuts
an hour are its readings read one by one. `count`, `total`, `low`, `high`, `first_at` and `last_at` are of the readings in
force now; `touched_seq` is the last fact that changed any of them, so that at a known position from there on they hold as
they stand, and before it the readings are asked. `first_seq` is the first that ever lay here: an hour
whose readings all came later need not be looked at.

What a batch adds is added; an hour in which a reading ended is summed up anew from its rows, and so is its day from its
hours. All of it follows from `readings`: a rebuild fills it at its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goal_ledger_scoring.numbers import add
from sqlalchemy import BigInteger, Column, DateTime, Numeric, SmallInteger, Table, Text

from goal_ledger_projection.metadata import read

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]

HOUR, DAY = 0, 1
NO_UNIT = ""
"""Of readings without a unit: a key holds no null."""

reading_sums = Table(
    "reading_sums",
    read,
    Column("workspace", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("since", DateTime(timezone=True), primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("total", Numeric, nullable=False),
    Column("low", Numeric),
    Column("high", Numeric),
    Column("first_at", DateTime(timezone=True)),
    Column("last_at", DateTime(timezone=True)),
    Column("first_seq", BigInteger, nullable=False),
    Column("touched_seq", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 70},
)

HourKey = tuple[str, str, str, str]
"""(workspace, feed, unit, hour in UTC: `2026-11-30T19`)"""


@dataclass(slots=True)
class _Hour:
    count: int
    total: Decimal
    low: Decimal
    high: Decimal
    first_at: str
    last_at: str
    first_seq: int
    touched_seq: int


class SumsOfBatch:
    """What a batch's readings come to, by hour."""

    def __init__(self) -> None:
        self.added: dict[HourKey, _Hour] = {}
        self.anew: set[HourKey] = set()
        """Hours in which a reading ended."""

    def add(self, workspace: str, feed: str, unit: str | None, time: str, value: str, seq: int) -> None:
        """One more accepted reading; `time` in UTC."""
        key, number = (workspace, feed, unit or NO_UNIT, time[:13]), Decimal(value)
        one = self.added.get(key)
        if one is None:
            self.added[key] = _Hour(1, number, number, number, time, time, seq, seq)
            return
        one.count += 1
        one.total = add(one.total, number)
        one.low, one.high = min(one.low, number), max(one.high, number)
        one.first_at, one.last_at = min(one.first_at, time), max(one.last_at, time)
        one.touched_seq = seq

    def end(self, workspace: str, feed: str, unit: str | None, time: str) -> None:
        """An accepted reading ended."""
        self.anew.add((workspace, feed, unit or NO_UNIT, time[:13]))


_KEY = "workspace, feed, grain, since, unit"
_SUMS = "count, total, low, high, first_at, last_at, first_seq, touched_seq"
_INTO = f"INSERT INTO reading_sums AS s ({_KEY}, {_SUMS})"
_REPLACED = f"ON CONFLICT ({_KEY}) DO UPDATE SET ({_SUMS}) = (excluded.{_SUMS.replace(', ', ', excluded.')})"

_ADDED = f"""
{_INTO}
SELECT h.workspace, h.feed, g.grain, date_trunc(g.name, h.since::timestamptz, 'UTC') AS since, h.unit,
       sum(h.count), sum(h.total), min(h.low), max(h.high), min(h.first_at::timestamptz), max(h.last_at::timestamptz),
       min(h.first_seq), max(h.touched_seq)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::numeric[], $7::numeric[], $8::numeric[],
            $9::text[], $10::text[], $11::bigint[], $12::bigint[])
     AS h (workspace, feed, unit, since, {_SUMS})
CROSS JOIN (VALUES ({HOUR}, 'hour'), ({DAY}, 'day')) AS g (grain, name)
GROUP BY h.workspace, h.feed, g.grain, date_trunc(g.name, h.since::timestamptz, 'UTC'), h.unit
ON CONFLICT ({_KEY}) DO UPDATE SET
    count = s.count + excluded.count, total = s.total + excluded.total,
    low = least(s.low, excluded.low), high = greatest(s.high, excluded.high),
    first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at),
    first_seq = least(s.first_seq, excluded.first_seq), touched_seq = greatest(s.touched_seq, excluded.touched_seq)
"""
_OF_ROWS = """
count(*) FILTER (WHERE r.ended_seq IS NULL) AS count, coalesce(sum(r.value) FILTER (WHERE r.ended_seq IS NULL), 0) AS total,
min(r.value) FILTER (WHERE r.ended_seq IS NULL) AS low, max(r.value) FILTER (WHERE r.ended_seq IS NULL) AS high,
min(r.time) FILTER (WHERE r.ended_seq IS NULL) AS first_at, max(r.time) FILTER (WHERE r.ended_seq IS NULL) AS last_at,
min(r.seq) AS first_seq, max(greatest(r.seq, r.ended_seq)) AS touched_seq
"""
_OF_HOURS = """
sum(h.count) AS count, sum(h.total) AS total, min(h.low) AS low, max(h.high) AS high, min(h.first_at) AS first_at,
max(h.last_at) AS last_at, min(h.first_seq) AS first_seq, max(h.touched_seq) AS touched_seq
"""
_HOURS_ANEW = f"""
{_INTO}
SELECT a.workspace, a.feed, {HOUR}, a.since::timestamptz, a.unit, m.*
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS a (workspace, feed, unit, since)
CROSS JOIN LATERAL (
    SELECT {_OF_ROWS}
    FROM (SELECT r.seq, r.ended_seq, r.value, r.time FROM readings r
          WHERE r.workspace = a.workspace AND r.feed = a.feed AND r.state = 0 AND r.time >= a.since::timestamptz
            AND r.time < a.since::timestamptz + interval '1 hour' AND r.unit IS NOT DISTINCT FROM nullif(a.unit, '')
          ORDER BY r.time, r.seq OFFSET 0) r
) m
{_REPLACED}
"""
_DAYS_ANEW = f"""
{_INTO}
SELECT a.workspace, a.feed, {DAY}, a.since, a.unit, m.*
FROM (SELECT DISTINCT workspace, feed, unit, date_trunc('day', since::timestamptz, 'UTC') AS since
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS a (workspace, feed, unit, since)) a
CROSS JOIN LATERAL (
    SELECT {_OF_HOURS} FROM reading_sums h
    WHERE h.workspace = a.workspace AND h.feed = a.feed AND h.grain = {HOUR} AND h.since >= a.since
      AND h.since < a.since + interval '24 hours' AND h.unit = a.unit
) m
{_REPLACED}
"""
FILL = (
    f"""
    {_INTO}
    SELECT r.workspace, r.feed, {HOUR}, date_trunc('hour', r.time, 'UTC'), coalesce(r.unit, ''), {_OF_ROWS}
    FROM readings r WHERE r.state = 0 GROUP BY 1, 2, 4, 5
    """,
    f"""
    {_INTO}
    SELECT h.workspace, h.feed, {DAY}, date_trunc('day', h.since, 'UTC'), h.unit, {_OF_HOURS}
    FROM reading_sums h WHERE h.grain = {HOUR} GROUP BY 1, 2, 4, 5
    """,
)
"""Statements that sum up all readings there are, of a version that has none summed up yet."""


async def write(connection: Connection, sums: SumsOfBatch) -> None:
    """Bring the sums to what the batch's rows, which are written already, come to."""
    added = [(key, one) for key, one in sums.added.items() if key not in sums.anew]
    if added:
        rows = (
            (
                *_arguments(key),
                *(one.count, one.total, one.low, one.high),
                *(one.first_at, one.last_at, one.first_seq, one.touched_seq),
            )
            for key, one in added
        )
        await connection.execute(_ADDED, *_columns(rows))
    if sums.anew:
        columns = _columns(map(_arguments, sums.anew))
        await connection.execute(_HOURS_ANEW, *columns)
        await connection.execute(_DAYS_ANEW, *columns)


def _arguments(key: HourKey) -> tuple[str, str, str, str]:
    workspace, feed, unit, hour = key
    return workspace, feed, unit, f"{hour}:00Z"


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
