"""Attribution tells the same story as the naive reading of SPEC 5 and 7, which shares no code with it: what each fact
learnt moved at the old moment, and what each instant moved by what is known in the end."""

from __future__ import annotations

import os
from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.attribution import Attribution, MovedSubject, attribute
from goal_ledger_history.replay import KNOWN_AT
from goal_ledger_history.values_in_facts import takes_effect_at
from history.lives import Life
from reading import naive
from reading.log import read

LIVES = int(os.environ.get("JUDGED_LIVES", "4"))
FIRST = int(os.environ.get("JUDGED_FROM", "0"))
Scores = tuple[Fraction, Fraction]


@pytest.mark.parametrize("seed", range(FIRST, FIRST + LIVES))
def test_each_fact_moves_what_the_naive_reading_says(seed: int) -> None:
    life = Life(seed)
    log, goal = read(life.stored), life.goals[0].id
    start = AsOf(life.facts[len(life.facts) // 2].recorded_at, len(life.facts) // 2)
    end = AsOf(life.now, len(life.facts))

    found = attribute(life.facts, MovedSubject(goal), start, end)

    def scores(at: AsOf) -> Scores:
        one = naive.objectives(log, at.true_at, at.known_to).get(goal, {})
        return one.get("score") or Fraction(0), one.get("score_committed") or Fraction(0)

    learnt, took_effect = _by_seq(found), _by_instant(found)
    before = scores(start)
    for seq in range(start.known_to + 1, end.known_to + 1):
        after = scores(AsOf(start.true_at, seq))
        assert learnt[seq] == _moved(before, after), (seed, seq)
        before = after
    instants = {takes_effect_at(one) for one in life.facts}
    for instant in sorted(one for one in instants if start.true_at < one <= end.true_at):
        after = scores(AsOf(instant, end.known_to))
        assert took_effect[instant] == _moved(before, after), (seed, instant)
        before = after
    assert before == scores(end)


def _moved(before: Scores, after: Scores) -> Scores:
    return after[0] - before[0], after[1] - before[1]


def _nothing() -> Scores:
    return Fraction(0), Fraction(0)


def _by_seq(found: Attribution) -> dict[int, Scores]:
    moved: defaultdict[int, Scores] = defaultdict(_nothing)
    for one in found.changes:
        if one.along == KNOWN_AT and one.fact is not None:
            moved[one.fact.seq] = Fraction(one.moved.amended), Fraction(one.moved.committed)
    return moved


def _by_instant(found: Attribution) -> dict[Any, Scores]:
    moved: defaultdict[Any, Scores] = defaultdict(_nothing)
    for one in found.changes:
        if one.along != KNOWN_AT and one.fact is not None:
            at = takes_effect_at(one.fact)
            amended, committed = moved[at]
            moved[at] = amended + Fraction(one.moved.amended), committed + Fraction(one.moved.committed)
    return moved
