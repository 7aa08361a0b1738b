"""Records between Kafka and the database: read and parsed here while the batch before is being written.

There is a queue for each lane; a partition always goes to the same lane, so that a workspace's order is kept, and while
one lane folds, PostgreSQL writes for another. The queues are short and bounded, so that Kafka is not read faster than the
database takes the rows; what has come together meanwhile is applied in one transaction. Nothing here vouches for
anything: a process that dies with full queues has moved no position.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from goal_ledger_messaging.records import read_place
from goal_ledger_observability.logs import logger

from goal_ledger_projection.folding.applying import Applied, ReadTo
from goal_ledger_projection.folding.consumer_rule import FoldedUpTo
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.folding.subscription import Records

log = logger("goal_ledger.projection.arrivals")


@dataclass(slots=True)
class ArrivedBatch:
    """Records in order, and how far the topic was read with them."""

    records: list[Record]
    taken: ReadTo


class Arrivals:
    """The bounded queues of batches, one for each lane."""

    def __init__(
        self,
        topic: str,
        meters: Meters,
        *,
        leave_aside: Callable[[str], bool],
        lanes: int,
        waiting_batches: int,
        transaction_records: int,
    ) -> None:
        """`leave_aside` tells of a workspace whose records come from elsewhere for now."""
        self._topic = topic
        self._meters = meters
        self._leave_aside = leave_aside
        self._transaction_records = transaction_records
        self._queues: list[asyncio.Queue[ArrivedBatch]] = [
            asyncio.Queue(waiting_batches) for _ in range(lanes)
        ]
        self._folded: dict[str, FoldedUpTo] = {}
        """Where workspaces stood at their last commit here: what is below is dropped without being parsed."""

    @property
    def is_empty(self) -> bool:
        return all(queue.empty() for queue in self._queues)

    async def take(self, polled: Records) -> None:
        """Parse a poll's records and queue them; waits while a queue is full."""
        lanes = len(self._queues)
        kept: list[list[Record]] = [[] for _ in range(lanes)]
        ends: list[dict[int, int]] = [{} for _ in range(lanes)]
        topic_id = ""
        for place, records in polled.items():
            topic_id, lane = place.topic_id, place.partition.partition % lanes
            ends[lane][place.partition.partition] = records[-1].offset + 1
            kept[lane] += [record for one in records if (record := self._kept(one)) is not None]
        for lane, queue in enumerate(self._queues):
            if ends[lane]:
                await queue.put(ArrivedBatch(kept[lane], ReadTo(self._topic, topic_id, ends[lane])))

    def _kept(self, one: ConsumerRecord[Any, Any]) -> Record | None:
        """The fact's record, if it is one and may be next."""
        place = read_place(one.headers)
        if place is None or one.value is None:
            self._meters.strangers.inc()
            log.error("not a fact's record", partition=one.partition, offset=one.offset)
            return None
        if not self._is_wanted(*place):
            self._meters.dropped.inc()
            return None
        return Record(*place, one.value)

    async def next(self, lane: int) -> ArrivedBatch:
        """A lane's next batch, together with those behind it, up to a transaction's size."""
        queue = self._queues[lane]
        batch = await queue.get()
        while len(batch.records) < self._transaction_records and not queue.empty():
            batch = _joined(batch, queue.get_nowait())
        batch.records = [record for record in batch.records if not self._leave_aside(record.workspace)]
        return batch

    def learn(self, applied: Applied) -> None:
        """Where workspaces stand now."""
        self._folded.update(applied.folded)

    def forget(self) -> None:
        """Another projection version is folded now, which stands elsewhere."""
        self._folded.clear()

    def _is_wanted(self, workspace: str, epoch: int, seq: int) -> bool:
        folded = self._folded.get(workspace)
        return folded is None or epoch > folded.epoch or (epoch == folded.epoch and seq >= folded.next_seq)


def _joined(first: ArrivedBatch, second: ArrivedBatch) -> ArrivedBatch:
    """Hints of a topic made anew replace those of the one before it."""
    ends: Mapping[int, int] = second.taken.ends
    if first.taken.topic_id == second.taken.topic_id:
        ends = {**first.taken.ends, **ends}
    taken = ReadTo(second.taken.topic, second.taken.topic_id, ends)
    return ArrivedBatch(first.records + second.records, taken)
