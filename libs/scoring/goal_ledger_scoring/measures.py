"""The raw score of one part (the table of SPEC 5). A compound or aligned measure is put together in ``key_result.py``.

A value is ``n / d`` exactly (``d`` is 1 but for the mean of a feed's readings), so each formula is written with both
sides multiplied by ``d``; comparisons then stay exact. A formula answers an exact number, or a quotient as its two
sides; the one division, and the one rounding, is made in :func:`raw_score`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.measures import (
    Checklist,
    Decrease,
    DoneOrNot,
    Increase,
    Ranged,
    Reach,
    Simple,
    StayAbove,
    StayBelow,
    StayBetween,
)

from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.numbers import ONE, ZERO, add, clamped, multiply, quotient, subtract
from goal_ledger_scoring.results import MEASURED, NO_BASELINE, NOT_MEASURED, WAITING, PartScore

DEFAULT_RANGE = (ZERO, Decimal("0.3"), Decimal("0.7"), ONE)
ZONES = ("fail", "commit", "target", "stretch")

Ratio = tuple[Decimal, Decimal]
"""A quotient not yet divided: numerator and denominator, both exact."""


def _towards(measure: Increase | Decrease | Reach, n: Decimal, d: int) -> Ratio:
    """(v - b) / (t - b)."""
    baseline: Any = measure.baseline
    way = subtract(measure.target, baseline)
    if d == 1:
        return subtract(n, baseline), way
    count = Decimal(d)
    return subtract(n, multiply(baseline, count)), multiply(way, count)


def _stay_below(measure: StayBelow, n: Decimal, d: int) -> Decimal:
    return ONE if n <= multiply(measure.limit, Decimal(d)) else ZERO


def _stay_above(measure: StayAbove, n: Decimal, d: int) -> Decimal:
    return ONE if n >= multiply(measure.limit, Decimal(d)) else ZERO


def _stay_between(measure: StayBetween, n: Decimal, d: int) -> Decimal | Ratio:
    """1 inside; outside max(0, (tolerance - distance) / tolerance)."""
    count = Decimal(d)
    low, high = multiply(measure.low, count), multiply(measure.high, count)
    if low <= n <= high:
        return ONE
    if not measure.tolerance:
        return ZERO
    tolerance = multiply(measure.tolerance, count)
    distance = subtract(low, n) if n < low else subtract(n, high)
    return (subtract(tolerance, distance), tolerance) if distance < tolerance else ZERO


def _done_or_not(_: DoneOrNot, n: Decimal, d: int) -> Decimal:
    return ONE if n >= d else ZERO


def _ranged(measure: Ranged, n: Decimal, d: int) -> Ratio:
    """Piecewise linear; the first and last segments go on beyond the ends."""
    xs = (measure.baseline, measure.commit, measure.target, measure.stretch)
    ys = measure.scores or DEFAULT_RANGE
    i = min(max(_values_reached(measure, n, d) - 1, 0), 2)
    count, width, rise = Decimal(d), subtract(xs[i + 1], xs[i]), subtract(ys[i + 1], ys[i])
    start = multiply(multiply(ys[i], width), count)
    gone = multiply(subtract(n, multiply(xs[i], count)), rise)
    return add(start, gone), multiply(width, count)


def _values_reached(measure: Ranged, n: Decimal, d: int) -> int:
    """How many of the four values are reached, in the direction in which they run."""
    count, rising = Decimal(d), measure.baseline < measure.stretch
    edges = [multiply(x, count) for x in (measure.baseline, measure.commit, measure.target, measure.stretch)]
    return sum(1 for edge in edges if (n >= edge if rising else n <= edge))


def _checklist(measure: Checklist, done: tuple[str, ...]) -> Ratio | None:
    total = reached = ZERO
    for step in measure.steps:
        total = add(total, step.weight)
        if step.id in done:
            reached = add(reached, step.weight)
    return (reached, total) if total else None


_FORMULAS: dict[type, Callable[[Any, Decimal, int], Decimal | Ratio]] = {
    Increase: _towards,
    Decrease: _towards,
    Reach: _towards,
    StayBelow: _stay_below,
    StayAbove: _stay_above,
    StayBetween: _stay_between,
    DoneOrNot: _done_or_not,
    Ranged: _ranged,
}

_WITH_BASELINE = (Increase, Decrease, Reach)


def baseline_missing(measure: Simple) -> bool:
    """The baseline is still to be found: the part is excluded until it is set."""
    return isinstance(measure, _WITH_BASELINE) and measure.baseline is None


def exact_score(measure: Simple, given: PartInput) -> Decimal | Ratio | None:
    """Before it is divided and rounded; None: no value, or no baseline yet."""
    if type(measure) is Checklist:
        return None if given.done is None else _checklist(measure, given.done)
    if given.value is None or baseline_missing(measure):
        return None
    return _FORMULAS[type(measure)](measure, given.value, given.divisor)


def raw_score(measure: Simple, given: PartInput) -> Decimal | None:
    """The exact quotient rounded once to 12 places; None: no value, or no baseline yet."""
    exact = exact_score(measure, given)
    return quotient(*exact) if type(exact) is tuple else exact  # type: ignore[return-value]


def zone(measure: Simple, given: PartInput) -> str | None:
    """Of a ranged measure with a value: fail, commit, target or stretch."""
    if type(measure) is not Ranged or given.value is None:
        return None
    return ZONES[max(_values_reached(measure, given.value, given.divisor) - 1, 0)]


def within_risk(measure: Simple, given: PartInput) -> bool:
    """Past the limit of stay below / above, but not past its risk value."""
    if type(measure) not in (StayBelow, StayAbove) or given.value is None:
        return False
    bounded: Any = measure
    if bounded.risk is None:
        return False
    count = Decimal(given.divisor)
    limit, risk = multiply(bounded.limit, count), multiply(bounded.risk, count)
    return limit < given.value <= risk if type(measure) is StayBelow else risk <= given.value < limit


def score_part(measure: Simple, given: PartInput) -> PartScore:
    """The part's raw and clamped score, or why there is none."""
    raw = raw_score(measure, given)
    if raw is not None:
        kind = type(measure)
        if kind is Increase or kind is Decrease:
            return PartScore(raw, clamped(raw), MEASURED, given)
        return PartScore(
            raw, clamped(raw), MEASURED, given, zone(measure, given), within_risk(measure, given)
        )
    if given.waiting_for:
        return PartScore(None, None, WAITING, given)
    return PartScore(None, None, NO_BASELINE if baseline_missing(measure) else NOT_MEASURED, given)
