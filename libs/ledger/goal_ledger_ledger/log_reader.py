"""The log as readers see it: heads, and facts after a position, page by page in seq order.

Safe to read without a lock: the head's guard makes the order of commits the order of seq, so whoever has seen seq n has
seen all before it. Every page is one short statement; nothing here holds a transaction open.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

from goal_ledger_contracts.position import Position
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.merkle import HASH_BYTES
from goal_ledger_ledger.store import raw_connection, transaction
from goal_ledger_ledger.tables import epochs, heads

MAX_PAGE_FACTS = 5_000
MAX_PAGE_BYTES = 16 * 1024 * 1024
"""A page ends after the fact that reaches this; a fact has at most 65,535 bytes."""


class StoredFact(NamedTuple):
    seq: int
    bytes: bytes
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Head:
    """The last fact of a workspace and the tree over all of them."""

    workspace: str
    epoch: int
    seq: int
    root: bytes
    moved_at: datetime

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.seq)


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch of a workspace: ``fork_seq`` is the last fact kept from the one before (0 for the first)."""

    epoch: int
    fork_seq: int
    started_at: datetime


_FACTS = """
SELECT seq, bytes, traceparent FROM (
    SELECT seq, bytes, traceparent, sum(length(bytes)) OVER (ORDER BY seq) - length(bytes) AS before
    FROM (SELECT seq, bytes, traceparent FROM facts WHERE workspace = $1 AND seq > $2 ORDER BY seq LIMIT $3) page
) measured WHERE before < $4 ORDER BY seq
"""
MAX_PAGE_HASHES = 16_384
NO_SOUND_ROW = bytes(HASH_BYTES)

_SOUND_HASHES = """
SELECT seq, own FROM (
    SELECT seq, hash, bytes, event_id, recorded_at, sha256('\\x00'::bytea || bytes) AS own,
           convert_to(format('"stream":"%s","type":"%s","version":%s,"workspace":"%s"}', stream, type, version, workspace),
                      'UTF8') AS ends_so
    FROM facts WHERE workspace = $1 AND seq > $2 AND seq <= $3
) row
WHERE hash = own AND substr(bytes, length(bytes) - length(ends_so) + 1) = ends_so
  AND position(convert_to(format('"seq":%s,', seq), 'UTF8') IN bytes) > 0
  AND position(convert_to(format('"event_id":"%s",', event_id), 'UTF8') IN bytes) > 0
  AND position(convert_to(format('"recorded_at":"%s"', to_char(recorded_at AT TIME ZONE 'UTC',
                                                             'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), 'UTF8') IN bytes) > 0
"""
"""The rows whose hash is that of their bytes, and whose columns say what their bytes say (the canonical form ends with
stream, type, version and workspace)."""
_OF_HEAD = select(*(heads.c[one.name] for one in fields(Head)))
_OF_EPOCH = select(*(epochs.c[one.name] for one in fields(Epoch))).order_by(epochs.c.epoch)

_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class LogReader:
    """Reads the ledger database. Every method raises ``Unreachable`` or asyncpg's errors when it is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def facts_after(self, workspace: str, after_seq: int, limit: int = 1_000) -> list[StoredFact]:
        """The next facts in seq order, at most ``limit`` (≤ 5000) and about 16 MiB; empty at the end."""
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_FACTS, workspace, after_seq, min(limit, MAX_PAGE_FACTS), MAX_PAGE_BYTES)
        return [StoredFact(*row) for row in rows]

    async def leaf_hashes(self, workspace: str, after_seq: int, upto: int) -> bytes:
        """SHA-256(0x00 ‖ bytes) of each fact after one seq up to another (at most 16,384), computed from the row now, one
        after another; 32 zeros where there is no row, or one whose columns say other than its bytes."""
        upto = min(upto, after_seq + MAX_PAGE_HASHES)
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_SOUND_HASHES, workspace, after_seq, upto)
        found: dict[int, bytes] = {row[0]: row[1] for row in rows}
        return b"".join([found.get(seq, NO_SOUND_ROW) for seq in range(after_seq + 1, upto + 1)])

    async def head(self, workspace: str) -> Head | None:
        """None: no such workspace."""
        async with transaction(self._engine) as store:
            row = (await store.execute(_OF_HEAD.where(heads.c.workspace == workspace))).one_or_none()
        return None if row is None else Head(*row)

    async def heads(self, since: datetime | None = None, after: str = "", limit: int = 1_000) -> list[Head]:
        """Heads that moved at or after ``since`` (None: all), by workspace, a page after the name ``after``."""
        moved = (heads.c.workspace > after, heads.c.moved_at >= (since or _LONG_AGO))
        page = _OF_HEAD.where(*moved).order_by(heads.c.workspace).limit(limit)
        async with transaction(self._engine) as store:
            return [Head(*row) for row in await store.execute(page)]

    async def epochs(self, workspace: str) -> list[Epoch]:
        """The workspace's epochs, the present one last; empty: no such workspace."""
        async with transaction(self._engine) as store:
            return [
                Epoch(*row) for row in await store.execute(_OF_EPOCH.where(epochs.c.workspace == workspace))
            ]
