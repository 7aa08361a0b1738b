"""Validated numbers: exact decimals within the digits that facts can hold."""

from __future__ import annotations

from decimal import Decimal

from goal_ledger_domain import limits
from goal_ledger_domain.refusals import Refusal

ZERO = Decimal(0)
"""Every written form of nought becomes this one."""


def _fits(value: Decimal, before: int, after: int) -> bool:
    if not value.is_finite():
        return False
    if not value:
        return True
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if value.adjusted() >= before:
        return False
    if exponent >= -after:
        return True
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return exponent + zeros >= -after


def value(given: Decimal, field: str) -> Decimal:
    """A finite decimal of at most 18 digits before and 6 after the point."""
    if not _fits(given, limits.VALUE_MAX_DIGITS_BEFORE, limits.VALUE_MAX_DIGITS_AFTER):
        raise Refusal(
            "value_not_decimal",
            f"{field} is not a finite decimal of at most {limits.VALUE_MAX_DIGITS_BEFORE} digits before and "
            f"{limits.VALUE_MAX_DIGITS_AFTER} after the point.",
            field=field,
        )
    return given or ZERO


def optional_value(given: Decimal | None, field: str) -> Decimal | None:
    return None if given is None else value(given, field)


def weight(given: Decimal, field: str) -> Decimal:
    """A weight: not negative, at most 6 digits before and 6 after the point."""
    if not _fits(given, limits.WEIGHT_MAX_DIGITS_BEFORE, limits.WEIGHT_MAX_DIGITS_AFTER) or given < 0:
        raise Refusal(
            "weight_not_allowed",
            f"{field} is not 0 or more with at most {limits.WEIGHT_MAX_DIGITS_BEFORE} digits before and "
            f"{limits.WEIGHT_MAX_DIGITS_AFTER} after the point.",
            field=field,
        )
    return given or ZERO
