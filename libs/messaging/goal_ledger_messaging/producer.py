"""Producers, every setting with its reason.

After any exception from a record's future a producer is thrown away and the sender starts again from its mark: one
refusal poisons an idempotent producer's partition for good (every later send fails OutOfOrderSequenceNumber). With the
broker away an idempotent send never ends by itself, and neither may ``stop()``: put :data:`ROUND_TIMEOUT_S` round each
round and use :func:`discard`.
"""

from __future__ import annotations

import asyncio
import contextlib

from aiokafka import AIOKafkaProducer, errors

from goal_ledger_messaging.security import Kafka, options_of
from goal_ledger_messaging.topics import MAX_REJECTED_BYTES

ROUND_TIMEOUT_S = 30.0
"""A round of sends that is not acknowledged by then has failed; the sender starts again from its mark."""
STOP_TIMEOUT_S = 3.0
BATCH_BYTES = 256 * 1024
"""Twice as fast as 16 KiB; a batch of it, compressed or not, is far below every topic's limit."""


def reliable(kafka: Kafka) -> AIOKafkaProducer:
    """A producer that never reorders, never doubles within its life, and takes nothing for written that is not."""
    return AIOKafkaProducer(
        **options_of(kafka),
        enable_idempotence=True,  # a retry inside the client neither doubles nor reorders
        acks="all",  # acknowledged by every in-sync replica
        linger_ms=0,  # batches are built by us, or fill by themselves under load; lingering only costs latency
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_REJECTED_BYTES,  # the client's own limit refuses before a sequence number is spent
        metadata_max_age_ms=10_000,  # a topic deleted and made again is noticed within this
        request_timeout_ms=20_000,  # a broker that hangs is given up on
        compression_type="zstd",  # nearly free, a third of the bytes
    )


_PASSING = (
    errors.KafkaTimeoutError,
    errors.ProducerClosed,
    errors.ProducerFenced,
    errors.OutOfOrderSequenceNumber,  # the refusal of another record came before
    errors.DuplicateSequenceNumber,
    errors.InvalidProducerEpoch,
    errors.InvalidProducerIdMapping,
    errors.UnknownProducerId,
    errors.BrokerNotAvailableError,
    errors.AuthenticationFailedError,
    errors.SaslAuthenticationFailed,
    errors.ClusterAuthorizationFailedError,
    OSError,
    TimeoutError,
)


def is_passing(failure: BaseException) -> bool:
    """Whether it says nothing about the record that was sent, nor about its topic: another time it may be taken."""
    return isinstance(failure, _PASSING) or (isinstance(failure, errors.KafkaError) and failure.retriable)


async def discard(producer: AIOKafkaProducer) -> None:
    """Stop it, whatever its state; gives up after :data:`STOP_TIMEOUT_S`. Never raises but on own cancellation."""
    stopping = asyncio.ensure_future(producer.stop())
    await asyncio.wait([stopping], timeout=STOP_TIMEOUT_S)
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait([stopping], timeout=STOP_TIMEOUT_S)
        with contextlib.suppress(Exception):
            await producer.client.close()
    if stopping.done() and not stopping.cancelled():
        stopping.exception()
