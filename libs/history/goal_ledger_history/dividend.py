"""The amendment dividend: what amendments added to scores, amended minus committed score (SPEC 3), over many goals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from goal_ledger_scoring.numbers import ZERO, add, quotient, subtract

from goal_ledger_history.statuses import Standing


@dataclass(slots=True)
class Dividend:
    """``goals``: those with a commitment; ``measured``: those of them with both scores; ``raised``, ``lowered``: those whose
    score as amended is above, or below, that as committed."""

    goals: int = 0
    measured: int = 0
    raised: int = 0
    lowered: int = 0
    total: Decimal = ZERO

    @property
    def mean(self) -> Decimal | None:
        """Of the measured goals; None: there is none."""
        return quotient(self.total, Decimal(self.measured)) if self.measured else None

    def count(self, one: Standing) -> None:
        """One goal more."""
        self.goals += 1
        amended, committed = one.amended.score, one.as_committed.score
        if amended is None or committed is None:
            return
        difference = subtract(amended, committed)
        self.measured += 1
        self.raised += difference > 0
        self.lowered += difference < 0
        self.total = add(self.total, difference)


def dividends(
    standings: Iterable[Standing], groups_of: Callable[[Standing], Iterable[str]]
) -> dict[str, Dividend]:
    """By group. A goal that was never activated has no commitment and counts nowhere."""
    found: dict[str, Dividend] = {}
    for one in standings:
        if one.committed is not None:
            for group in groups_of(one):
                found.setdefault(group, Dividend()).count(one)
    return found
