"""When persons checked in, answered from the table `check_ins` (`goal_ledger_history.rhythm_at.PersonsWords`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.rhythm_at import LastWordsByGoal, WordsByGoal

from goal_ledger_projection.history.snapshots import Snapshot

_FIRST = """
SELECT s.objective, s.key_result, array_agg(s.first ORDER BY s.first) AS firsts
FROM (SELECT i.objective, i.key_result, min(i.effective_at) AS first
      FROM check_ins i
      WHERE i.workspace = $1 AND i.seq > 0 AND i.seq <= $2 AND (i.ended_seq IS NULL OR i.ended_seq > $2)
        AND i.effective_at <= $3 AND i.effective_at >= $4 AND i.author LIKE 'person/%' {some}
      GROUP BY i.objective, i.key_result, width_bucket(i.effective_at, $5::timestamptz[])) s
GROUP BY s.objective, s.key_result
"""
_LAST = """
SELECT q.objective, q.key_result, l.at FROM unnest($4::text[], $5::text[]) AS q (objective, key_result)
CROSS JOIN LATERAL (SELECT i.effective_at AS at FROM check_ins i
                    WHERE i.workspace = $1
                      AND coalesce(i.key_result, '/' || i.objective) = coalesce(q.key_result, '/' || q.objective)
                      AND i.effective_at <= $2 AND i.seq <= $3 AND (i.ended_seq IS NULL OR i.ended_seq > $3)
                      AND i.author LIKE 'person/%'
                    ORDER BY i.effective_at DESC, i.seq DESC LIMIT 1) l
"""
FEW = 200
"""Goals: up to so many are asked for by name, more with the whole workspace."""


class PersonsWordsInTables:
    """Those of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def first_words(self, bounds: Sequence[datetime], at: AsOf, ids: Sequence[str]) -> WordsByGoal:
        """As the protocol has it."""
        if len(ids) > FEW:
            some, named = "", []
        else:
            some, named = "AND i.objective = ANY ($6::text[])", [list(ids)]
        asked = (at.known_to, at.true_at, bounds[0], list(bounds), *named)
        found: WordsByGoal = {}
        for row in await self._snapshot.fetch(_FIRST.format(some=some), *asked):
            found.setdefault(row["objective"], {})[row["key_result"]] = row["firsts"]
        return found

    async def last_words(self, key_results: Sequence[tuple[str, str | None]], at: AsOf) -> LastWordsByGoal:
        """As the protocol has it."""
        columns = [[id for id, _ in key_results], [name for _, name in key_results]]
        found: LastWordsByGoal = {}
        for row in await self._snapshot.fetch(_LAST, at.true_at, at.known_to, *columns):
            found.setdefault(row["objective"], {})[row["key_result"]] = row["at"]
        return found
