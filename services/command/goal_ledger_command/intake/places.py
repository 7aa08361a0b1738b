"""Where this process stands in each inbox, and how cautiously it goes on there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from goal_ledger_messaging.fenced import PartitionPlace
from goal_ledger_messaging.topics import Emitter
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.intake.positions import Inbox, find

MOST_RECORDS = 5_000
"""Of a take. Between two takes nothing is decided while something is written, so a backlog goes in large ones."""
FEWEST_RECORDS = 20

log = logger("intake.places")


@dataclass(slots=True, eq=False)
class InboxPlace(PartitionPlace):
    """The place in one inbox."""

    inbox: Inbox = field(kw_only=True)
    emitter: Emitter = field(kw_only=True)
    own_failures: int = 0
    """Of the failures in a row, such as were no passing ones: one of the next records is to blame."""
    piece: int = MOST_RECORDS
    """So many records are taken in one transaction: fewer after a failure, which may be for want of time; a single one
    while it is to be found out which is to blame."""
    hole: tuple[int, int] | None = None
    """(position, first offset seen beyond it), when that was looked at once already."""

    def failed(self, *, alone: bool) -> None:
        """The next records go in a smaller piece. ``alone``: one of them is to blame, and looked for one by one."""
        self.own_failures += alone
        self.piece = 1 if alone else max(FEWEST_RECORDS, self.piece // 4)

    def taken(self, upto: int) -> None:
        """Everything before ``upto`` is taken."""
        self.next_offset, self.hole = upto, None
        self.failures = self.own_failures = 0
        self.piece = min(MOST_RECORDS, self.piece * 2)


class InboxPositions:
    """The table of inbox positions: one row per (topic, generation, partition)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, topic_ids: Mapping[TopicPartition, str]) -> list[InboxPlace]:
        """Raises what the database raises."""
        places = []
        for tp, generation in topic_ids.items():
            try:
                emitter = Emitter.of_topic(tp.topic)
            except ValueError:
                log.warning("not an emitter's topic: not read", topic=tp.topic)
                continue
            inbox = Inbox(tp.topic, generation, tp.partition)
            next_offset = await find(self._engine, inbox)
            places.append(InboxPlace(tp, generation, next_offset, inbox=inbox, emitter=emitter))
        return places
