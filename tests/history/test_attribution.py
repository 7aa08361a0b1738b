"""What lies between two answers is told fact by fact and adds up to the last digit, whatever was lived."""

from __future__ import annotations

import os

import pytest
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.attribution import Attribution, MovedSubject, attribute
from goal_ledger_history.before_it_existed import standing_at
from goal_ledger_history.causes import CAUSES
from goal_ledger_history.from_facts import answered, history_of
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_scoring.numbers import ZERO
from history.lives import Life

LIVES = int(os.environ.get("JUDGED_LIVES", "25"))
FIRST = int(os.environ.get("JUDGED_FROM", "0"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + LIVES))
def test_the_parts_add_up_on_random_lives(seed: int) -> None:
    life = Life(seed)
    history = history_of(life.facts)
    for _ in range(2):
        start, end = _two_sides(life)
        for goal in life.goals[:3]:
            for key_result in (None, *list(goal.key_results)[:1]):
                found = attribute(life.facts, MovedSubject(goal.id, key_result), start, end)
                _check(found, history, MovedSubject(goal.id, key_result), start, end)


def _two_sides(life: Life) -> tuple[AsOf, AsOf]:
    one, other = life.asked(), life.asked()
    times, known = sorted((one.true_at, other.true_at)), sorted((one.known_to, other.known_to))
    return AsOf(times[0], known[0]), AsOf(times[1], known[1])


def _check(found: Attribution, history: ScoresAt, subject: MovedSubject, start: AsOf, end: AsOf) -> None:
    for at, told in ((start, found.start), (end, found.end)):
        assert told == _answer(history, subject, at), (subject, at)
    for side, name in ((0, "amended"), (1, "committed")):
        parts = sum((getattr(one.moved, name) for one in found.changes), ZERO)
        assert parts == (found.end[side] or 0) - (found.start[side] or 0), (subject, start, end)
    for one in found.changes:
        assert one.cause in CAUSES
        assert one.fact is not None, "nothing moves a score by time alone"
        if subject.key_result is None:
            assert sum(one.children.values()) == one.moved.amended, (subject, one)


def _answer(history: ScoresAt, subject: MovedSubject, at: AsOf) -> tuple[object, object]:
    """As the objective's, or the key result's, own answer has it."""
    standing = answered(standing_at(history, subject.objective, at))
    if standing is None:
        return None, None
    sides = standing.amended, standing.as_committed
    if subject.key_result is None:
        return sides[0].score, sides[1].score
    found = [one.key_results.get(subject.key_result) for one in sides]
    scores = [None if one is None else one.score for one in found]
    return scores[0], scores[1]
