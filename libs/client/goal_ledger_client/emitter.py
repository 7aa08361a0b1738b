"""Emitting readings over plain Kafka: CloudEvents 1.0 on the emitter's own topic, receipts from its own topic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer

from goal_ledger_client.values import decimal, instant

READING = "goal-ledger.reading.v1"
NAME_MAX_BYTES = 512
"""Of ``source`` and ``id``, each, in UTF-8."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a feed. (``source``, ``id``) is its identity: any number of repeats is one reading.

    ``value`` is a decimal as text, int or ``Decimal``; ``time`` an aware instant. Raises TypeError for a float, ValueError
    for a time without an offset, for what is no decimal of at most 18 digits before and 6 after the point, and for an
    empty or overlong name.
    """

    source: str
    id: str
    feed: str
    time: datetime
    value: str | int | Decimal
    unit: str | None = None
    mode: str | None = None
    sequence: str | None = None

    def __post_init__(self) -> None:
        decimal(self.value, "value")
        instant(self.time, "time")
        for name, written in (("source", self.source), ("id", self.id), ("feed", self.feed)):
            if not 0 < len(written.encode()) <= NAME_MAX_BYTES:
                raise ValueError(f"{name} must have 1 to {NAME_MAX_BYTES} bytes in UTF-8")

    def cloud_event(self) -> dict[str, Any]:
        """The structured CloudEvent."""
        data = {
            "value": decimal(self.value, "value"),
            "unit": self.unit,
            "mode": self.mode,
            "sequence": self.sequence,
        }
        return {
            "specversion": "1.0",
            "type": READING,
            "source": self.source,
            "id": self.id,
            "time": instant(self.time),
            "subject": self.feed,
            "datacontenttype": "application/json",
            "data": {name: value for name, value in data.items() if value is not None},
        }


class Emitter:
    """Sends readings to ``progress.readings.<workspace>.<system>``; returns when Kafka has acknowledged them all.

    ``security``: how Kafka wants to be spoken to, in aiokafka's own words, e.g. ``{"security_protocol": "SASL_SSL",
    "ssl_context": ssl.create_default_context(cafile="ca.pem"), "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_plain_username": "shop", "sasl_plain_password": …}``. Without it: neither TLS nor SASL.
    """

    def __init__(self, bootstrap: str, topic: str, security: Mapping[str, Any] | None = None) -> None:
        self._topic = topic
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, **(security or {})
        )

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def emit(self, readings: Iterable[Reading]) -> int:
        """Sends the readings in order; returns how many."""
        return await self.emit_events(reading.cloud_event() for reading in readings)

    async def emit_events(self, events: Iterable[Mapping[str, Any]]) -> int:
        """The same with CloudEvents as :meth:`Reading.cloud_event` makes them."""
        sent = [await self._send(event) for event in events]
        for acknowledged in sent:
            await acknowledged
        return len(sent)

    async def emit_raw(self, message: bytes) -> None:
        """Sends bytes as they are (to try out what becomes of an unreadable message)."""
        await self._producer.send_and_wait(self._topic, message)

    async def _send(self, event: Mapping[str, Any]) -> Any:
        return await self._producer.send(
            self._topic,
            json.dumps(event).encode(),
            key=event["subject"].encode(),
            headers=[("content-type", b"application/cloudevents+json")],
        )
