"""Which readings are behind the value of a fed part: what an explanation of it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from goal_ledger_scoring.aggregation import INCREASE, LAST, MAX, MIN, Reading, Stretch
from goal_ledger_scoring.numbers import ZERO, add

READINGS_MAX = 20
"""Of a mean, a sum or a count so many readings are named, the newest; how many there are is said beside them."""

FIRST, BEFORE, COUNTED = "first", "before", "counted"


@dataclass(frozen=True, slots=True)
class Deciding:
    """One reading. ``role``: last, first (in the stretch), before (it), max, min or counted."""

    role: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class StretchBehind:
    """One stretch. ``count``, ``total``: of all readings in it, where the aggregation depends on all of them."""

    stretch: Stretch
    deciding: tuple[Deciding, ...] = ()
    count: int | None = None
    total: Decimal | None = None


Behind = tuple[StretchBehind, ...]


def behind_of(
    aggregation: str, stretch: Stretch, inside: Sequence[Reading], before: Reading | None
) -> StretchBehind:
    """From the readings in a stretch, in order of time, and the last one before it."""
    deciding = tuple(_deciding(aggregation, inside, before)) if inside else ()
    if aggregation in (LAST, INCREASE):
        return StretchBehind(stretch, deciding)
    total = ZERO
    for one in inside:
        total = add(total, one.value)
    return StretchBehind(stretch, deciding, len(inside), total)


def _deciding(aggregation: str, inside: Sequence[Reading], before: Reading | None) -> Iterator[Deciding]:
    newest = list(reversed(inside))
    if aggregation == LAST:
        yield Deciding(LAST, newest[0])
    elif aggregation == INCREASE:
        yield Deciding(LAST, newest[0])
        yield Deciding(FIRST, inside[0])
        if before is not None:
            yield Deciding(BEFORE, before)
    elif aggregation == MAX:
        yield Deciding(MAX, max(newest, key=lambda one: one.value))
    elif aggregation == MIN:
        yield Deciding(MIN, min(newest, key=lambda one: one.value))
    else:
        for one in newest[:READINGS_MAX]:
            yield Deciding(COUNTED, one)
