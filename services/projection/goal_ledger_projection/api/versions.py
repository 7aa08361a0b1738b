"""Which definition of each objective was in effect at (T, K)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from goal_ledger_projection.api.database import Snapshot
from goal_ledger_projection.api.goals import Version

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
SELECT seq FROM definitions WHERE workspace = $1 AND kind = 'objective' AND id = $2 AND seq <= $3 ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """(T, K): true at `as_of`, by the facts up to `seq`."""

    as_of: datetime
    seq: int


async def versions_at(snapshot: Snapshot, moment: Moment, ids: Sequence[str] | None) -> list[Version]:
    """The versions in effect of these objectives, or of all; one that did not exist then is left out."""
    if ids is not None:
        rows = await snapshot.fetch(_SOME, moment.seq, moment.as_of, list(ids))
    elif is_present(snapshot, moment):
        rows = await snapshot.fetch(_PRESENT)
    else:
        rows = await snapshot.fetch(_ALL, moment.seq, moment.as_of)
    return [(row["id"], row["seq"]) for row in rows]


async def versions_of(snapshot: Snapshot, id: str, seq: int) -> list[Version]:
    """All versions of an objective up to `seq`, oldest first."""
    return [(id, row["seq"]) for row in await snapshot.fetch(_OF_ONE, id, seq)]


def is_present(snapshot: Snapshot, moment: Moment) -> bool:
    """Whether no fact that the snapshot has lies after the moment, on either clock."""
    newest = snapshot.position
    recorded = snapshot.recorded_at
    return (
        newest is not None and moment.seq >= newest.seq and recorded is not None and moment.as_of >= recorded
    )
