"""The subscription to `ledger.facts`: the fenced consumer, and what the worker asks of it.

Kafka's offsets vouch for nothing here: the hints in our database say where to begin, and whatever arrives wrongly all the
same (records fetched before a seek, a zombie's last batch, everything twice) is judged by the consumer rule under the lock
of the positions. A hint of a topic with another id is of a topic that was deleted and made again: that one is read from
its beginning.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from aiokafka import TopicPartition
from goal_ledger_messaging.fenced import FencedConsumer, PartitionPlace, Polled, Subscribed
from goal_ledger_messaging.partition import partition_of

from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.positions import Hint
from goal_ledger_projection.settings import WorkerSettings

Records = Polled[PartitionPlace]
"""What a poll brought, by partition."""


class Hints:
    """Where to seek, by the table `hints`."""

    def __init__(self, read_hints: Callable[[], Awaitable[dict[int, Hint]]]) -> None:
        self._read_hints = read_hints

    async def find(self, topic_ids: Mapping[TopicPartition, str]) -> list[PartitionPlace]:
        hints = await self._read_hints()
        return [
            PartitionPlace(tp, topic_id, _offset(hints.get(tp.partition), topic_id))
            for tp, topic_id in topic_ids.items()
        ]


def _offset(hint: Hint | None, topic_id: str) -> int:
    return hint.next_offset if hint is not None and hint.topic_id == topic_id else 0


class Subscription:
    """Reads the topic and hands every poll's records on, in order. One per process."""

    def __init__(
        self,
        settings: WorkerSettings,
        read_hints: Callable[[], Awaitable[dict[int, Hint]]],
        take: Callable[[Records], Awaitable[None]],
        meters: Meters,
    ) -> None:
        self._topic = settings.facts_topic
        self._take = take
        self._handed_on_at = time.monotonic()
        subscribed = Subscribed(
            group=settings.consumer_group,
            topic=settings.facts_topic,
            max_records=settings.batch_records,
            timeout_ms=settings.batch_timeout_ms,
        )
        self._consumer = FencedConsumer(
            settings.kafka, subscribed, Hints(read_hints), self._hand_on, meters.polled
        )

    async def run(self) -> None:
        """Reads until cancelled; with the broker or the topic away it tries until they are there."""
        await self._consumer.run()

    @property
    def is_running(self) -> bool:
        return self._consumer.is_running

    def is_anothers(self, workspace: str) -> bool:
        """Whether this process has partitions, but not the workspace's: another worker should have it."""
        assigned = self._consumer.assigned
        return bool(assigned) and self._partition(workspace) not in assigned

    def has_unread(self, workspace: str) -> bool:
        """Whether records of the workspace's partition wait in Kafka, as far as the last fetch told."""
        tp, consumer = self._partition(workspace), self._consumer.consumer
        if tp is None or consumer is None or tp not in self._consumer.assigned:
            return False
        end, place = consumer.highwater(tp), self._consumer.place(tp)
        return end is not None and end > (0 if place is None else place.next_offset)

    @property
    def silent_s(self) -> float:
        """Seconds since records last came."""
        return time.monotonic() - self._handed_on_at

    def seek_to_hints(self) -> None:
        """Begin at the hints again: another projection version is folded now."""
        self._consumer.reopen(self._consumer.assigned)

    async def _hand_on(self, polled: Records) -> None:
        for place, records in polled.items():
            place.next_offset = records[-1].offset + 1
        self._handed_on_at = time.monotonic()
        await self._take(polled)

    def _partition(self, workspace: str) -> TopicPartition | None:
        consumer = self._consumer.consumer
        partitions = None if consumer is None else consumer.partitions_for_topic(self._topic)
        return TopicPartition(self._topic, partition_of(workspace, len(partitions))) if partitions else None
