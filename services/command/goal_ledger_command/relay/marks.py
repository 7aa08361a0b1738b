"""The relay's marks in the store: how far each workspace was published, and where each partition then ended.

Marks stand for acknowledged records only. They are moved in one statement that first finds the lease in our term, so a
relay that lost its lease moves nothing. ``published`` has a row per workspace and epoch: a new epoch has none, and is
published from seq 1. ``partition_marks`` holds the topic's id, the offset after the last acknowledged record, and the
offset where publishing from seq 1 began: when Kafka has less than that at either end, or a topic of another id, the
topic was lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.topics import FACTS, FACTS_PARTITIONS, Emitter
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.published_tail import PartitionMark, partition_marks
from goal_ledger_command.relay.lease import NAME, LeaseLost

WorkspaceEpoch = tuple[str, int]
"""(workspace, epoch)"""


_HELD = "SELECT 1 FROM leases WHERE name = $1 AND term = $2 FOR SHARE"

_ADVANCE = f"""
WITH held AS ({_HELD}),
facts AS (
    INSERT INTO published (workspace, epoch, seq)
    SELECT w, e, s FROM unnest($3::text[], $4::int[], $5::bigint[]) AS u(w, e, s), held
    ON CONFLICT (workspace, epoch) DO UPDATE SET seq = EXCLUDED.seq
),
ends AS (
    INSERT INTO partition_marks (topic, partition, topic_id, next_offset, first_offset)
    SELECT $6, p, $7, o, f FROM unnest($8::int[], $9::bigint[], $12::bigint[]) AS u(p, o, f), held
    ON CONFLICT (topic, partition) DO UPDATE
    SET topic_id = EXCLUDED.topic_id, next_offset = EXCLUDED.next_offset
),
systems AS (
    INSERT INTO emitters (workspace, system)
    SELECT w, s FROM unnest($10::text[], $11::text[]) AS u(w, s), held
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM held
"""
_FORGET = f"""
WITH held AS ({_HELD}),
facts AS (DELETE FROM published USING held WHERE workspace = ANY($3::text[])),
ends AS (DELETE FROM partition_marks USING held WHERE topic = $4 AND partition = ANY($5::int[]))
SELECT count(*) FROM held
"""


class PublishedTo:
    """Reads and moves the marks in one term of the lease."""

    def __init__(self, engine: AsyncEngine, term: int) -> None:
        self._engine = engine
        self._term = term

    async def partitions(self) -> int:
        """The number of partitions of ``ledger.facts``, fixed when it is first asked for."""
        async with raw_connection(self._engine) as raw:
            await raw.execute(
                "INSERT INTO settings (name, value) VALUES ('facts_partitions', $1) ON CONFLICT DO NOTHING",
                str(FACTS_PARTITIONS),
            )
            value: str = await raw.fetchval("SELECT value FROM settings WHERE name = 'facts_partitions'")
        return int(value)

    async def of_topic(self, topic: str) -> dict[int, PartitionMark]:
        return await partition_marks(self._engine, topic)

    async def advance(
        self,
        published: Mapping[WorkspaceEpoch, int],
        topic_id: str,
        next_offsets: Mapping[int, int],
        first_offsets: Mapping[int, int],
        emitters: Sequence[Emitter] = (),
    ) -> None:
        """Everything up to these seqs and offsets is acknowledged. Raises LeaseLost: then nothing was moved.

        ``first_offsets``: where publishing began in partitions that have no mark yet.
        """
        async with raw_connection(self._engine) as raw:
            held = await raw.fetchval(
                _ADVANCE,
                NAME,
                self._term,
                [workspace for workspace, _ in published],
                [epoch for _, epoch in published],
                list(published.values()),
                FACTS,
                topic_id,
                list(next_offsets),
                list(next_offsets.values()),
                [one.workspace for one in emitters],
                [one.system for one in emitters],
                [first_offsets.get(one, 0) for one in next_offsets],
            )
        if not held:
            raise LeaseLost(f"term {self._term} has ended: marks are not moved")

    async def forget(self, lost: frozenset[int], partitions: int) -> int:
        """These partitions were lost: their workspaces are to be published from seq 1. How many workspaces.

        Raises LeaseLost: then nothing was forgotten.
        """
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch("SELECT DISTINCT workspace FROM published")
            again = [row[0] for row in rows if partition_of(row[0], partitions) in lost]
            held = await raw.fetchval(_FORGET, NAME, self._term, again, FACTS, list(lost))
        if not held:
            raise LeaseLost(f"term {self._term} has ended: marks are not moved")
        return len(again)
