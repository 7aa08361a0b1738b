"""The write gate: nothing is written to a store that is behind what Kafka holds.

A store restored to an earlier moment would give its next facts numbers that were published long ago for others. So
before the first write of a process, everything in ``ledger.facts`` from the offsets of the partitions' marks to the end
is read. The marks are in the store and go back with it: whatever was published after the restored moment lies behind
them. A seq beyond the head of its workspace (or an epoch beyond the head's) means that this workspace's store is
behind: its writes are refused with ``store_behind_log`` by every process, and the relay leaves it out, until the
operator's recovery has raised the epoch. Other workspaces go on.

Only headers are looked at. Marks of a topic that is no longer there (another id, or a partition that ends before its
mark) mean nothing: such a partition is read from its start. With Kafka out of reach the gate stays closed
(``not_recorded``) until it was read once; afterwards a process goes on without Kafka.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from goal_ledger_ledger.lineage import Lineage, look
from goal_ledger_ledger.store import Database, raw_connection
from goal_ledger_ledger.submission import NotRecorded, StoreBehindLog
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging.records import read_place
from goal_ledger_messaging.security import Kafka, explained
from goal_ledger_messaging.topic_ids import Described, TopicIds
from goal_ledger_messaging.topics import FACTS
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

RETRY_S = 0.5
LOOK_AGAIN_S = 10.0
ASK_TIMEOUT_S = 10.0
STALLED_TIMEOUT_S = 15.0
"""A tail of which nothing arrives for this long is not being read: Kafka is out of reach."""

log = logger("write_gate")


@dataclass(frozen=True, slots=True, order=True)
class Tail:
    """The highest (epoch, seq) of a workspace found in Kafka behind the marks."""

    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class PartitionMark:
    """Where a partition ended after the last record that the relay has marked, and in which topic of that name; and
    from which offset on it holds everything from seq 1."""

    topic_id: str
    next_offset: int
    first_offset: int = 0


class KafkaNotRead(Exception):
    """Kafka did not give what it holds in time."""


async def partition_marks(engine: AsyncEngine, topic: str) -> dict[int, PartitionMark]:
    """The marks of a topic's partitions; those without a record have none."""
    async with raw_connection(engine, same=False) as raw:
        rows = await raw.fetch(
            "SELECT partition, topic_id, next_offset, first_offset FROM partition_marks WHERE topic = $1",
            topic,
        )
    return {row[0]: PartitionMark(row[1], row[2], row[3]) for row in rows}


async def read_tail(engine: AsyncEngine, kafka: Kafka) -> dict[str, Tail]:
    """The highest place of each workspace in what Kafka holds behind the marks.

    Raises KafkaNotRead, KafkaError, and what the database raises.
    """
    marks = await partition_marks(engine, FACTS)
    ids = TopicIds(kafka)
    reader = consumers.reader(kafka)
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            await ids.start()
            topic = (await ids.describe([FACTS])).get(FACTS)
            if topic is None:
                return {}
            await reader.start()
            places = await _from_marks(reader, marks, topic)
        return await _read(reader, places)
    except TimeoutError:
        raise KafkaNotRead("Kafka did not answer in time") from None
    finally:
        await ids.close()
        await consumers.discard(reader)


async def behind_log(engine: AsyncEngine, tail: Mapping[str, Tail]) -> dict[str, Tail]:
    """Those workspaces whose head is before what Kafka holds, or that the store does not know at all."""
    async with raw_connection(engine, same=False) as raw:
        rows = await raw.fetch(
            "SELECT workspace, epoch, seq FROM heads WHERE workspace = ANY($1::text[])", list(tail)
        )
    heads = {row[0]: Tail(row[1], row[2]) for row in rows}
    nothing = Tail(0, 0)
    return {workspace: seen for workspace, seen in tail.items() if heads.get(workspace, nothing) < seen}


async def _from_marks(
    reader: AIOKafkaConsumer, marks: Mapping[int, PartitionMark], topic: Described
) -> dict[TopicPartition, int]:
    """Assigns and seeks; the end of each partition that has something to read."""
    partitions = [TopicPartition(FACTS, one) for one in range(topic.partitions)]
    starts, ends = await reader.beginning_offsets(partitions), await reader.end_offsets(partitions)
    first = {}
    for tp in partitions:
        mark = marks.get(tp.partition)
        known = mark is not None and mark.topic_id == topic.id and mark.next_offset <= ends[tp]
        first[tp] = max(mark.next_offset, starts[tp]) if mark is not None and known else starts[tp]
    wanted = {tp: ends[tp] for tp in partitions if first[tp] < ends[tp]}
    reader.assign(list(wanted))
    for tp in wanted:
        reader.seek(tp, first[tp])
    return wanted


async def _read(reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> dict[str, Tail]:
    found: dict[str, Tail] = {}
    left = set(ends)
    moved_at = asyncio.get_running_loop().time()
    while left:
        fetched = await reader.getmany(*left, timeout_ms=200, max_records=5000)
        if not fetched and asyncio.get_running_loop().time() - moved_at > STALLED_TIMEOUT_S:
            raise KafkaNotRead(f"{len(left)} partitions of {FACTS} gave nothing for {STALLED_TIMEOUT_S:g} s")
        for tp, records in fetched.items():
            moved_at = asyncio.get_running_loop().time()
            for record in records:
                _keep_highest(found, record)
            if records[-1].offset + 1 >= ends[tp]:
                left.discard(tp)
    return found


def _highest(some: Mapping[str, Tail], others: Mapping[str, Tail]) -> dict[str, Tail]:
    both = dict(some)
    for workspace, seen in others.items():
        both[workspace] = max(seen, both.get(workspace, seen))
    return both


def _keep_highest(found: dict[str, Tail], record: ConsumerRecord) -> None:
    place = read_place(record.headers)
    if place is not None:
        workspace, epoch, seq = place
        seen = Tail(epoch, seq)
        if workspace not in found or found[workspace] < seen:
            found[workspace] = seen


class WriteGate:
    """What the ledger asks before it writes; answers from memory.

    Closed until Kafka was read once, then shut for those workspaces whose store is behind. It looks again every ten
    seconds, for a recovery lets a workspace write again; and at once when the database is another one, or was set back
    (``lineage.py``): until it was compared, no connection to it is given out.
    """

    def __init__(self, engine: AsyncEngine, kafka: Kafka) -> None:
        self._engine, self._kafka = engine, kafka
        self._lineage = Lineage()
        if isinstance(engine, Database):
            engine.lineage = self._lineage
        self._behind: dict[str, Tail] = {}
        self._closed_because: str | None = "Kafka has not been read yet"

    @property
    def closed_because(self) -> str | None:
        """Why nothing can be written at all; None once Kafka was read."""
        return self._closed_because

    @property
    def behind(self) -> Mapping[str, Tail]:
        """The workspaces whose writes are refused with ``store_behind_log``, and what Kafka holds of them."""
        return self._behind

    async def check(self, workspace: str) -> None:
        """Raises NotRecorded while Kafka has not been read, StoreBehindLog for a workspace whose store is behind."""
        if self._closed_because is not None:
            raise NotRecorded(
                f"Nothing is written until it is known what Kafka holds ({self._closed_because}). Send it again."
            )
        seen = self._behind.get(workspace)
        if seen is not None:
            raise StoreBehindLog(
                f"Kafka holds this workspace up to {seen.epoch}-{seen.seq}, beyond the store. It has to be recovered."
            )

    async def look(self) -> None:
        """Read Kafka behind the marks, and compare. Raises what :func:`read_tail` raises; then nothing changes."""
        async with raw_connection(self._engine, same=False) as raw:
            compared = await look(raw)
        tail = await read_tail(self._engine, self._kafka)
        behind = await behind_log(self._engine, _highest(tail, self._behind))
        for workspace, seen in behind.items():
            if workspace not in self._behind:
                log.error(
                    "store_behind_log: writes are refused",
                    workspace=workspace,
                    epoch=seen.epoch,
                    seq=seen.seq,
                )
        self._behind = behind
        self._lineage.accept(compared)
        self._closed_because = None

    async def run(self) -> None:
        """Looks until cancelled; never raises. A process that has looked once goes on without Kafka."""
        while True:
            try:
                await self.look()
            except Exception as failed:
                why = await explained(self._kafka, failed)
                if self._closed_because is not None:
                    self._closed_because = why
                log.warning("Kafka not read", error=why)
            await self._pause()

    async def _pause(self) -> None:
        """Until it is time to look again; at once when the store is not the one that was compared."""
        if self._closed_because is not None or self._lineage.suspect.is_set():
            await asyncio.sleep(RETRY_S)
            return
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._lineage.suspect.wait()
        except TimeoutError:
            pass
