"""The scores of a tree of goals (:mod:`roll_up`), kept while goals change one by one: only what changed and what it
counts in is computed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from goal_ledger_scoring.inputs import GoalInput
from goal_ledger_scoring.results import GoalScore
from goal_ledger_scoring.roll_up import Scored, counting, score_goal, score_tree

Rescorings = dict[str, tuple[GoalScore | None, GoalScore | None]]
"""By goal: its score before and after."""


class Rescored:
    """One set of definitions: as committed, or as amended."""

    def __init__(self) -> None:
        self.scores: dict[str, GoalScore] = {}
        self._goals: dict[str, GoalInput] = {}
        self._kept: dict[str, GoalScore] = {}
        self._scored: Scored = {}
        self._beneath: dict[str, set[str]] = {}
        self._above: defaultdict[str, set[str]] = defaultdict(set)
        self._touched: set[str] = set()
        self._loops = False

    def put(self, goal: GoalInput, kept: GoalScore | None = None) -> None:
        """A goal's input, in place of an earlier one. ``kept``: what it scores, whatever counts in it."""
        self.remove(goal.id)
        self._goals[goal.id] = goal
        if kept is not None:
            self._kept[goal.id] = kept
        beneath = self._beneath[goal.id] = {link.child for link in counting(goal)} if goal.children else set()
        for child in beneath:
            self._above[child].add(goal.id)

    def remove(self, id: str) -> None:
        """The goal is not there any more."""
        self._touched.add(id)
        before = self._goals.pop(id, None)
        if before is None:
            return
        self._forget(before)
        self._kept.pop(id, None)
        for child in self._beneath.pop(id):
            self._above[child].discard(id)

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
            after = self._kept.get(id) or score_goal(goal, self._goals, self.scores, self._scored)
            self.scores[id] = after
        found[id] = (before, after)

    def _all(self) -> Rescorings:
        """With loops every goal is scored anew: a link left out here may count there."""
        before, self.scores = self.scores, score_tree(self._goals) | self._kept
        self._loops = self._children_first(set(self._goals)) is None
        ids = before.keys() | self.scores.keys()
        return {id: (before.get(id), self.scores.get(id)) for id in ids}

    def _forget(self, goal: GoalInput) -> None:
        """Scores go by the identity of their inputs, which another may have once these are gone."""
        for one in goal.key_results:
            self._scored.pop(id(one), None)
