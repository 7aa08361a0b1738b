"""What was defined, answered from the table `definitions` (`goal_ledger_history.protocols.Definitions`)."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.goals import Goal, Version
from goal_ledger_history.protocols import KEY_RESULT_CHANGES, KeyResultChange

from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Snapshot

_PRESENT = "SELECT id, seq FROM definitions WHERE workspace = $1 AND kind = 'objective' AND ended_seq IS NULL"
_ALL = """
SELECT l.id, d.seq FROM definitions l
CROSS JOIN LATERAL (SELECT d.seq FROM definitions d
                    WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = l.id
                      AND d.seq <= $2 AND d.effective_at <= $3
                    ORDER BY d.seq DESC LIMIT 1) d
WHERE l.workspace = $1 AND l.kind = 'objective' AND l.ended_seq IS NULL
"""
_SOME = """
SELECT d.id, d.seq FROM unnest($4::text[]) AS w (id)
CROSS JOIN LATERAL (SELECT d.id, d.seq FROM definitions d
                    WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = w.id
                      AND d.seq <= $2 AND d.effective_at <= $3
                    ORDER BY d.seq DESC LIMIT 1) d
"""
_OF_ONE = """
SELECT seq FROM definitions
WHERE workspace = $1 AND kind = 'objective' AND id = $2 AND seq > $3 AND seq <= $4 ORDER BY seq
"""


_MEASURED_SINCE = """
SELECT w.id, d.seq FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS w (id, after, upto)
CROSS JOIN LATERAL (SELECT d.seq FROM definitions d
                    WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = w.id
                      AND d.seq > w.after AND d.seq <= w.upto AND d.body['changed'] ->> 'type' = 'MeasureChanged'
                    ORDER BY d.workspace, d.kind, d.id, d.seq LIMIT ALL OFFSET 0) d
ORDER BY w.id, d.seq
"""


_KEY_RESULT_CHANGES = """
SELECT d.seq, d.id AS objective, d.body['changed'] ->> 'type' AS type,
       convert_from(f.bytes, 'UTF8')::jsonb #>> '{data,key_result}' AS key_result
FROM definitions d JOIN facts f ON f.workspace = d.workspace AND f.seq = d.seq
WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = ANY ($2::text[]) AND d.seq <= $3
  AND d.body['changed'] ->> 'type' = ANY ($4::text[])
ORDER BY d.seq
"""


class DefinitionsInTables:
    """Those of one snapshot."""

    def __init__(
        self, snapshot: Snapshot, known: KnownGoals, background: Context, kept: MutableMapping[Version, Any]
    ) -> None:
        self._snapshot, self._known = snapshot, known
        self.background, self.kept = background, kept

    async def versions_at(self, at: AsOf, ids: Sequence[str] | None) -> list[Version]:
        if ids is not None:
            rows = await self._snapshot.fetch(_SOME, at.known_to, at.true_at, list(ids))
        elif self.is_newest(at):
            rows = await self._snapshot.fetch(_PRESENT)
        else:
            rows = await self._snapshot.fetch(_ALL, at.known_to, at.true_at)
        return [(row["id"], row["seq"]) for row in rows]

    async def versions_after(self, id: str, seq: int, known_to: int) -> list[Version]:
        return [(id, row["seq"]) for row in await self._snapshot.fetch(_OF_ONE, id, seq, known_to)]

    async def measured_since(self, spans: Iterable[tuple[str, int, int]]) -> list[Version]:
        columns = [list(column) for column in zip(*spans, strict=True)]
        rows = await self._snapshot.fetch(_MEASURED_SINCE, *columns)
        return [(row["id"], row["seq"]) for row in rows]

    async def goals(self, versions: Iterable[Version]) -> dict[Version, Goal]:
        return await self._known.get(self._snapshot, versions)

    async def key_result_changes(self, ids: Iterable[str], known_to: int) -> list[KeyResultChange]:
        rows = await self._snapshot.fetch(
            _KEY_RESULT_CHANGES, sorted(set(ids)), known_to, list(KEY_RESULT_CHANGES)
        )
        return [KeyResultChange(row["seq"], row["objective"], row["type"], row["key_result"]) for row in rows]

    def is_newest(self, at: AsOf) -> bool:
        return is_newest(self._snapshot, at)


def is_newest(snapshot: Snapshot, at: AsOf) -> bool:
    """Whether no fact that the snapshot has lies after the moment, on either clock."""
    newest, recorded = snapshot.position, snapshot.recorded_at
    return (
        newest is not None and at.known_to >= newest.seq and recorded is not None and at.true_at >= recorded
    )
