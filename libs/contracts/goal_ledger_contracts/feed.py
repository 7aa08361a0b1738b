"""Facts of the stream ``feed/<name>``: a registered stream of readings from a system.

A reading is one fact here, whatever is bound to the feed. ``time`` is when it was true; the fact's ``effective_at``
equals it, but for a quarantined reading from the future. These names and fields are stored for ever and published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.taking_effect import counts_when_recorded
from goal_ledger_contracts.unguarded import unguarded_dataclass


@dataclass(frozen=True, slots=True)
class FeedRegistered:
    """``kind``: gauge, counter or event_count. ``interval`` is an ISO duration; ``low`` and ``high`` limit plausibility."""

    system: str
    kind: str
    unit: str | None = None
    interval: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class FeedRedefined:
    """A visible break in the series from this fact's ``effective_at`` on."""

    kind: str
    unit: str | None = None
    interval: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    description: str | None = None


@counts_when_recorded
@dataclass(frozen=True, slots=True)
class CounterRestarted:
    """The counter began anew at ``at``, which is when this is effective, from ``base``: a break in the count alone."""

    at: datetime
    base: Decimal = Decimal(0)


@counts_when_recorded
@dataclass(frozen=True, slots=True)
class CounterRestartRetracted:
    """The restart at ``at`` never was."""

    at: datetime


@unguarded_dataclass
class ReadingRecorded:
    """``mode`` follows the feed's kind: absolute (gauge, counter) or increment (event count)."""

    source: str
    id: str
    time: datetime
    value: Decimal
    mode: str
    unit: str | None = None
    sequence: str | None = None
    backfill: bool = False


@unguarded_dataclass
class ReadingQuarantined:
    """Recorded, but not counted until it is released. ``why``: wrong_unit, counter_backwards, future or out_of_limits."""

    source: str
    id: str
    time: datetime
    value: Decimal
    mode: str
    why: str
    unit: str | None = None
    sequence: str | None = None
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class ReadingReleased:
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class ReadingRejected:
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class ReadingCorrected:
    """The whole new content of the reading."""

    source: str
    id: str
    time: datetime
    value: Decimal
    mode: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingRetracted:
    source: str
    id: str
