"""The definitions of measures (SPEC 5), as they are stored. What they amount to is computed in ``scoring``.

A simple measure has the one part ``value``; a compound one has parts of its own, each a simple measure with its own
window. Every measure is written with its ``kind``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

VALUE = "value"
"""The id of the one part of a simple measure."""


@dataclass(frozen=True, slots=True)
class Window:
    """When values count: ``[start, end)``, or the ISO duration ``duration`` from the named ``moment``."""

    start: datetime | None = None
    end: datetime | None = None
    moment: str | None = None
    duration: str | None = None


@dataclass(frozen=True, slots=True)
class Increase:
    """From ``baseline`` up to ``target``; a baseline still to be found is None."""

    kind: ClassVar[str] = "increase"
    target: Decimal
    baseline: Decimal | None = None
    unit: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Decrease:
    """From ``baseline`` down to ``target``."""

    kind: ClassVar[str] = "decrease"
    target: Decimal
    baseline: Decimal | None = None
    unit: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """From ``baseline`` to ``target`` in either direction."""

    kind: ClassVar[str] = "reach"
    target: Decimal
    baseline: Decimal | None = None
    unit: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class StayBelow:
    """At or below ``limit``; between ``limit`` and ``risk`` the computed status is behind, not at risk."""

    kind: ClassVar[str] = "stay_below"
    limit: Decimal
    risk: Decimal | None = None
    unit: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class StayAbove:
    """At or above ``limit``; between ``risk`` and ``limit`` the computed status is behind."""

    kind: ClassVar[str] = "stay_above"
    limit: Decimal
    risk: Decimal | None = None
    unit: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class StayBetween:
    """Inside ``[low, high]``; outside the score falls to 0 over ``tolerance`` if one is set."""

    kind: ClassVar[str] = "stay_between"
    low: Decimal
    high: Decimal
    tolerance: Decimal | None = None
    unit: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    text: str
    weight: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Checklist:
    """The weight of the steps done over the weight of all."""

    kind: ClassVar[str] = "checklist"
    steps: tuple[Step, ...]
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class DoneOrNot:
    """0 or 1."""

    kind: ClassVar[str] = "done_or_not"
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Zones:
    """What it means to be in each zone of a ranged measure, in words; a zone is named for the value that it begins at."""

    baseline: str | None = None
    commit: str | None = None
    target: str | None = None
    stretch: str | None = None


@dataclass(frozen=True, slots=True)
class Ranged:
    """Piecewise linear through four strictly monotone values; ``scores`` default to 0, 0.3, 0.7, 1."""

    kind: ClassVar[str] = "ranged"
    baseline: Decimal
    commit: Decimal
    target: Decimal
    stretch: Decimal
    scores: tuple[Decimal, ...] | None = None
    unit: str | None = None
    window: Window | None = None
    zones: Zones | None = None


@dataclass(frozen=True, slots=True)
class Aligned:
    """The weighted mean of the scores of the objectives that contribute to this key result."""

    kind: ClassVar[str] = "aligned"


Simple = Increase | Decrease | Reach | StayBelow | StayAbove | StayBetween | Checklist | DoneOrNot | Ranged


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a compound measure."""

    id: str
    measure: Simple
    weight: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Compound:
    """``combine`` is all, any, at_least (with ``n``) or weighted."""

    kind: ClassVar[str] = "compound"
    combine: str
    parts: tuple[Part, ...]
    n: int | None = None


Measure = Simple | Compound | Aligned


def parts_of(measure: Measure) -> dict[str, Simple]:
    """The parts by id: one ``value`` for a simple measure, none for an aligned one."""
    if isinstance(measure, Compound):
        return {part.id: part.measure for part in measure.parts}
    if isinstance(measure, Aligned):
        return {}
    return {VALUE: measure}
