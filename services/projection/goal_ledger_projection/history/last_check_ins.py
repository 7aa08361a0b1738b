"""What was said, answered from the table `check_ins`: the latest ones in force, for status and confidence.

For many goals at once only the last weeks matter, and each goal's are read as they lie. Of one goal the last check-in
is wanted however old it is: then each key result is asked for its newest one, so that the length of its history does
not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from goal_ledger_history.last_check_ins import CheckInsBetween, CheckInsHoweverOld, LastCheckIn, LastCheckIns
from goal_ledger_scoring.status import Word

from goal_ledger_projection.history.snapshots import Row, Snapshot

_BETWEEN = """
SELECT q.objective, c.*, NULL::bigint AS seq, NULL::bigint AS stated_seq FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
     AS q (objective, since, at, k)
CROSS JOIN LATERAL (
    SELECT i.key_result, max(i.effective_at) AS at,
           (array_agg(i.confidence ORDER BY i.effective_at DESC, i.seq DESC))[1] AS confidence,
           (array_agg(i.status ORDER BY i.effective_at DESC, i.seq DESC) FILTER (WHERE i.status IS NOT NULL))[1] AS stated,
           max(i.effective_at) FILTER (WHERE i.status IS NOT NULL) AS stated_at
    FROM (SELECT i.key_result, i.effective_at, i.seq, i.confidence, i.status FROM check_ins i
          WHERE i.workspace = $1 AND i.objective = q.objective AND i.effective_at <= q.at AND i.effective_at >= q.since
            AND i.seq <= q.k AND (i.ended_seq IS NULL OR i.ended_seq > q.k)
          ORDER BY i.effective_at DESC, i.seq DESC OFFSET 0) i
    GROUP BY i.key_result
) c
"""
_IN_FORCE = """
i.workspace = $1 AND coalesce(i.key_result, '/' || i.objective) = coalesce(q.key_result, '/' || q.objective)
AND i.effective_at <= q.at AND i.seq <= q.k AND (i.ended_seq IS NULL OR i.ended_seq > q.k)
"""
_HOWEVER_OLD = f"""
SELECT q.objective, q.key_result, l.at, l.confidence, l.seq, s.stated, s.stated_at, s.stated_seq
FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
     AS q (objective, key_result, stated_since, at, k)
CROSS JOIN LATERAL (SELECT i.effective_at AS at, i.confidence, i.seq FROM check_ins i WHERE {_IN_FORCE}
                    ORDER BY i.effective_at DESC, i.seq DESC LIMIT 1) l
LEFT JOIN LATERAL (SELECT i.status AS stated, i.effective_at AS stated_at, i.seq AS stated_seq FROM check_ins i
                   WHERE {_IN_FORCE} AND i.effective_at >= q.stated_since AND i.status IS NOT NULL
                   ORDER BY i.effective_at DESC, i.seq DESC LIMIT 1) s ON true
"""


async def check_ins_between(snapshot: Snapshot, wanted: Sequence[CheckInsBetween]) -> LastCheckIns:
    """What was said last, within these times, on each objective and each of its key results."""
    if not wanted:
        return {}
    rows = await snapshot.fetch(
        _BETWEEN,
        [one.objective for one in wanted],
        [one.since for one in wanted],
        [one.at for one in wanted],
        [one.known for one in wanted],
    )
    return _said(rows)


async def check_ins_however_old(snapshot: Snapshot, wanted: Sequence[CheckInsHoweverOld]) -> LastCheckIns:
    """What was said last, however long ago."""
    asked = [(one, name) for one in wanted for name in (None, *one.key_results)]
    if not asked:
        return {}
    rows = await snapshot.fetch(
        _HOWEVER_OLD,
        [one.objective for one, _ in asked],
        [name for _, name in asked],
        [one.stated_since for one, _ in asked],
        [one.at for one, _ in asked],
        [one.known for one, _ in asked],
    )
    return _said(rows)


def _said(rows: Sequence[Row]) -> LastCheckIns:
    return {
        (row["objective"], row["key_result"]): LastCheckIn(
            Word(row["at"], row["stated"], row["stated_at"]), row["confidence"], row["seq"], row["stated_seq"]
        )
        for row in rows
    }
