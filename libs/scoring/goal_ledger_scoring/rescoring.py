"""The scores of a tree of goals (:mod:`roll_up`), kept while goals change one by one: only what changed and what it
counts in is computed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from goal_ledger_scoring.inputs import GoalInput, KeyResultInput
from goal_ledger_scoring.results import GoalScore
from goal_ledger_scoring.roll_up import Scored, counting, score_goal, score_tree

Rescorings = dict[str, tuple[GoalScore | None, GoalScore | None]]
"""By goal: its score before and after."""


class Rescored:
    """One set of definitions: as committed, or as amended."""

    def __init__(self, beside: Rescored | None = None) -> None:
        """``beside``: the other set, always brought up to date before this one: what is the same in both is scored once."""
        self._beside = beside
        self.scores: dict[str, GoalScore] = {}
        self._goals: dict[str, GoalInput] = {}
        self._kept: dict[str, GoalScore] = {}
        self._scored: Scored = {} if beside is None else beside._scored
        self._beneath: dict[str, set[str]] = {}
        self._above: defaultdict[str, set[str]] = defaultdict(set)
        self._touched: set[str] = set()
        self._loops = False

    def put(self, goal: GoalInput, kept: GoalScore | None = None) -> None:
        """A goal's input, in place of an earlier one. ``kept``: what it scores, whatever counts in it."""
        before = self._goals.get(goal.id)
        if before is not None:
            if goal == before and kept is self._kept.get(goal.id):
                return
            goal = replace(goal, key_results=_same_where_equal(before.key_results, goal.key_results))
        self._put_away(goal.id, goal.key_results)
        self._goals[goal.id] = goal
        if kept is not None:
            self._kept[goal.id] = kept
        beneath = self._beneath[goal.id] = {link.child for link in counting(goal)} if goal.children else set()
        for child in beneath:
            self._above[child].add(goal.id)

    def remove(self, id: str) -> None:
        """The goal is not there any more."""
        self._put_away(id, ())

    def _put_away(self, name: str, still_used: Sequence[KeyResultInput]) -> None:
        """Scores go by the identity of their inputs, which another may have once these are gone."""
        self._touched.add(name)
        before = self._goals.pop(name, None)
        if before is None:
            return
        used = {id(one) for one in still_used}
        for one in before.key_results:
            if id(one) not in used:
                self._scored.pop(id(one), None)
        self._kept.pop(name, None)
        for child in self._beneath.pop(name):
            self._above[child].discard(name)

    def update(self) -> Rescorings:
        """Bring the scores up to date."""
        order = None if self._loops else self._children_first(self._with_above(self._touched))
        if order is None:
            found = self._all()
        else:
            found = {}
            for id in order:
                self._update(id, found)
        self._touched = set()
        return found

    def _with_above(self, ids: Iterable[str]) -> set[str]:
        """These, and all that they count in."""
        found, waiting = set(ids), list(ids)
        while waiting:
            for parent in self._above.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def _children_first(self, ids: set[str]) -> list[str] | None:
        """None: some of them count in themselves."""
        waiting = {id: len(self._beneath.get(id, set()) & ids) for id in ids}
        ready = [id for id, left in waiting.items() if not left]
        found: list[str] = []
        while ready:
            id = ready.pop()
            found.append(id)
            for parent in self._above.get(id, ()):
                waiting[parent] -= 1
                if not waiting[parent]:
                    ready.append(parent)
        return found if len(found) == len(ids) else None

    def _update(self, id: str, found: Rescorings) -> None:
        if id not in self._touched and not (self._beneath[id] & found.keys()):
            return
        before, goal = self.scores.pop(id, None), self._goals.get(id)
        after = None
        if goal is not None:
            known = self._kept.get(id) or self._known_beside(goal)
            after = known or score_goal(goal, self._goals, self.scores, self._scored)
            self.scores[id] = after
        found[id] = (before, after)

    def _known_beside(self, goal: GoalInput) -> GoalScore | None:
        """What the same goal scores in the other set, if the same scores are beneath it there."""
        other = self._beside
        if other is None or goal.id in other._kept or other._goals.get(goal.id) != goal:
            return None
        if any(other.scores.get(one) is not self.scores.get(one) for one in self._beneath[goal.id]):
            return None
        return other.scores.get(goal.id)

    def _all(self) -> Rescorings:
        """With loops every goal is scored anew: a link left out here may count there."""
        before, self.scores = self.scores, score_tree(self._goals) | self._kept
        self._loops = self._children_first(set(self._goals)) is None
        ids = before.keys() | self.scores.keys()
        return {id: (before.get(id), self.scores.get(id)) for id in ids}


def _same_where_equal(
    before: Sequence[KeyResultInput], after: Sequence[KeyResultInput]
) -> tuple[KeyResultInput, ...]:
    """Those after; the same objects as before where nothing of them changed."""
    known = {one.id: one for one in before}
    return tuple([known[one.id] if known.get(one.id) == one else one for one in after])
