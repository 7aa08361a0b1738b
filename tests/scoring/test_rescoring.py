"""Scores kept while goals change one by one are those of the whole tree, also where links close a loop."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from goal_ledger_contracts.measures import Increase
from goal_ledger_scoring.inputs import BOTH, ChildLink, GoalInput, KeyResultInput, PartInput
from goal_ledger_scoring.rescoring import Rescored
from goal_ledger_scoring.roll_up import score_tree

GOALS = 8
TEN = Increase(target=Decimal(10), baseline=Decimal(0))


def goal(chosen: random.Random, number: int, *, loops: bool) -> GoalInput:
    value = chosen.choice((None, Decimal(chosen.randint(0, 12))))
    one = KeyResultInput(f"k{number}", TEN, values={"value": PartInput(value)})
    below = range(GOALS) if loops else range(number + 1, GOALS)
    children = chosen.sample(list(below), min(len(below), 2))
    links = tuple(ChildLink(f"g{child}", seq=child) for child in children if child != number)
    return GoalInput(f"g{number}", (one,), links, BOTH, activated_seq=number)


@pytest.mark.parametrize("seed", range(40))
def test_scores_kept_up_to_date_are_those_of_the_whole_tree(seed: int) -> None:
    chosen = random.Random(seed)
    goals: dict[str, GoalInput] = {}
    kept = Rescored()
    for _ in range(40):
        for number in chosen.sample(range(GOALS), chosen.randint(1, 3)):
            id = f"g{number}"
            if chosen.random() < 0.2:
                goals.pop(id, None)
                kept.remove(id)
            else:
                goals[id] = goal(chosen, number, loops=seed % 2 == 1)
                kept.put(goals[id])
        before = {id: one.score for id, one in kept.scores.items()}

        moved = kept.update()

        scores = {id: one.score for id, one in score_tree(goals).items()}
        assert {id: one.score for id, one in kept.scores.items()} == scores
        unlike = {id for id in before.keys() | scores.keys() if before.get(id) != scores.get(id)}
        assert unlike <= moved.keys()


@pytest.mark.parametrize("seed", range(40))
def test_two_sets_side_by_side_score_as_each_alone(seed: int) -> None:
    chosen = random.Random(seed)
    amended = Rescored()
    both = {"amended": amended, "committed": Rescored(beside=amended)}
    goals: dict[str, dict[str, GoalInput]] = {name: {} for name in both}
    for _ in range(40):
        for number in chosen.sample(range(GOALS), 3):
            same = goal(chosen, number, loops=seed % 2 == 1)
            for name, kept in both.items():
                id, draw = f"g{number}", chosen.random()
                if draw < 0.1:
                    goals[name].pop(id, None)
                    kept.remove(id)
                else:
                    goals[name][id] = same if draw < 0.7 else goal(chosen, number, loops=seed % 2 == 1)
                    kept.put(goals[name][id])

        for name, kept in both.items():
            kept.update()
            assert {id: one.score for id, one in kept.scores.items()} == {
                id: one.score for id, one in score_tree(goals[name]).items()
            }, (seed, name)
