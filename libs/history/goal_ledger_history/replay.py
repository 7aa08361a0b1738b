"""How one objective's scores move as fact after fact counts: only the goals that a fact touches are computed anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from goal_ledger_contracts.envelope import Fact
from goal_ledger_scoring.rescoring import Rescored, Rescorings
from goal_ledger_scoring.results import GoalScore

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.children import counted_children
from goal_ledger_history.from_facts import answered, history_of
from goal_ledger_history.plan import Plan
from goal_ledger_history.touched import Touched, counts_at_once
from goal_ledger_history.values_in_facts import takes_effect_at

KNOWN_AT, AS_OF = "known_at", "as_of"


@dataclass(frozen=True, slots=True)
class State:
    """The objective's scores; ``changed``: of the goals as amended that the last step changed."""

    amended: GoalScore | None
    committed: GoalScore | None
    changed: Rescorings


ReplayStep = tuple[str, Fact | None, State]


class Replay:
    """``facts``: all that the objective ``root`` depends on, in seq order (:mod:`from_facts`)."""

    def __init__(self, facts: Sequence[Fact], root: str) -> None:
        self._facts, self._root = facts, root
        self._later: set[int] = set()
        self._history = history_of(facts, later=self._later)
        self._touched = Touched(facts)
        self._plans: dict[str, Plan] = {}
        self._beneath: dict[str, set[str]] = {}
        self._within = {root}
        self._amended = Rescored()
        self._committed = Rescored(beside=self._amended)

    def begin(self, at: AsOf) -> State:
        """Everything computed at one moment, where the replay begins."""
        return self._moved_to(at, None)

    def computed(self, at: AsOf) -> State:
        """The same without anything computed before."""
        tree = answered(self._history.scored(at, self._root))
        return State(tree.amended.get(self._root), tree.committed.get(self._root), {})

    def along_known_at(self, start: AsOf, upto: int) -> Iterator[ReplayStep]:
        """Every fact learnt since, at the old moment."""
        for fact in self._facts:
            counts = takes_effect_at(fact) <= start.true_at or counts_at_once(fact)
            if start.known_to < fact.seq <= upto and counts:
                at = AsOf(start.true_at, fact.seq)
                yield KNOWN_AT, fact, self._moved_to(at, self._touched.by(fact))

    def along_as_of(self, start: AsOf, end: AsOf) -> Iterator[ReplayStep]:
        """Everything that took effect since, by what is known in the end; of one instant one after another."""
        instants: defaultdict[datetime, list[Fact]] = defaultdict(list)
        for fact in self._facts:
            if fact.seq <= end.known_to and start.true_at < (time := takes_effect_at(fact)) <= end.true_at:
                instants[time].append(fact)
        for time, facts in sorted(instants.items()):
            self._later.update(fact.seq for fact in facts)
            for fact in facts:
                self._later.discard(fact.seq)
                yield AS_OF, fact, self._moved_to(AsOf(time, end.known_to), self._touched.by(fact))

    def _moved_to(self, at: AsOf, touched: set[str] | None) -> State:
        self._plan(at, self._within if touched is None else touched & self._within)
        changed = self._amended.update()
        self._committed.update()
        return State(self._amended.scores.get(self._root), self._committed.scores.get(self._root), changed)

    def _plan(self, at: AsOf, ids: Iterable[str]) -> None:
        """Give these goals the inputs of the moment, and those that come to count beneath them."""
        waiting = set(ids)
        while waiting:
            plans = answered(self._history.ready(at, sorted(waiting)))
            is_same = True
            for id in waiting:
                is_same = self._put(id, plans.get(id)) and is_same
            waiting = set() if is_same else self._newly_within()

    def _put(self, id: str, plan: Plan | None) -> bool:
        """Whether the same goals count in it as before."""
        before = self._beneath.get(id, set())
        if plan is None:
            self._drop(id)
            return not before
        kept = self._history.kept_scores(plan) or (None, None)
        self._amended.put(plan.amended, kept[0])
        self._committed.put(plan.as_committed, kept[1])
        self._plans[id] = plan
        self._beneath[id] = counted_children(self._history.background, plan)
        return self._beneath[id] == before

    def _drop(self, id: str) -> None:
        self._plans.pop(id, None)
        self._beneath.pop(id, None)
        self._amended.remove(id)
        self._committed.remove(id)

    def _newly_within(self) -> set[str]:
        """The goals that count in the root since this step; those that no longer do are dropped."""
        within, waiting = {self._root}, [self._root]
        while waiting:
            new = self._beneath.get(waiting.pop(), set()) - within
            within |= new
            waiting.extend(new)
        for id in self._within - within:
            self._drop(id)
        found, self._within = within - self._within, within
        return found
