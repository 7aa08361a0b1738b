"""Which objectives the facts since a seq have touched, so that a tree can be brought up to date."""

from __future__ import annotations

from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.definitions import CONTEXT_FACTS

FACTS_MAX = 20_000
TOUCHED_MAX = 1_000
"""Above either, computing all is as quick."""

_TOUCHED = """
SELECT stream, bool_or(type = ANY ($4)) AS common
FROM (SELECT stream, type FROM facts WHERE workspace = $1 AND seq > $2 AND seq <= $3 ORDER BY seq OFFSET 0) f
GROUP BY stream
"""


async def touched_since(snapshot: Snapshot, seq: int) -> set[str] | None:
    """The objectives with facts after `seq`. None: something changed that all goals may depend on, or very much."""
    assert snapshot.position is not None
    newest = snapshot.position.seq
    if newest - seq > FACTS_MAX or newest < seq:
        return None
    rows = await snapshot.fetch(_TOUCHED, seq, newest, CONTEXT_FACTS) if newest > seq else []
    if any(row["common"] for row in rows):
        return None
    touched = {row["stream"].partition("/")[2] for row in rows if row["stream"].startswith("objective/")}
    return touched if len(touched) <= TOUCHED_MAX else None
