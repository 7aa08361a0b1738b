"""Which goals' answers a fact may change, so that not all are derived anew after each.

A fact of an objective: that objective and those it counts in, to the top. A fact of a feed: the goals that are fed by it,
by their definition or by their commitment, and those they count in. A fact of what all goals may depend on (policies,
moments, cycles, units, links): all. Any other: none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Background
from goal_ledger_history.plan import Plan

from goal_ledger_projection.read_models.definitions import CONTEXT_FACTS

_CONTEXT = frozenset(CONTEXT_FACTS)


class GoalsReached:
    """Of one workspace at one moment; brought up to date with each goal that is derived."""

    def __init__(self, background: Background, at: AsOf, plans: Mapping[str, Plan]) -> None:
        holder = {one.id: id for id, plan in plans.items() for one in plan.goal.key_results}
        self.goals = set(plans)
        self.closed: set[str] = set()
        self._above: dict[str, set[str]] = {}
        self._feeds: dict[str, set[str]] = {}
        self._fed: defaultdict[str, set[str]] = defaultdict(set)
        for id, plan in plans.items():
            parents = (link.parent for link in background.links_of(id, at.known_to, at.true_at))
            self._above[id] = {_objective(parent, holder) for parent in parents} & plans.keys()
            self.learn(plan)

    def learn(self, plan: Plan) -> None:
        """A goal as it is defined now; its links are not looked at."""
        id = plan.goal.id
        self.goals.add(id)
        (self.closed.add if plan.is_closed else self.closed.discard)(id)
        for feed in self._feeds.get(id, ()):
            self._fed[feed].discard(id)
        definitions = [plan.defined, *([] if plan.committed is None else [plan.committed])]
        feeds = {
            bound.feed for one in definitions for kr in one.key_results for bound in kr.bindings.values()
        }
        self._feeds[id] = feeds
        for feed in feeds:
            self._fed[feed].add(id)

    def of(self, type: str, stream: str) -> set[str] | None:
        """The goals that a fact may reach; None: all, links may be others."""
        if type in _CONTEXT:
            return None
        kind, _, id = stream.partition("/")
        if kind == "objective":
            return self._upwards([id])
        return self._upwards(self._fed.get(id, ())) if kind == "feed" else set()

    def _upwards(self, goals: Iterable[str]) -> set[str]:
        found: set[str] = set()
        edge = set(goals)
        while edge:
            found |= edge
            edge = {above for one in edge for above in self._above.get(one, ())} - found
        return found


def _objective(parent: str, holder: Mapping[str, str]) -> str:
    kind, _, id = parent.partition("/")
    return id if kind == "objective" else holder.get(id, "")
