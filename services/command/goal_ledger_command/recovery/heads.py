"""The signed heads on ``ledger.heads``: what a recovered log must agree with, and which of them it does not reach."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from goal_ledger_ledger.checkpoint import BadNote, Checkpoint
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import HEADS

from goal_ledger_command.published_tail import ASK_TIMEOUT_S, STALLED_TIMEOUT_S, KafkaNotRead, PublishedTail
from goal_ledger_command.restoring import read_head, workspace_and_epoch

HeadsOf = Mapping[str, list[Checkpoint]]


async def published_heads(
    kafka: Kafka, key: Ed25519PublicKey | None, origin: str, workspaces: Collection[str]
) -> dict[str, list[Checkpoint]]:
    """By workspace, all that our key signed; without a key those of our origin. Raises KafkaNotRead, KafkaError."""
    found: dict[str, list[Checkpoint]] = {name: [] for name in workspaces}
    ids, reader = TopicIds(kafka), consumers.reader(kafka)
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            await ids.start()
            topic = (await ids.describe([HEADS])).get(HEADS)
            if topic is None:
                return found
            await reader.start()
            partitions = [TopicPartition(HEADS, one) for one in range(topic.partitions)]
            starts = await reader.beginning_offsets(partitions)
            ends = await reader.end_offsets(partitions)
        wanted = {tp: ends[tp] for tp in partitions if starts[tp] < ends[tp]}
        reader.assign(list(wanted))
        async for records in PublishedTail(reader, {tp: starts[tp] for tp in wanted}, wanted).records():
            for record in records:
                _take(found, record.value or b"", key, origin)
    except TimeoutError:
        raise KafkaNotRead(f"{HEADS} gave nothing for {STALLED_TIMEOUT_S:g} s") from None
    finally:
        await ids.close()
        await consumers.discard(reader)
    return found


def _take(found: dict[str, list[Checkpoint]], raw: bytes, key: Ed25519PublicKey | None, origin: str) -> None:
    try:
        head = read_head(raw.decode(), key, origin)
    except (BadNote, UnicodeDecodeError):
        return
    workspace = workspace_and_epoch(head)[0]
    if workspace in found:
        found[workspace].append(head)
