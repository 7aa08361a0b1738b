"""Sending answers: one that Kafka refuses stops nothing but itself.

What an emitter writes decides what its answers hold, and an operator may set a topic so that it takes less, or take the
relay's right to it away. A refusal is of a batch, not of a record, and poisons an idempotent producer for that partition;
so after one the producer is thrown away, and that topic's records of the round are sent one by one. Those that are
refused alone are handed back with Kafka's reason; all others of all topics are sent. A topic that refuses
:data:`REFUSED_IN_A_ROW` is held for :data:`HELD_S`: what comes for it meanwhile is handed back untried.

What is passing (``producer.is_passing``: known by class) is raised, and the round is sent again later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from goal_ledger_messaging import producer as producers
from goal_ledger_messaging.security import Kafka
from goal_ledger_observability.failures import failure_text

from goal_ledger_command.relay.answers import AnswerRecord

REFUSED_IN_A_ROW = 3
HELD_S = 60.0


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that Kafka does not take, and why."""

    record: AnswerRecord
    reason: str


class AnswerSender:
    """Holds a producer; close it after use."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self._held: dict[str, tuple[float, str]] = {}
        """Until when (by the loop's clock) a topic is held, and why."""

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producers.discard(producer)

    async def send(self, records: Sequence[AnswerRecord]) -> list[Refused]:
        """Returns when each is acknowledged or refused; those refused. Raises what is passing."""
        refused = [Refused(one, why) for one in records if (why := self._held_because(one.topic)) is not None]
        left = [one for one in records if self._held_because(one.topic) is None]
        suspected = await self._send_all(left)
        if suspected:
            await self.close()
            for topic in sorted(suspected):
                refused += await self._one_by_one([one for one in left if one.topic == topic])
        return refused

    async def _send_all(self, records: Iterable[AnswerRecord]) -> set[str]:
        """The topics that refused something."""
        producer = await self._started()
        suspected: set[str] = set()
        acks: list[tuple[str, asyncio.Future[Any]]] = []
        async with asyncio.timeout(producers.ROUND_TIMEOUT_S):
            for one in records:
                if one.topic in suspected:
                    continue
                try:
                    acks.append((one.topic, await _send(producer, one)))
                except Exception as failed:
                    _raise_if_passing(failed)
                    suspected.add(one.topic)
            for topic, ack in acks:
                try:
                    await ack
                except Exception as failed:
                    if topic not in suspected:
                        _raise_if_passing(failed)
                        suspected.add(topic)
        return suspected

    async def _one_by_one(self, records: Sequence[AnswerRecord]) -> list[Refused]:
        """Those of one topic that are refused alone."""
        refused: list[Refused] = []
        in_a_row = 0
        for one in records:
            why = self._held_because(one.topic) or await self._why_refused(one)
            if why is None:
                in_a_row = 0
                continue
            refused.append(Refused(one, why))
            in_a_row += 1
            if in_a_row == REFUSED_IN_A_ROW:
                self._held[one.topic] = (asyncio.get_running_loop().time() + HELD_S, why)
        return refused

    async def _why_refused(self, record: AnswerRecord) -> str | None:
        producer = await self._started()
        try:
            async with asyncio.timeout(producers.ROUND_TIMEOUT_S):
                await (await _send(producer, record))
        except Exception as failed:
            _raise_if_passing(failed)
            await self.close()
            return failure_text(failed)[:500]
        return None

    def _held_because(self, topic: str) -> str | None:
        until, why = self._held.get(topic, (0.0, ""))
        if asyncio.get_running_loop().time() < until:
            return why
        self._held.pop(topic, None)
        return None

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = producers.reliable(self._kafka)
            try:
                await producer.start()
            except BaseException:
                await producers.discard(producer)
                raise
            self._producer = producer
        return self._producer


async def _send(producer: AIOKafkaProducer, one: AnswerRecord) -> asyncio.Future[Any]:
    acknowledged: asyncio.Future[Any] = await producer.send(
        one.topic, key=one.key, value=one.value, headers=one.headers, partition=0
    )
    return acknowledged


def _raise_if_passing(failed: Exception) -> None:
    if producers.is_passing(failed):
        raise failed
