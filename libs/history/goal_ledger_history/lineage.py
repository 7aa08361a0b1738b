"""A goal through its cycles: what was carried over, how often the target was lowered, how much of the ambition is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from goal_ledger_contracts.measures import Checklist
from goal_ledger_scoring.numbers import ONE, ZERO, quotient, subtract, weighted_mean

from goal_ledger_history.goalposts import target_eased
from goal_ledger_history.goals import Goal, KeyResult


@dataclass(frozen=True, slots=True)
class LineageStep:
    """One objective of a lineage: its definitions in seq order. ``carried_from``: by key result the one that it continues."""

    definitions: Sequence[Goal]
    carried_from: Mapping[str, str | None]

    @property
    def now(self) -> Goal:
        return self.definitions[-1]

    def commitments(self) -> Sequence[Goal]:
        """The definitions from the first activation on; of one never activated the last."""
        since = self.now.activated_seq
        return [self.now] if since is None else [one for one in self.definitions if one.seq >= since]


@dataclass(frozen=True, slots=True)
class MeasureDefined:
    """A measure that a key result was committed to; ``seq``: the fact that set it."""

    objective: str
    key_result: KeyResult
    seq: int


@dataclass(frozen=True, slots=True)
class KeyResultLineage:
    """``measures`` in order; ``lowered``: the seqs of those that were easier than the one before. ``kept``: how much of the
    first one's ambition the last asks for; 0: it was dropped or left behind; None: it has no distance."""

    measures: Sequence[MeasureDefined]
    lowered: Sequence[int]
    kept: Decimal | None

    @property
    def ids(self) -> list[str]:
        """One for each objective that it was in."""
        return list(dict.fromkeys(one.key_result.id for one in self.measures))


@dataclass(frozen=True, slots=True)
class GoalLineage:
    """``kept``: the mean of what is kept of the first objective's key results (None: none of them has a distance)."""

    carried_over: int
    lowered: int
    kept: Decimal | None
    key_results: Sequence[KeyResultLineage]


def lineage(steps: Sequence[LineageStep]) -> GoalLineage:
    """``steps``: the objectives, the earliest first."""
    found = [
        _key_result(steps, n, one)
        for n, step in enumerate(steps)
        for one in _committed_to(step)
        if not n or step.carried_from.get(one) is None
    ]
    first = [one.kept for one in found if one.measures[0].objective == steps[0].now.id]
    kept = weighted_mean([(ONE, one) for one in first if one is not None])
    return GoalLineage(len(steps) - 1, sum(len(one.lowered) for one in found), kept, found)


def _committed_to(step: LineageStep) -> list[str]:
    return list(dict.fromkeys(one.id for goal in step.commitments() for one in goal.key_results))


def _key_result(steps: Sequence[LineageStep], n: int, id: str) -> KeyResultLineage:
    measures, last = list(_measures(steps[n], id)), (steps[n], id)
    for step in steps[n + 1 :]:
        into = next((new for new, old in step.carried_from.items() if old == last[1]), None)
        if into is None:
            return KeyResultLineage(measures, _lowered(measures), ZERO)
        measures, last = [*measures, *_measures(step, into)], (step, into)
    there = last[0].now.key_result(last[1])
    is_gone = there is None or there.dropped
    return KeyResultLineage(measures, _lowered(measures), ZERO if is_gone else _kept(measures))


def _measures(step: LineageStep, id: str) -> Iterator[MeasureDefined]:
    """One for each time that it was set."""
    seen: set[int] = set()
    for goal in step.commitments():
        one = goal.key_result(id)
        if one is not None and one.measure_seq not in seen:
            seen.add(one.measure_seq)
            yield MeasureDefined(goal.id, one, one.measure_seq)


def _lowered(measures: Sequence[MeasureDefined]) -> list[int]:
    pairs = pairwise(measures)
    return [
        after.seq
        for before, after in pairs
        if target_eased(before.key_result.measure, after.key_result.measure) > 0
    ]


def _kept(measures: Sequence[MeasureDefined]) -> Decimal | None:
    """(last target - first baseline) / (first target - first baseline); of a checklist its steps; None: of another kind."""
    first: Any = measures[0].key_result.measure
    last: Any = measures[-1].key_result.measure
    if type(first) is not type(last):
        return None
    if isinstance(first, Checklist):
        return quotient(Decimal(len(last.steps)), Decimal(len(first.steps)))
    baseline = getattr(first, "baseline", None)
    if baseline is None or first.target == baseline:
        return None
    return quotient(subtract(last.target, baseline), subtract(first.target, baseline))
