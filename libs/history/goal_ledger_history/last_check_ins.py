"""What was said: the latest check-ins in force of goals, for status and confidence (SPEC 5 "Status")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.status import Word


@dataclass(slots=True)
class LastCheckIn:
    """On a key result, or on an objective itself. ``seq``, ``stated_seq``: the facts that said it, where it was asked for
    however old."""

    word: Word
    confidence: Decimal | None
    seq: int | None = None
    stated_seq: int | None = None


NO_CHECK_IN = LastCheckIn(Word(), None)
LastCheckIns = dict[tuple[str, str | None], LastCheckIn]
"""By (objective, key result or None)."""


@dataclass(slots=True)
class CheckInsBetween:
    """Asks for the last check-ins of an objective from ``since`` to ``at``, as known at ``known``."""

    objective: str
    since: datetime
    at: datetime
    known: int


@dataclass(slots=True)
class CheckInsHoweverOld:
    """Asks for the last check-in on an objective and on each of these key results of it, at ``at`` as known at ``known``,
    and for the last one since ``stated_since`` that stated a status."""

    objective: str
    key_results: tuple[str, ...]
    stated_since: datetime
    at: datetime
    known: int
