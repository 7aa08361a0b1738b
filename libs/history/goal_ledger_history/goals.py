"""An objective's definition as the arithmetic needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from goal_ledger_contracts.measures import Aligned, Measure, Simple

Version = tuple[str, int]
"""An objective and the seq of one of its definitions."""


class Binding(NamedTuple):
    """A part's feed and aggregation; ``seq``: the fact that bound it."""

    feed: str
    aggregation: str
    seq: int


@dataclass(frozen=True, slots=True)
class KeyResult:
    """``parts``: the simple measures by part. ``bindings``: by part. ``body``: what a reader shows of it besides."""

    id: str
    text: str
    weight: Decimal
    owner: str | None
    dropped: bool
    measure: Measure
    measure_seq: int
    parts: Mapping[str, Simple]
    bindings: Mapping[str, Binding]
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_aligned(self) -> bool:
        return type(self.measure) is Aligned


class PausedTime(NamedTuple):
    """From ``start`` on nothing is owed, until ``end`` (None: it goes on)."""

    start: datetime
    end: datetime | None

    def holds_before(self, instant: datetime) -> bool:
        """Whether it holds at the last moment before ``instant``."""
        return self.start < instant and (self.end is None or self.end >= instant)


PausedTimes = tuple[PausedTime, ...]


def begun(pauses: PausedTimes, at: datetime) -> PausedTimes:
    """With one more."""
    return (*pauses, PausedTime(at, None))


def ended(pauses: PausedTimes, at: datetime) -> PausedTimes:
    """With the last one ended, if it goes on."""
    if not pauses or pauses[-1].end is not None:
        return pauses
    return (*pauses[:-1], PausedTime(pauses[-1].start, at))


@dataclass(frozen=True, slots=True)
class Closing:
    seq: int
    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Goal:
    """One definition of an objective: that of the fact ``seq``. ``stage``: draft, active, closed or archived."""

    id: str
    seq: int
    stage: str
    owner: str
    cycle: str | None
    activated_seq: int | None
    activated_at: datetime | None
    closing: Closing | None
    """The closing in effect: none once it is reopened."""
    key_results: tuple[KeyResult, ...]
    is_fed: bool
    has_windows: bool
    body: Mapping[str, Any] = field(default_factory=dict)
    pauses: PausedTimes = ()

    @property
    def outcome(self) -> str | None:
        """That of the closing in effect."""
        return None if self.closing is None else self.closing.outcome

    def counts_as(self, other: Goal) -> bool:
        """Both definitions have the same key results for the arithmetic."""
        return len(self.key_results) == len(other.key_results) and all(
            [
                a.id == b.id
                and a.measure_seq == b.measure_seq
                and a.weight == b.weight
                and a.dropped == b.dropped
                and a.bindings == b.bindings
                for a, b in zip(self.key_results, other.key_results, strict=True)
            ]
        )

    def key_result(self, id: str) -> KeyResult | None:
        """The key result of that id."""
        return next((one for one in self.key_results if one.id == id), None)
