"""Where a goal ought to be by now: time gone over time in all."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from goal_ledger_scoring.numbers import ONE, ZERO, quotient
from goal_ledger_scoring.windows import Span

_MICROSECOND = timedelta(microseconds=1)


def expected_score(span: Span | None, at: datetime) -> Decimal | None:
    """(at - start) / (end - start), held within [0, 1], the exact quotient rounded once to 12 places (SPEC 5).

    None: the span has no start or no end.
    """
    if span is None or span.start is None or span.end is None or span.end <= span.start:
        return None
    if at <= span.start:
        return ZERO
    if at >= span.end:
        return ONE
    gone, whole = (at - span.start) // _MICROSECOND, (span.end - span.start) // _MICROSECOND
    return quotient(Decimal(gone), Decimal(whole))
