"""The subscription to every emitter's inbox, and its life: started again and again until Kafka is there.

FastStream runs the consumer's loop; every delivery setting that matters is given here or in ``messaging.consumer``:
its defaults would acknowledge before anything is recorded and begin at the end of a new topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any, Protocol

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from goal_ledger_database.pulse import Pulse
from goal_ledger_ledger.store import create_engine
from goal_ledger_messaging.any_header_name import tolerate_any_header_name
from goal_ledger_messaging.consumer import GROUP_SETTINGS
from goal_ledger_messaging.security import Kafka, cluster_of, explained
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import READINGS_PATTERN
from goal_ledger_observability.logs import logger
from goal_ledger_observability.metrics import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.intake.assignment import MOST_RECORDS, Assignment
from goal_ledger_command.intake.polls import INBOXES_AT_ONCE, IntakeMetrics, Polls
from goal_ledger_command.intake.taking import Ledger

GROUP = "goal-ledger-intake"
BATCH_TIMEOUT_MS = 20
RETRY_S = 1.0
STOP_TIMEOUT_S = 8.0
LOOK_AT_CONSUMER_S = 1.0

log = logger("intake")


class Settings(Protocol):
    """What the intake needs of the process's settings."""

    @property
    def ledger_database_url(self) -> str: ...
    @property
    def kafka(self) -> Kafka: ...


@contextlib.asynccontextmanager
async def running(
    ledger: Ledger, settings: Settings, registry: CollectorRegistry, pulse: Pulse | None = None
) -> AsyncIterator[None]:
    """The intake runs within. Never fails for want of Kafka or of the database: it waits for them."""
    engine = create_engine(
        settings.ledger_database_url, application="intake", connections=INBOXES_AT_ONCE + 2
    )
    if pulse is not None:
        engine.watch(pulse)
    intake = asyncio.create_task(_again_and_again(ledger, settings.kafka, engine, IntakeMetrics(registry)))
    try:
        yield
    finally:
        intake.cancel()
        await asyncio.gather(intake, return_exceptions=True)
        await engine.dispose()


async def _again_and_again(ledger: Ledger, kafka: Kafka, engine: AsyncEngine, metrics: IntakeMetrics) -> None:
    while True:
        try:
            await _one_life(ledger, kafka, engine, metrics)
        except Exception as failed:
            log.warning("intake starts again", error=await explained(kafka, failed))
        await asyncio.sleep(RETRY_S)


async def _one_life(ledger: Ledger, kafka: Kafka, engine: AsyncEngine, metrics: IntakeMetrics) -> None:
    tolerate_any_header_name()
    ids = TopicIds(kafka)
    await ids.start()
    assignment = Assignment(engine, ids)
    chatter = logging.getLogger("goal_ledger.intake.consumer")
    chatter.setLevel(logging.ERROR)  # else a line per poll, and warnings about what is meant to be so
    polls = Polls(engine, ledger, ids, assignment, metrics)
    cluster = cluster_of(kafka)
    broker = KafkaBroker(
        cluster.servers,
        security=cluster.security.of_broker(),
        sasl_oauth_token_provider=cluster.security.token_provider(),
        allow_auto_create_topics=False,  # topics are made by the relay, with their own settings
        apply_types=False,  # the handler gets the records themselves
        logger=chatter,
        metadata_max_age_ms=GROUP_SETTINGS["metadata_max_age_ms"],
    )
    subscriber = broker.subscriber(
        pattern=READINGS_PATTERN,
        group_id=GROUP,
        batch=True,
        max_records=MOST_RECORDS,
        batch_timeout_ms=BATCH_TIMEOUT_MS,  # an idle inbox's reading waits at most twice this
        ack_policy=AckPolicy.MANUAL,  # positions are ours; Kafka's are not moved at all
        isolation_level="read_committed",  # what an emitter's transaction took back was never sent
        listener=assignment,
        parser=_as_it_is,
        decoder=_records,
        auto_offset_reset=GROUP_SETTINGS["auto_offset_reset"],
        session_timeout_ms=GROUP_SETTINGS["session_timeout_ms"],
        heartbeat_interval_ms=GROUP_SETTINGS["heartbeat_interval_ms"],
        max_poll_interval_ms=GROUP_SETTINGS["max_poll_interval_ms"],
    )
    subscriber(polls.handle)
    assignment.of(lambda: subscriber.consumer)
    try:
        await broker.start()
        await _while_alive(subscriber)
    finally:
        assignment.forget()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await broker.stop()
        await ids.close()


async def _while_alive(subscriber: Any) -> None:
    """Returns when FastStream's loop has ended, which it should not."""
    while subscriber.running and any(not task.done() for task in subscriber.tasks):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_AT_CONSUMER_S)
    raise RuntimeError("the consumer's loop has ended")


async def _as_it_is(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """The records untouched. FastStream's own parser decodes every header as UTF-8 and drops a poll where one is not."""
    first, last = records[0], records[-1]
    return KafkaMessage(
        raw_message=records,
        body=b"",
        correlation_id=f"{first.topic}/{first.partition}/{first.offset}-{last.offset}",
        consumer=FAKE_CONSUMER,
    )


async def _records(message: KafkaMessage) -> tuple[ConsumerRecord, ...]:
    records: tuple[ConsumerRecord, ...] = message.raw_message
    return records
