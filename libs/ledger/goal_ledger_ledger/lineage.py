"""Whether the database at our address is still the one that was compared with Kafka, and not set back since.

A restore under a running process gives it another past. What is in memory tells so by itself (``folded.py``); a workspace
that is not would be loaded from the restored store, and its next facts get numbers that were published for others. So
every *new connection*, every *load of a workspace*, and twice a second the pulse, look at

* the server's system identifier and the database's oid: a dump put back has another;
* the server's WAL position: one put back from a base backup or a snapshot is before it;
* the relay's marks (offsets acknowledged, terms of its lease): tables put back within the same database are before them.

Where one of these is another, or lower than was seen, nothing is read or written on that database until the write gate has
compared it with Kafka anew and accepted it. A standby that was promoted, or a topic that was lost, costs one such look.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

_LOOK = """
SELECT (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
    pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END, '0/0'
    )::bigint,
    (SELECT coalesce(sum(next_offset), 0)::bigint FROM partition_marks WHERE topic = 'ledger.facts'),
    (SELECT coalesce(max(term), 0)::bigint FROM leases)
"""

log = logging.getLogger(__name__)


class NotTheSame(Exception):
    """Another database, or one set back: it has not been compared with Kafka."""


class Seen(NamedTuple):
    """A database at a moment. All but the first two only grow."""

    system: int
    oid: int
    wal: int
    offsets: int
    term: int

    def after(self, other: Seen) -> Seen:
        """The later of both, for looks that overlap."""
        return self if self.continues(other) else other

    def continues(self, earlier: Seen) -> bool:
        """Whether what was seen earlier can have become this."""
        same = (self.system, self.oid) == (earlier.system, earlier.oid)
        return same and all(mine >= theirs for mine, theirs in zip(self[2:], earlier[2:], strict=True))


async def look(raw: Raw) -> Seen:
    """Raises asyncpg's errors; UndefinedTableError where the tables are not there."""
    row = await raw.fetchrow(_LOOK)
    assert row is not None
    return Seen(*row)


class Lineage:
    """What was accepted last, and what was seen of it since."""

    def __init__(self) -> None:
        self.suspect = asyncio.Event()
        """Something else was seen: it is to be compared with Kafka."""
        self._seen: Seen | None = None

    def accept(self, seen: Seen) -> None:
        """It was compared with Kafka when it looked like this."""
        self._seen = seen
        self.suspect.clear()

    async def need_same(self, raw: Raw) -> None:
        """Raises NotTheSame, and asyncpg's errors."""
        earlier = self._seen
        if earlier is None:
            return  # the gate is closed still: nothing is written
        now = await look(raw)
        if not now.continues(earlier) and not self.suspect.is_set():
            log.error("the store is another database, or was set back: %s after %s", now, earlier)
            self.suspect.set()
        if self.suspect.is_set():
            raise NotTheSame(
                "The store is another one than before, or was set back: it is compared with Kafka first."
            )
        self._seen = now if self._seen is None else now.after(self._seen)

    async def sample(self, raw: Raw) -> None:
        """The same without raising for what is seen: whoever comes next is told."""
        try:
            await self.need_same(raw)
        except NotTheSame:
            pass
        except asyncpg.UndefinedTableError:
            self.suspect.set()
