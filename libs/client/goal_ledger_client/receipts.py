"""Following the receipts of a system's readings on Kafka."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer

REMEMBERED_KEYS = 100_000


class ReceiptStream:
    """``async for receipt in receipts``: ``progress.receipts.<workspace>.<system>`` from its start, without end.

    Each is a document with ``source``, ``id``, ``feed``, ``outcome``, ``reason`` (a code),
    ``detail``, ``event_id``, ``position``. They are
    published at least once; one that comes again is passed over. ``group``: goes on, after a restart, behind the last
    receipt that the loop had done with; the one in hand comes again. ``security``: as the emitter's.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        group: str | None = None,
        security: Mapping[str, Any] | None = None,
    ) -> None:
        self._consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **(security or {}),
        )
        self._grouped = group is not None
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            polled = await self._consumer.getmany(timeout_ms=1000)
            for partition, records in polled.items():
                for record in records:
                    if self._is_new(record.key):
                        yield json.loads(record.value)
                    if self._grouped:
                        await self._consumer.commit({partition: record.offset + 1})

    def _is_new(self, key: bytes) -> bool:
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > REMEMBERED_KEYS:
            self._seen.popitem(last=False)
        return True
