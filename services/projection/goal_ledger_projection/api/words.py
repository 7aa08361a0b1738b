"""What was said: the latest check-ins in force of goals, for status and confidence (SPEC 5 "Status")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.status import Word

from goal_ledger_projection.api.database import Snapshot

_WORDS = """
SELECT q.objective, c.* FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
     AS q (objective, since, at, k)
CROSS JOIN LATERAL (
    SELECT i.key_result, max(i.effective_at) AS at,
           (array_agg(i.confidence ORDER BY i.effective_at DESC, i.seq DESC))[1] AS confidence,
           (array_agg(i.status ORDER BY i.effective_at DESC, i.seq DESC) FILTER (WHERE i.status IS NOT NULL))[1] AS stated,
           max(i.effective_at) FILTER (WHERE i.status IS NOT NULL) AS stated_at
    FROM check_ins i
    WHERE i.workspace = $1 AND i.objective = q.objective AND i.effective_at <= q.at AND i.effective_at >= q.since
      AND i.seq <= q.k AND (i.ended_seq IS NULL OR i.ended_seq > q.k)
    GROUP BY i.key_result
) c
"""


@dataclass(slots=True)
class Said:
    """The latest check-in on a key result, or on an objective itself."""

    word: Word
    confidence: Decimal | None


SILENCE = Said(Word(), None)
Words = dict[tuple[str, str | None], Said]
"""(objective, key result or None) → what was said."""


@dataclass(slots=True)
class Hearing:
    """Asks for the check-ins of an objective from `since` to `at`, as known at `known`."""

    objective: str
    since: datetime
    at: datetime
    known: int


async def words(snapshot: Snapshot, wanted: Sequence[Hearing]) -> Words:
    """What was said last on each objective and each of its key results."""
    if not wanted:
        return {}
    rows = await snapshot.fetch(
        _WORDS,
        [one.objective for one in wanted],
        [one.since for one in wanted],
        [one.at for one in wanted],
        [one.known for one in wanted],
    )
    return {
        (row["objective"], row["key_result"]): Said(
            Word(row["at"], row["stated"], row["stated_at"]), row["confidence"]
        )
        for row in rows
    }
