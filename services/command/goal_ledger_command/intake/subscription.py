"""The life of the intake within its process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from goal_ledger_database.pulse import Pulse
from goal_ledger_ledger.store import create_engine
from goal_ledger_messaging.security import Kafka
from goal_ledger_observability.metrics import CollectorRegistry

from goal_ledger_command.intake.polls import INBOXES_AT_ONCE, IntakeMetrics, Polls
from goal_ledger_command.intake.taking import LedgerOfReadings


class IntakeSettings(Protocol):
    """What the intake needs of the process's settings."""

    @property
    def ledger_database_url(self) -> str: ...
    @property
    def kafka(self) -> Kafka: ...


@contextlib.asynccontextmanager
async def running(
    ledger: LedgerOfReadings,
    settings: IntakeSettings,
    registry: CollectorRegistry,
    pulse: Pulse | None = None,
) -> AsyncIterator[None]:
    """The intake runs within. Never fails for want of Kafka or of the database: it waits for them."""
    engine = create_engine(
        settings.ledger_database_url, application="intake", connections=INBOXES_AT_ONCE + 2
    )
    if pulse is not None:
        engine.watch(pulse)
    polls = Polls(settings.kafka, engine, ledger, IntakeMetrics(registry))
    intake = asyncio.create_task(polls.consumer.run())
    try:
        yield
    finally:
        intake.cancel()
        await asyncio.gather(intake, return_exceptions=True)
        await engine.dispose()
