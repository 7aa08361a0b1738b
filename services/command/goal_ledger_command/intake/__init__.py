"""The intake: readings from the emitters' inboxes in Kafka, through the same append as over HTTP.

``subscription.py`` is its life, ``polls.py`` takes what the fenced consumer reads, ``places.py`` knows where each inbox stands,
``taking.py`` makes facts and outcomes of records, ``positions.py`` is the fence.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from goal_ledger_database.pulse import Pulse
from goal_ledger_observability.metrics import CollectorRegistry

from goal_ledger_command.intake.outcomes import kept_refusal
from goal_ledger_command.intake.subscription import IntakeSettings, running
from goal_ledger_command.intake.taking import LedgerOfReadings


class IntakeStore(Protocol):
    """What the intake needs of the process's store."""

    @property
    def ledger(self) -> LedgerOfReadings: ...
    @property
    def pulse(self) -> Pulse: ...


def start_intake(
    settings: IntakeSettings, store: IntakeStore, registry: CollectorRegistry
) -> AbstractAsyncContextManager[None]:
    """The intake runs within; it never fails for want of Kafka or of the database."""
    return running(store.ledger, settings, registry, store.pulse)


__all__ = ["kept_refusal", "running", "start_intake"]
