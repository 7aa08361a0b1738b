"""Versions of streams (for If-Match) and event ids of facts, by the facts up to a seq."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from goal_ledger_projection.api.database import Snapshot

_VERSIONS = """
SELECT s.stream, f.version FROM unnest($2::text[]) AS s (stream)
CROSS JOIN LATERAL (SELECT f.version FROM facts f WHERE f.workspace = $1 AND f.stream = s.stream AND f.seq <= $3
                    ORDER BY f.seq DESC LIMIT 1) f
"""
_EVENTS = """
SELECT w.seq, f.event_id FROM unnest($2::bigint[]) AS w (seq)
CROSS JOIN LATERAL (SELECT f.event_id FROM facts f WHERE f.workspace = $1 AND f.seq = w.seq LIMIT 1) f
"""


async def versions(snapshot: Snapshot, streams: Sequence[str], seq: int) -> dict[str, int]:
    """The version of each stream."""
    if not streams:
        return {}
    return {row["stream"]: row["version"] for row in await snapshot.fetch(_VERSIONS, list(streams), seq)}


async def event_ids(snapshot: Snapshot, seqs: Iterable[int]) -> dict[str, str]:
    """Seq (as text) → event id."""
    wanted = sorted(set(seqs))
    if not wanted:
        return {}
    return {str(row["seq"]): str(row["event_id"]) for row in await snapshot.fetch(_EVENTS, wanted)}
