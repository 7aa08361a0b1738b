"""From a feed's accepted readings to the value of a bound part (SPEC 5).

A feed's definition can be redefined: that breaks the series at the redefinition's ``effective_at``, and earlier
readings keep the old definition. The part's span is therefore cut into *stretches*, one for each definition whose kind
the aggregation fits; each stretch is summed up on its own and the sums are put together. A restart cuts a counter's
definition the same way. The summing up is
commutative, so that a database can do it for millions of readings; :func:`sum_up` does the same from readings at hand
and is the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.numbers import ZERO, add, subtract
from goal_ledger_scoring.windows import Span

GAUGE, COUNTER, EVENT_COUNT = "gauge", "counter", "event_count"
LAST, MAX, MEAN, MIN, INCREASE, SUM, COUNT = "last", "max", "mean", "min", "increase", "sum", "count"
KIND_OF: dict[str, str] = {
    LAST: GAUGE,
    MAX: GAUGE,
    MEAN: GAUGE,
    MIN: GAUGE,
    INCREASE: COUNTER,
    SUM: EVENT_COUNT,
    COUNT: EVENT_COUNT,
}
"""Which kind of feed each aggregation fits; other pairs are refused when binding."""


@dataclass(frozen=True, slots=True)
class FeedDefinition:
    """The feed from ``since`` on (None: from its registration back to the beginning of time)."""

    kind: str
    unit: str | None
    since: datetime | None = None
    base: Decimal | None = None
    """What a counter that was restarted then counts from; None: from its first reading."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """``[start, end)`` under one definition; ``opened``: where the definition began (a counter's base lies after it)."""

    start: datetime | None
    end: datetime | None
    opened: datetime | None
    unit: str | None
    base: Decimal | None = None

    def holds(self, time: datetime) -> bool:
        """Whether ``time`` lies in it."""
        return Span(self.start, self.end).holds(time)


@dataclass(frozen=True, slots=True)
class Reading:
    """An accepted reading, in force. ``order``: the seq it counts from, which breaks ties of ``time``."""

    time: datetime
    order: int
    value: Decimal
    unit: str | None = None
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """One stretch summed up. ``before``: the last value before the stretch's start, within its definition; none:
    the base of a restart."""

    count: int = 0
    total: Decimal = ZERO
    low: Decimal | None = None
    high: Decimal | None = None
    first: Decimal | None = None
    last: Decimal | None = None
    last_at: datetime | None = None
    before: Decimal | None = None
    evidence: str | None = None


def with_restarts(
    definitions: Sequence[FeedDefinition], restarts: Iterable[tuple[datetime, Decimal]]
) -> list[FeedDefinition]:
    """The definitions, those of a counter cut where it was restarted (time, base)."""
    known, found = sorted(restarts), []
    for i, definition in enumerate(definitions):
        until = definitions[i + 1].since if i + 1 < len(definitions) else None
        found.append(definition)
        if definition.kind == COUNTER:
            found += [
                FeedDefinition(COUNTER, definition.unit, at, base)
                for at, base in known
                if (definition.since is None or at >= definition.since) and (until is None or at < until)
            ]
    return found


def stretches(definitions: Sequence[FeedDefinition], span: Span, aggregation: str) -> list[Stretch]:
    """The span cut at the redefinitions, without those of a kind that the aggregation does not fit."""
    kind, found = KIND_OF[aggregation], []
    for i, definition in enumerate(definitions):
        until = definitions[i + 1].since if i + 1 < len(definitions) else None
        start, end = _latest(span.start, definition.since), _earliest(span.end, until)
        if definition.kind == kind and (start is None or end is None or start < end):
            found.append(Stretch(start, end, definition.since, definition.unit, definition.base))
    return found


def _latest(a: datetime | None, b: datetime | None) -> datetime | None:
    return a if b is None else b if a is None else max(a, b)


def _earliest(a: datetime | None, b: datetime | None) -> datetime | None:
    return a if b is None else b if a is None else min(a, b)


def counts_for(reading_unit: str | None, feed_unit: str | None, part_unit: str | None) -> bool:
    """Only readings in the part's unit count, so that unlike units never meet: a part's unit is its measure's, else its
    feed's at the binding; where both name none, only readings without one count. A reading without a unit has its
    feed's; where that names none either, it is taken to be in the part's."""
    return (reading_unit or feed_unit or part_unit) == part_unit


def compares(newest: Reading, cut: Iterable[Stretch], part_unit: str | None) -> bool:
    """Whether the newest reading in a part's span counts for the part: its definition is of a kind that the aggregation
    fits (``cut`` holds no others), and it is in the part's unit."""
    return any(one.holds(newest.time) and counts_for(newest.unit, one.unit, part_unit) for one in cut)


def inside(
    readings: Iterable[Reading], stretch: Stretch, part_unit: str | None, at: datetime
) -> tuple[list[Reading], Reading | None]:
    """Of the readings up to ``at`` in the part's unit those that lie in the stretch, in order of time, and the last one
    before it within its definition."""
    found: list[Reading] = []
    before: Reading | None = None
    for one in sorted(readings, key=lambda r: (r.time, r.order)):
        after_end = stretch.end is not None and one.time >= stretch.end
        too_early = stretch.opened is not None and one.time < stretch.opened
        if one.time > at or after_end or too_early or not counts_for(one.unit, stretch.unit, part_unit):
            continue
        if stretch.start is not None and one.time < stretch.start:
            before = one
        else:
            found.append(one)
    return found, before


def sum_up(readings: Iterable[Reading], stretch: Stretch, part_unit: str | None, at: datetime) -> Sums:
    """The readings up to ``at`` that lie in the stretch and are in the part's unit."""
    found, before = inside(readings, stretch, part_unit, at)
    base = stretch.base if before is None else before.value
    if not found:
        return Sums(before=base)
    total = ZERO
    for one in found:
        total = add(total, one.value)
    values = [one.value for one in found]
    last = found[-1]
    return Sums(
        len(found), total, min(values), max(values), values[0], last.value, last.time, base, last.event_id
    )


def based(sums: Sums, stretch: Stretch) -> Sums:
    """Sums of a database that knows no restarts: with the base where there is no reading before the stretch."""
    return sums if sums.before is not None or stretch.base is None else replace(sums, before=stretch.base)


def combine(aggregation: str, sums: Iterable[Sums], feed: str | None = None) -> PartInput:
    """The part's value from its stretches in order of time. No accepted reading in any: no value, counts too."""
    filled = [one for one in sums if one.count]
    if not filled:
        return PartInput(feed=feed)
    value, divisor = _value(aggregation, filled)
    evidence = tuple(one.evidence for one in filled if one.evidence)
    return PartInput(value, divisor, at=filled[-1].last_at, evidence=evidence, feed=feed)


def _value(aggregation: str, filled: list[Sums]) -> tuple[Decimal, int]:
    if aggregation == LAST:
        return _known(filled[-1].last), 1
    if aggregation == MAX:
        return max(_known(one.high) for one in filled), 1
    if aggregation == MIN:
        return min(_known(one.low) for one in filled), 1
    count = sum(one.count for one in filled)
    if aggregation == COUNT:
        return Decimal(count), 1
    if aggregation == INCREASE:
        return _exact_sum(_gain(one) for one in filled), 1
    total = _exact_sum(one.total for one in filled)
    return (total, count) if aggregation == MEAN else (total, 1)


def _gain(one: Sums) -> Decimal:
    """Last minus last before the window; none before: the first in it is the base."""
    return subtract(_known(one.last), _known(one.first) if one.before is None else one.before)


def _exact_sum(values: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for value in values:
        total = add(total, value)
    return total


def _known(value: Decimal | None) -> Decimal:
    if value is None:
        raise ValueError("a stretch with readings has a first, a last, a lowest and a highest value")
    return value
