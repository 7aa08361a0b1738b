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
_PROOF = f"""
SELECT e.seq, e.event_id, NULL::int AS version FROM ({_EVENTS}) e
UNION ALL
SELECT NULL, NULL, (SELECT f.version FROM facts f WHERE f.workspace = $1 AND f.stream = $3 AND f.seq <= $4
                    ORDER BY f.seq DESC LIMIT 1)
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


async def events_and_version(
    snapshot: Snapshot, seqs: Iterable[int], stream: str, seq: int
) -> tuple[dict[str, str], int]:
    """Event ids as :func:`event_ids`, and the version of one stream (0: it has no facts), in one round trip."""
    events, version = {}, 0
    for row in await snapshot.fetch(_PROOF, sorted(set(seqs)), stream, seq):
        if row["seq"] is None:
            version = row["version"] or 0
        else:
            events[str(row["seq"])] = str(row["event_id"])
    return events, version
