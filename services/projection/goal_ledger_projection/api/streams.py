"""Versions of streams (for If-Match) and event ids of facts, by the facts up to a seq."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.facts import EVENT_IDS, EVENT_IDS_AND_VERSION, VERSIONS_OF_STREAMS


async def versions(snapshot: Snapshot, streams: Sequence[str], seq: int) -> dict[str, int]:
    """The version of each stream."""
    if not streams:
        return {}
    return {
        row["stream"]: row["version"] for row in await snapshot.fetch(VERSIONS_OF_STREAMS, list(streams), seq)
    }


async def event_ids(snapshot: Snapshot, seqs: Iterable[int]) -> dict[str, str]:
    """Seq (as text) → event id."""
    wanted = sorted(set(seqs))
    if not wanted:
        return {}
    return {str(row["seq"]): str(row["event_id"]) for row in await snapshot.fetch(EVENT_IDS, wanted)}


async def events_and_version(
    snapshot: Snapshot, seqs: Iterable[int], stream: str, seq: int
) -> tuple[dict[str, str], int]:
    """Event ids as :func:`event_ids`, and the version of one stream (0: it has no facts), in one round trip."""
    events, version = {}, 0
    for row in await snapshot.fetch(EVENT_IDS_AND_VERSION, sorted(set(seqs)), stream, seq):
        if row["seq"] is None:
            version = row["version"] or 0
        else:
            events[str(row["seq"])] = str(row["event_id"])
    return events, version
