"""What moved a score between two answers, fact by fact (SPEC 5 "Explain").

One fact at a time is replayed: first along ``known_at``, in seq order at the old ``as_of``; then along ``as_of``, in
(effective_at, seq) order as known at the new position. Each part is the difference between two scores that follow each
other, so the parts add up exactly. A score that is not measured is taken as 0 in the sum, and the cause says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from goal_ledger_contracts.envelope import Fact
from goal_ledger_scoring.numbers import ZERO, subtract, weighted_mean
from goal_ledger_scoring.rescoring import Rescorings
from goal_ledger_scoring.results import Counted, GoalScore

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.causes import (
    FIRST_MEASURED,
    NO_LONGER_MEASURED,
    WINDOW_CLOSED,
    cause_of,
    is_of_value,
)
from goal_ledger_history.replay import AS_OF, Replay, State


@dataclass(frozen=True, slots=True)
class MovedSubject:
    """What is asked about: an objective, or a key result of it."""

    objective: str
    key_result: str | None = None


@dataclass(frozen=True, slots=True)
class ScoresMoved:
    """By how much a score as amended, and as committed, moved."""

    amended: Decimal = ZERO
    committed: Decimal = ZERO

    def __bool__(self) -> bool:
        return bool(self.amended or self.committed)


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One fact's part. ``fact`` None: time alone. ``along``: the clock that was moved over it. ``children``: by how much
    each child moved the score as amended."""

    cause: str
    along: str
    fact: Fact | None
    moved: ScoresMoved
    before: Decimal | None
    after: Decimal | None
    children: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attribution:
    """The scores (as amended, as committed) at both ends, and what lies between."""

    start: tuple[Decimal | None, Decimal | None]
    end: tuple[Decimal | None, Decimal | None]
    changes: list[ScoreChange]


@dataclass(frozen=True, slots=True)
class _Standing:
    amended: Decimal | None
    committed: Decimal | None
    counted: tuple[Counted, ...]


def attribute(facts: Sequence[Fact], subject: MovedSubject, start: AsOf, end: AsOf) -> Attribution:
    """``facts``: all that the subject depends on, in seq order (:mod:`from_facts`). Neither clock goes back from ``start``
    to ``end``."""
    replay = Replay(facts, subject.objective)
    first = now = _standing(replay.begin(start), subject)
    changes: list[ScoreChange] = []
    for steps in (replay.along_known_at(start, end.known_to), replay.along_as_of(start, end)):
        for along, fact, state in steps:
            before, now = now, _standing(state, subject)
            changes += _change(facts, (along, fact), (before, now), state.changed)
    before, now = now, _standing(replay.computed(end), subject)
    changes += _change(facts, (AS_OF, None), (before, now), {})
    return Attribution((first.amended, first.committed), (now.amended, now.committed), changes)


def _standing(state: State, subject: MovedSubject) -> _Standing:
    scores = _score(state.amended, subject), _score(state.committed, subject)
    return _Standing(*scores, _counted(state.amended, subject))


def _score(goal: GoalScore | None, subject: MovedSubject) -> Decimal | None:
    if goal is None or subject.key_result is None:
        return None if goal is None else goal.score
    one = goal.key_results.get(subject.key_result)
    return None if one is None else one.score


def _counted(goal: GoalScore | None, subject: MovedSubject) -> tuple[Counted, ...]:
    """The children of the subject's mean; none of a key result that is not measured by others."""
    if goal is None or subject.key_result is None:
        return () if goal is None else goal.counted
    one = goal.key_results.get(subject.key_result)
    return () if one is None else one.counted


def _change(
    facts: Sequence[Fact],
    step: tuple[str, Fact | None],
    sides: tuple[_Standing, _Standing],
    changed: Rescorings,
) -> list[ScoreChange]:
    """The step's part; none if neither score moved."""
    (along, fact), (before, after) = step, sides
    if (before.amended, before.committed) == (after.amended, after.committed):
        return []
    moved = ScoresMoved(_moved(before.amended, after.amended), _moved(before.committed, after.committed))
    cause = WINDOW_CLOSED if fact is None else _cause(facts, along, fact, sides, changed)
    children = _by_child(before.counted, after.counted)
    return [ScoreChange(cause, along, fact, moved, before.amended, after.amended, children)]


def _cause(
    facts: Sequence[Fact], along: str, fact: Fact, sides: tuple[_Standing, _Standing], changed: Rescorings
) -> str:
    """Of a value: whether it is the first, or the last is gone, of its key result; of all others, of the subject."""
    had, has = (one.amended is not None for one in sides)
    if is_of_value(fact):
        before, after = _measured(changed, 0), _measured(changed, 1)
        had, has = had and not after - before, has and not before - after
    if had != has:
        return FIRST_MEASURED if has else NO_LONGER_MEASURED
    return cause_of(fact, facts, known_already=along == AS_OF)


def _measured(changed: Rescorings, side: int) -> set[str]:
    goals = [scores[side] for scores in changed.values()]
    return {
        one.id
        for goal in goals
        if goal is not None
        for one in goal.key_results.values()
        if one.score is not None
    }


def _moved(before: Decimal | None, after: Decimal | None) -> Decimal:
    return subtract(after or ZERO, before or ZERO)


def _by_child(before: Sequence[Counted], after: Sequence[Counted]) -> dict[str, Decimal]:
    """The children's entries put in place of the old ones, one after another: what each step moves is that child's."""
    old, new = ({one.ref: (one.weight, one.score) for one in side} for side in (before, after))
    found: dict[str, Decimal] = {}
    score = weighted_mean(old.values())
    for ref in sorted(old.keys() | new.keys()):
        if old.get(ref) == new.get(ref):
            continue
        if ref in new:
            old[ref] = new[ref]
        else:
            del old[ref]
        then, score = score, weighted_mean(old.values())
        found[ref] = _moved(then, score)
    return found
