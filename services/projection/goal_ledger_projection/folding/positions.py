"""Positions, parked workspaces and seek hints in the read database.

Every statement runs in the caller's transaction, on a connection whose `search_path` is the projection version.
Positions are locked in sorted order, so that two workers never wait for each other in a circle, and moved by
compare-and-set: no row changed means that somebody else owns the workspace, and the transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from goal_ledger_projection.folding.consumer_rule import FoldedUpTo, Verdict
from goal_ledger_projection.folding.writing import Connection
from goal_ledger_projection.projections import LIVE

LOG_CONTRADICTED = "log_contradicted"
"""What the reason begins with that a workspace is parked with when the command service's log, or its head, is not the
one that was folded: a foreign record was believed, or a row was changed by hand. `retry` folds it anew from the feed."""

STORE_BEHIND_READER = "store_behind_reader"
"""The reason that a workspace is parked with when the store's head is behind what was folded of the same epoch."""

_LOCK = """
SELECT p.workspace, p.epoch, p.next_seq, p.rebuilding, k.reason
FROM positions p LEFT JOIN parked k ON k.workspace = p.workspace AND k.projection = p.projection
WHERE p.projection = $1 AND p.workspace = ANY ($2::text[])
ORDER BY p.workspace
FOR UPDATE OF p
"""
_ALL = """
SELECT p.workspace, p.epoch, p.next_seq, p.rebuilding, k.reason
FROM positions p LEFT JOIN parked k ON k.workspace = p.workspace AND k.projection = p.projection
WHERE p.projection = $1
"""
_BEGIN = """
INSERT INTO positions (projection, workspace, epoch, next_seq)
SELECT $1, b.workspace, b.epoch, 1 FROM unnest($2::text[], $3::int[]) AS b (workspace, epoch) ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
_MOVE = """
UPDATE positions p SET epoch = m.epoch, next_seq = m.next_seq, rebuilding = m.rebuilding, moved_at = now()
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::int[], $6::bigint[], $7::boolean[])
     AS m (workspace, was_epoch, was_next, epoch, next_seq, rebuilding)
CROSS JOIN LATERAL (SELECT o.ctid FROM positions o WHERE o.projection = $1 AND o.workspace = m.workspace
                      AND o.epoch = m.was_epoch AND o.next_seq = m.was_next LIMIT 1) o
WHERE p.ctid = o.ctid
"""
_PARK = """
INSERT INTO parked (workspace, projection, seq, reason) VALUES ($2, $1, $3, $4)
ON CONFLICT (workspace, projection) DO UPDATE SET seq = excluded.seq, reason = excluded.reason, since = now()
"""
_HINT = """
INSERT INTO hints (topic, partition, topic_id, next_offset)
SELECT $1, h.partition, $2, h.next_offset FROM unnest($3::int[], $4::bigint[]) AS h (partition, next_offset)
ORDER BY h.partition
ON CONFLICT (topic, partition) DO UPDATE SET topic_id = excluded.topic_id, next_offset = excluded.next_offset
"""


class ProjectionSwitched(Exception):
    """Another projection version is live now; `live` is its name."""

    def __init__(self, live: str) -> None:
        super().__init__(f"{live} is live now")
        self.live = live


class NotOurs(Exception):
    """A position was moved by somebody else although it was locked: roll back."""


@dataclass(frozen=True, slots=True)
class FoldedTo:
    """Where a workspace stands, as locked."""

    folded: FoldedUpTo
    rebuilding: bool
    parked: str | None
    """The reason, or None."""


@dataclass(frozen=True, slots=True)
class Hint:
    topic_id: str
    next_offset: int


async def lock(connection: Connection, projection: str, epochs: Mapping[str, int]) -> dict[str, FoldedTo]:
    """Lock the positions of the workspaces (with the epoch to begin a new one in), in sorted order."""
    names = sorted(epochs)
    rows = await connection.fetch(_LOCK, projection, names)
    if len(rows) < len(names):
        seen = {row[0] for row in rows}
        new = [name for name in names if name not in seen]
        await connection.execute(_BEGIN, projection, new, [epochs[name] for name in new])
        rows = await connection.fetch(_LOCK, projection, names)
    return {row[0]: FoldedTo(FoldedUpTo(row[1], row[2]), row[3], row[4]) for row in rows}


async def must_be_live(connection: Connection, projection: str) -> None:
    """Raises :class:`ProjectionSwitched`. After :func:`lock`: a switch holds all positions of the version it leaves."""
    live = await connection.fetchval(LIVE)
    if live != projection:
        raise ProjectionSwitched(live)


async def move(connection: Connection, projection: str, moved: list[tuple[str, Verdict, bool]]) -> None:
    """Move positions: (workspace, verdict, rebuilding). Raises :class:`NotOurs`."""
    if not moved:
        return
    columns = zip(
        *(
            (name, v.before.epoch, v.before.next_seq, v.after.epoch, v.after.next_seq, rebuilding)
            for name, v, rebuilding in moved
        ),
        strict=True,
    )
    done = await connection.execute(_MOVE, projection, *(list(column) for column in columns))
    if done != f"UPDATE {len(moved)}":
        raise NotOurs(f"{done}, wanted {len(moved)}")


async def park(connection: Connection, projection: str, workspace: str, seq: int, reason: str) -> None:
    """Note that a workspace stands still at fact `seq`."""
    await connection.execute(_PARK, projection, workspace, seq, reason)


async def unpark(connection: Connection, projection: str, workspace: str) -> None:
    """Let it go on."""
    await connection.execute(
        "DELETE FROM parked WHERE projection = $1 AND workspace = $2", projection, workspace
    )


async def restart(connection: Connection, projection: str, workspace: str) -> None:
    """Its log is folded anew from seq 1; its rows are taken away by the caller, in the same transaction."""
    await connection.execute(
        "UPDATE positions SET next_seq = 1, rebuilding = true WHERE projection = $1 AND workspace = $2",
        projection,
        workspace,
    )


async def note_hints(connection: Connection, topic: str, topic_id: str, ends: Mapping[int, int]) -> None:
    """Remember where to seek: by partition, the offset after the last record taken in."""
    if ends:
        partitions = sorted(ends)
        await connection.execute(_HINT, topic, topic_id, partitions, [ends[p] for p in partitions])


async def read_hints(connection: Connection, topic: str) -> dict[int, Hint]:
    """By partition."""
    rows = await connection.fetch(
        "SELECT partition, topic_id, next_offset FROM hints WHERE topic = $1", topic
    )
    return {row[0]: Hint(row[1], row[2]) for row in rows}


async def all_positions(connection: Connection, projection: str) -> dict[str, FoldedTo]:
    """Where every workspace stands (not locked)."""
    rows = await connection.fetch(_ALL, projection)
    return {row[0]: FoldedTo(FoldedUpTo(row[1], row[2]), row[3], row[4]) for row in rows}


async def standing(connection: Connection, projection: str, workspace: str) -> FoldedTo | None:
    """Where one workspace stands (not locked), or None if nothing of it was seen."""
    row = await connection.fetchrow(_ALL + "AND p.workspace = $2", projection, workspace)
    return None if row is None else FoldedTo(FoldedUpTo(row[1], row[2]), row[3], row[4])


async def caught_up(connection: Connection, projection: str, workspaces: list[str]) -> None:
    """These have folded their new epoch up to its head."""
    await connection.execute(
        "UPDATE positions SET rebuilding = false WHERE projection = $1 AND workspace = ANY ($2::text[]) AND rebuilding",
        projection,
        workspaces,
    )
