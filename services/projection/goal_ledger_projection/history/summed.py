"""Readings summed up for any number of stretches at once, from the sums kept per day and hour (`read_models/reading_sums.py`).

A day counts as it stands if all its readings lie in the stretch and nothing in it was touched after the known position;
else its hours are looked at the same way, and of an hour that is cut or was touched later the readings themselves.
Stretches that differ in their end alone, as the points of a series do, are cut into pieces, so that each reading is met
once and not once for each point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from goal_ledger_history.protocols import Fed
from goal_ledger_scoring.aggregation import Stretch, Sums
from goal_ledger_scoring.numbers import add

from goal_ledger_projection.history.snapshots import Row, Snapshot
from goal_ledger_projection.history.stretches import (
    ACCEPTED_THEN,
    BEGINNING,
    TICK,
    sums_between,
    until,
)

_KEPT = """
SELECT s.since, s.unit, s.count, s.total, s.low, s.high, s.last_at,
       s.touched_seq <= q.k AND coalesce(s.first_at >= q.since AND s.last_at <= q.until, true) AS whole
FROM reading_sums s WHERE {sums}
"""


def _summed(*, in_unit: bool) -> str:
    days = _KEPT.format(sums=sums_between("day", in_unit=in_unit))
    hours = _KEPT.format(sums=sums_between("hour", in_unit=in_unit))
    return f"""
    SELECT q.n::int AS n, f.*
    FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::text[], $7::text[])
         WITH ORDINALITY AS q (feed, since, until, k, feed_unit, part_unit, n)
    CROSS JOIN LATERAL (
        SELECT sum(p.count)::bigint AS count, sum(p.total) AS total, min(p.low) AS low, max(p.high) AS high,
               max(p.last_at) AS time
        FROM ({days}) d
        CROSS JOIN LATERAL (
            SELECT d.count, d.total, d.low, d.high, d.last_at WHERE d.whole
            UNION ALL
            SELECT p.*
            FROM ({hours} AND s.unit = d.unit AND s.since >= d.since AND s.since < d.since + interval '24 hours') h
            CROSS JOIN LATERAL (
                SELECT h.count, h.total, h.low, h.high, h.last_at WHERE h.whole
                UNION ALL
                SELECT count(*), sum(r.value), min(r.value), max(r.value), max(r.time)
                FROM (SELECT r.value, r.time FROM readings r
                      WHERE NOT h.whole AND {ACCEPTED_THEN} AND r.unit IS NOT DISTINCT FROM nullif(h.unit, '')
                        AND r.time >= greatest(h.since, q.since) AND r.time < h.since + interval '1 hour'
                        AND r.time <= q.until ORDER BY r.time, r.seq OFFSET 0) r
            ) p WHERE NOT d.whole
        ) p
    ) f WHERE f.count > 0
    """


_SUMMED = _summed(in_unit=True)
_COUNTED = _summed(in_unit=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Readings of one feed in `[since, until]` at a known position that count in the part's unit."""

    feed: str
    since: datetime
    until: datetime
    known: int
    feed_unit: str | None
    part_unit: str | None


async def summed_up(snapshot: Snapshot, asked: Sequence[tuple[Fed, Stretch]]) -> list[Sums]:
    """Count, total, lowest, highest and the time of the last of each, in the same order."""
    alike: defaultdict[_Piece, list[int]] = defaultdict(list)
    for n, (one, stretch) in enumerate(asked):
        start = stretch.start or BEGINNING
        alike[_Piece(one.feed, start, start, one.known, stretch.unit, one.unit)].append(n)
    ends = [until(one.at, stretch.end) for one, stretch in asked]
    pieces: list[_Piece] = []
    answers: list[list[tuple[int, list[int]]]] = []
    for begun, numbers in alike.items():
        answers.append(_cut(begun, numbers, ends, pieces))
    of_pieces = await _of_pieces(snapshot, pieces)
    found = [Sums()] * len(asked)
    for runs in answers:
        so_far = Sums()
        for piece, numbers in runs:
            so_far = _both(so_far, of_pieces[piece])
            for n in numbers:
                found[n] = so_far
    return found


def _cut(
    begun: _Piece, numbers: Sequence[int], ends: Sequence[datetime], pieces: list[_Piece]
) -> list[tuple[int, list[int]]]:
    """Add the pieces between one end and the next; returns for each which of the stretches end with it."""
    by_end: defaultdict[datetime, list[int]] = defaultdict(list)
    for n in numbers:
        if ends[n] >= begun.since:
            by_end[ends[n]].append(n)
    runs: list[tuple[int, list[int]]] = []
    since = begun.since
    for end in sorted(by_end):
        if runs:
            since = pieces[-1].until + TICK
        runs.append((len(pieces), by_end[end]))
        pieces.append(replace(begun, since=since, until=end))
    return runs


async def counted(
    snapshot: Snapshot, feeds: Sequence[str], since: datetime, last: datetime, known: int
) -> int:
    """How many accepted readings of these feeds lie in `[since, last]`, whatever their unit."""
    pieces = [_Piece(feed, since, last, known, None, None) for feed in feeds]
    return sum(row["count"] for row in await snapshot.fetch(_COUNTED, *_columns(pieces)))


async def _of_pieces(snapshot: Snapshot, pieces: Sequence[_Piece]) -> list[Sums]:
    found = [Sums()] * len(pieces)
    for row in await snapshot.fetch(_SUMMED, *_columns(pieces)):
        found[row["n"] - 1] = _sums_of(row)
    return found


def _columns(pieces: Sequence[_Piece]) -> list[list[Any]]:
    return [
        [one.feed for one in pieces],
        [one.since for one in pieces],
        [one.until for one in pieces],
        [one.known for one in pieces],
        [one.feed_unit for one in pieces],
        [one.part_unit for one in pieces],
    ]


def _sums_of(row: Row) -> Sums:
    return Sums(row["count"], row["total"], row["low"], row["high"], last_at=row["time"])


def _both(one: Sums, later: Sums) -> Sums:
    if not one.count or not later.count:
        return one if one.count else later
    return Sums(
        one.count + later.count,
        add(one.total, later.total),
        min(low for low in (one.low, later.low) if low is not None),
        max(high for high in (one.high, later.high) if high is not None),
        last_at=later.last_at,
    )
