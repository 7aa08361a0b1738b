"""Exact arithmetic with one rounding.

Sums, differences and products are exact (``EXACT`` raises if one were not). A raw score or a roll-up is the exact
quotient of two of them, rounded once, half-even, to 12 decimal places (SPEC 5).

The quotient of two decimals rarely ends, so it is first cut to 60 digits with ROUND_05UP. That mode was made for a
second rounding: it never leaves a last digit of 0 or 5 behind unless the cut was exact, so that rounding its result to
fewer digits gives what rounding the exact quotient would (General Decimal Arithmetic specification, "round-05up").
No quotient here has more than 26 digits before the point, so 60 digits always reach beyond the 12th place.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_05UP, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from goal_ledger_contracts.canonical import EXACT

ZERO = Decimal(0)
ONE = Decimal(1)

_PLACES = Decimal("0.000000000001")
_MEAN_PLACES = Decimal("0.000001")
_DISPLAY_PLACES = Decimal("0.0001")
_CUT = Context(prec=60, rounding=ROUND_05UP, traps=[InvalidOperation, DivisionByZero, Overflow])
_ROUND = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])

subtract = EXACT.subtract
multiply = EXACT.multiply
add = EXACT.add
_divide = _CUT.divide
_quantize = _ROUND.quantize
_multiply_add = EXACT.fma


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """The exact quotient, rounded once, half-even, to 12 decimal places. Raises ZeroDivisionError."""
    return _quantize(_divide(numerator, denominator), _PLACES)


def shown_mean(total: Decimal, count: int) -> Decimal:
    """A mean of readings as it is shown: 6 places, half-even. It enters scores unrounded."""
    return _quantize(_divide(total, Decimal(count)), _MEAN_PLACES)


def displayed(score: Decimal) -> Decimal:
    """A score as people see it: 4 places, half-even."""
    return _quantize(score, _DISPLAY_PLACES)


def clamped(raw: Decimal) -> Decimal:
    """The raw score held within [0, 1]."""
    return ZERO if raw <= ZERO else ONE if raw >= ONE else raw


def beyond(raw: Decimal) -> Decimal:
    """What lies above 1: max(0, raw - 1)."""
    return subtract(raw, ONE) if raw > ONE else ZERO


def weighted_mean(weighted: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Of (weight, score) pairs; None if there are none or all weights are 0."""
    total = weights = ZERO
    for weight, score in weighted:
        total = _multiply_add(weight, score, total)
        weights = add(weights, weight)
    return quotient(total, weights) if weights else None
