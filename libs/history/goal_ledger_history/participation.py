"""Who takes part: what became of the due dates of many goals, counted by group and period (SPEC 6).

A goal's due dates count in every group that its owner is in when they end, once in each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from goal_ledger_scoring.numbers import quotient

from goal_ledger_history.duties import LATE, ON_TIME, STATES, heard_since, is_due, is_paused, state_of
from goal_ledger_history.rhythm_at import DuesOfGoal

Groups = tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """Due dates by what became of them, and owners: how many owed, and how many of them met one."""

    on_time: int = 0
    late: int = 0
    missed: int = 0
    pending: int = 0
    owners: int = 0
    owners_heard: int = 0

    @property
    def due(self) -> int:
        return self.on_time + self.late + self.missed + self.pending

    @property
    def rate(self) -> Decimal | None:
        """Those met, on time or late, of those that are met or missed; None: neither."""
        met = self.on_time + self.late
        return quotient(Decimal(met), Decimal(met + self.missed)) if met + self.missed else None

    def add(self, other: Tally) -> None:
        """What another counted too."""
        self.on_time += other.on_time
        self.late += other.late
        self.missed += other.missed
        self.pending += other.pending
        self.owners += other.owners
        self.owners_heard += other.owners_heard


@dataclass(slots=True)
class _Alike:
    """The owners that are in the same groups in a period."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    owners: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)

    def tally(self) -> Tally:
        by_state = {name: self.counts[name] for name in STATES}
        return Tally(**by_state, owners=len(self.owners), owners_heard=len(self.heard))


def participation(
    many: Iterable[DuesOfGoal],
    starts: Sequence[date],
    groups_of: Callable[[str, int], Groups],
    at: datetime,
) -> dict[str, list[Tally]]:
    """By group a tally for each period. ``starts``: the first days of the periods; ``groups_of``: the groups of an owner in
    a period, by its number."""
    alike: defaultdict[tuple[int, Groups], _Alike] = defaultdict(_Alike)
    of_owner: dict[tuple[str, int], _Alike] = {}
    periods = _Periods(starts)
    for one in many:
        goal, words, waited, pauses = one.owing.goal, one.words, one.owing.waited, one.owing.pauses
        owner = goal.owner
        for since, due in one.dues:
            if not is_due(goal, due) or is_paused(pauses, due):
                continue
            period = periods[due.day]
            counted = of_owner.get((owner, period))
            if counted is None:
                counted = of_owner[owner, period] = alike[period, groups_of(owner, period)]
                counted.owners.add(owner)
            state = state_of(due, heard_since(words, waited, since) if words else None, at)
            counted.counts[state] += 1
            if state is ON_TIME or state is LATE:
                counted.heard.add(owner)
    return _by_group(alike, len(starts))


class _Periods(dict[date, int]):
    """The number of the period that a day lies in, found once."""

    def __init__(self, starts: Sequence[date]) -> None:
        self._starts = starts

    def __missing__(self, day: date) -> int:
        found = self[day] = bisect_right(self._starts, day) - 1
        return found


def _by_group(alike: dict[tuple[int, Groups], _Alike], periods: int) -> dict[str, list[Tally]]:
    found: dict[str, list[Tally]] = {}
    for (period, groups), counted in alike.items():
        tally = counted.tally()
        for group in groups:
            series = found.get(group)
            if series is None:
                series = found[group] = [Tally() for _ in range(periods)]
            series[period].add(tally)
    return found
