"""A feed's readings summed up for the score of a closing, from the facts of the feed's own stream.

Most readings are recorded and never touched again: the database sums those up, so that a feed may have any number of
them. What was quarantined, corrected or retracted is read here, ends what it ends, and is put to the sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.feed import (
    ReadingCorrected,
    ReadingQuarantined,
    ReadingRejected,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_scoring.aggregation import Reading, Stretch, Sums, sum_up
from goal_ledger_scoring.numbers import add

from goal_ledger_command.definitions import Moment

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

JUDGED = ["ReadingQuarantined", "ReadingReleased", "ReadingRejected", "ReadingCorrected", "ReadingRetracted"]
"""The types of the facts to read; their order in the stream is that of ``version``."""

_SUMMED = """
WITH taken AS (
    SELECT f.seq, r.time, r.value, r.unit
    FROM facts f CROSS JOIN LATERAL json_to_record(convert_from(f.bytes, 'UTF8')::json->'data')
         AS r (time timestamptz, value numeric, unit text, source text, id text)
    WHERE f.workspace = $1 AND f.stream = $2 AND f.type = 'ReadingRecorded' AND f.seq <= $3
      AND NOT EXISTS (SELECT FROM unnest($5::text[], $6::text[], $7::bigint[]) AS e (source, id, seq)
                      WHERE e.source = r.source AND e.id = r.id AND e.seq > f.seq)
), mine AS (
    SELECT seq, time, value FROM taken
    WHERE time <= $4 AND ($9::timestamptz IS NULL OR time < $9) AND ($10::timestamptz IS NULL OR time >= $10)
      AND coalesce(unit, $12::text, $11::text) IS NOT DISTINCT FROM $11
), inside AS (SELECT * FROM mine WHERE $8::timestamptz IS NULL OR time >= $8)
SELECT s.*, f.value AS first, f.time AS first_at, f.seq AS first_seq, l.value AS last, l.time AS last_at,
       l.seq AS last_seq, b.value AS before, b.time AS before_at, b.seq AS before_seq
FROM (SELECT count(*) AS count, coalesce(sum(value), 0) AS total, min(value) AS low, max(value) AS high FROM inside) s
LEFT JOIN LATERAL (SELECT * FROM inside ORDER BY time, seq LIMIT 1) f ON true
LEFT JOIN LATERAL (SELECT * FROM inside ORDER BY time DESC, seq DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (SELECT * FROM mine WHERE time < $8 ORDER BY time DESC, seq DESC LIMIT 1) b ON true
"""


async def summed(
    raw: Raw,
    workspace: str,
    feed: str,
    judged: Sequence[Fact],
    stretch: Stretch,
    unit: str | None,
    moment: Moment,
) -> Sums:
    """The accepted readings that lie in the stretch and are in the part's unit, at the moment."""
    ended = [
        (fact.data.source, fact.data.id, fact.seq)
        for fact in judged
        if fact.seq <= moment.seq and isinstance(fact.data, ReadingCorrected | ReadingRetracted)
    ]
    row = await raw.fetchrow(
        _SUMMED,
        workspace,
        f"feed/{feed}",
        moment.seq,
        moment.at,
        *([list(column) for column in zip(*ended, strict=True)] if ended else ([], [], [])),
        stretch.start,
        stretch.end,
        stretch.opened,
        unit,
        stretch.unit,
    )
    return _together(row, list(_accepted(judged, moment.seq)), stretch, unit, moment)


def _together(row: Any, judged: list[Reading], stretch: Stretch, unit: str | None, moment: Moment) -> Sums:
    """The database's sums and the readings beside them; the first and last of both by time."""
    own = sum_up(judged, stretch, unit, moment.at)
    outermost = [
        Reading(row[f"{name}_at"], row[f"{name}_seq"], row[name], unit, str(row[f"{name}_seq"]))
        for name in ("first", "last", "before")
        if row[name] is not None
    ]
    ends = sum_up([*judged, *outermost], stretch, unit, moment.at)
    return Sums(
        row["count"] + own.count,
        add(row["total"], own.total),
        min((one for one in (row["low"], own.low) if one is not None), default=None),
        max((one for one in (row["high"], own.high) if one is not None), default=None),
        ends.first,
        ends.last,
        ends.last_at,
        ends.before,
        ends.evidence,
    )


def _accepted(judged: Iterable[Fact], until: int) -> Iterator[Reading]:
    """Those of the readings judged that are in force at ``until``."""
    found: dict[tuple[str, str], tuple[bool, int, Any]] = {}
    for fact in judged:
        data = fact.data
        if fact.seq > until:
            break
        key = (data.source, data.id)
        match data:
            case ReadingCorrected():
                found[key] = (True, fact.seq, data)
            case ReadingQuarantined():
                found[key] = (False, fact.seq, data)
            case ReadingReleased() if key in found:
                found[key] = (True, fact.seq, found[key][2])
            case ReadingRejected() | ReadingRetracted():
                found.pop(key, None)
    for counts, order, data in found.values():
        if counts:
            yield Reading(data.time, order, data.value, data.unit, str(order))
