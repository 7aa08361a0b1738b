"""The readings of feeds summed up from the facts of their streams, for the score of a closing.

Most readings are recorded and never touched again: the database sums those up, so that a feed may have any number of
them. What was quarantined, corrected or retracted is read here, ends what it ends, and is put to the sums.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_contracts.feed import ReadingCorrected, ReadingRetracted
from goal_ledger_history.values_in_facts import ReadingsInFacts, newest_of
from goal_ledger_scoring.aggregation import Reading, Stretch, Sums, based, sum_up
from goal_ledger_scoring.numbers import add
from goal_ledger_scoring.windows import Span

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

MAX_JUDGED = 20_000
JUDGED = ["ReadingQuarantined", "ReadingReleased", "ReadingRejected", "ReadingCorrected", "ReadingRetracted"]
"""The types of the facts to read; their order in the stream is that of ``version``."""

_OF_FEED = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = $2 AND type = ANY($4::text[]) ORDER BY version LIMIT $3
"""
_TAKEN = """
WITH taken AS (
    SELECT f.seq, e.effective_at AS time, r.value, r.unit
    FROM facts f
    CROSS JOIN LATERAL json_to_record(convert_from(f.bytes, 'UTF8')::json) AS e (effective_at timestamptz, data json)
    CROSS JOIN LATERAL json_to_record(e.data) AS r (value numeric, unit text, source text, id text)
    WHERE f.workspace = $1 AND f.stream = $2 AND f.type = 'ReadingRecorded' AND f.seq <= $3
      AND NOT EXISTS (SELECT FROM unnest($5::text[], $6::text[], $7::bigint[]) AS e (source, id, seq)
                      WHERE e.source = r.source AND e.id = r.id AND e.seq > f.seq)
)
"""
_SUMMED = f"""
{_TAKEN}, mine AS (
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
_NEWEST = f"""
{_TAKEN}
SELECT seq, time, value, unit FROM taken
WHERE time <= $4 AND ($8::timestamptz IS NULL OR time >= $8) AND ($9::timestamptz IS NULL OR time < $9)
ORDER BY time DESC, seq DESC LIMIT 1
"""


class TooManyReadings(Exception):
    """More of a feed's readings were judged than are read."""


class StoredReadings:
    """Those of one workspace's feeds (``goal_ledger_history.values_in_facts.Readings``)."""

    def __init__(self, raw: Raw, workspace: str) -> None:
        self._raw, self._workspace = raw, workspace
        self._judged: dict[str, list[Fact]] = {}
        self._judged_readings = ReadingsInFacts()

    async def sums(self, feed: str, stretch: Stretch, unit: str | None, at: datetime, known: int) -> Sums:
        """Raises TooManyReadings."""
        row = await self._raw.fetchrow(
            _SUMMED,
            *await self._taken(feed, at, known),
            stretch.start,
            stretch.end,
            stretch.opened,
            unit,
            stretch.unit,
        )
        judged = self._judged_readings.accepted(feed, at, known)
        return based(_together(row, judged, stretch, unit, at), stretch)

    async def newest(self, feed: str, span: Span, at: datetime, known: int) -> Reading | None:
        """Raises TooManyReadings."""
        row = await self._raw.fetchrow(_NEWEST, *await self._taken(feed, at, known), span.start, span.end)
        readings = self._judged_readings.accepted(feed, at, known)
        if row is not None:
            readings.append(Reading(row["time"], row["seq"], row["value"], row["unit"]))
        return newest_of(readings, span)

    async def _taken(self, feed: str, at: datetime, known: int) -> tuple[Any, ...]:
        """The parameters by which the database takes the readings that were never judged by then."""
        ended = [
            (fact.data.source, fact.data.id, fact.seq)
            for fact in await self._judged_of(feed)
            if fact.seq <= known and isinstance(fact.data, ReadingCorrected | ReadingRetracted)
        ]
        columns = [list(column) for column in zip(*ended, strict=True)] if ended else ([], [], [])
        return (self._workspace, f"feed/{feed}", known, at, *columns)

    async def _judged_of(self, feed: str) -> list[Fact]:
        known = self._judged.get(feed)
        if known is None:
            rows = await self._raw.fetch(_OF_FEED, self._workspace, f"feed/{feed}", MAX_JUDGED + 1, JUDGED)
            if len(rows) > MAX_JUDGED:
                raise TooManyReadings
            known = self._judged[feed] = [from_bytes(row[0]) for row in rows]
            for fact in known:
                self._judged_readings.take(fact)
        return known


def _together(row: Any, judged: list[Reading], stretch: Stretch, unit: str | None, at: datetime) -> Sums:
    """The database's sums and the readings beside them; the first and last of both by time."""
    own = sum_up(judged, stretch, unit, at)
    outermost = [
        Reading(row[f"{name}_at"], row[f"{name}_seq"], row[name], unit, str(row[f"{name}_seq"]))
        for name in ("first", "last", "before")
        if row[name] is not None
    ]
    ends = sum_up([*judged, *outermost], stretch, unit, at)
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
