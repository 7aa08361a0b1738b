"""Consumers, every setting with its reason.

Positions are kept in our own databases, in the transaction of what a record caused; the broker's committed offsets
play no part (a courtesy for its lag tools at most).
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

from goal_ledger_messaging.security import Kafka, options_of

STOP_TIMEOUT_S = 5.0

GROUP_SETTINGS: dict[str, Any] = {
    "enable_auto_commit": False,  # a position moves with the work it stands for, never by a clock
    "auto_offset_reset": "earliest",  # out of range means a topic made again: all of it is wanted, we drop repeats
    "metadata_max_age_ms": 2_000,  # new topics of a pattern and topics made again are found within this
    "session_timeout_ms": 6_000,  # a killed member's partitions move after this
    "heartbeat_interval_ms": 500,  # joining waits for the others' next heartbeat
    "max_poll_interval_ms": 300_000,  # a partition that waits for its database keeps its member in the group
}
"""For a member of a group (FastStream's ``subscriber`` takes the same names)."""


def reader(kafka: Kafka, **more: Any) -> AIOKafkaConsumer:
    """A consumer without a group, for ``assign`` and ``seek``: rebuilds, and the look at a topic's tail."""
    return AIOKafkaConsumer(
        **options_of(kafka),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        metadata_max_age_ms=5_000,
        max_partition_fetch_bytes=4 * 1024 * 1024,  # few large fetches: bulk reading is its only use
        fetch_max_bytes=16 * 1024 * 1024,
        **more,
    )


async def discard(consumer: AIOKafkaConsumer) -> None:
    """Stop it, whatever its state: with the broker gone ``stop()`` raises CancelledError or does not return."""
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait([stopping], timeout=STOP_TIMEOUT_S)
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait([stopping], timeout=STOP_TIMEOUT_S)
    if stopping.done() and not stopping.cancelled():
        stopping.exception()
