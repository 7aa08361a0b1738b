"""The definitions by which a closing is scored: those of the fold, or those in effect at an earlier moment.

A goal that was closed keeps the score of its closing, so where one counts in the goal that is closed now, it is scored
by what was defined then: its facts and those of units, cycles, feeds, policies and moments, folded again up to then.
Of policies the nearest scope counts, as the query side has it, also where at that moment a unit was not there yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import COUNTED_WHEN_RECORDED
from goal_ledger_contracts.measures import Aligned
from goal_ledger_domain import evolve
from goal_ledger_domain.goal import KeyResult, Objective
from goal_ledger_domain.moment import Recorded
from goal_ledger_domain.workspace import workspace
from goal_ledger_domain.world import World
from goal_ledger_scoring import ChildLink
from goal_ledger_scoring.inputs import KEY_RESULTS
from goal_ledger_scoring.policy import Rules, in_force

LAST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Moment:
    """(T, K): true at ``at``, by the facts up to ``seq``."""

    at: datetime
    seq: int = LAST_SEQ


class Definitions:
    """What is defined in a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    @staticmethod
    def then(facts: Iterable[Fact], moment: Moment) -> Definitions:
        """Folded from these facts, in seq order, as of the moment."""
        world = World()
        late: set[str] = set()
        for fact in facts:
            if fact.seq > moment.seq:
                break
            if fact.type == "FeedRegistered" and fact.effective_at > moment.at:
                late.add(fact.stream)
            if fact.effective_at <= moment.at or fact.type in COUNTED_WHEN_RECORDED or fact.stream in late:
                evolve.evolve(world, fact)
        return Definitions(world)

    def objective(self, id: str) -> Objective | None:
        """The state of an objective; None: it is not there."""
        found: Objective | None = self.world.get("objective", id)
        return found

    def key_results(self, id: str) -> Iterable[KeyResult]:
        """Those of an objective that is there."""
        state: Objective = self.world.get("objective", id)
        return state.goal.key_results.values()

    def counting(self, id: str) -> list[ChildLink]:
        """The links by which other objectives count in the objective or in its key results."""
        aligned = {one.id for one in self.key_results(id) if isinstance(one.measure, Aligned)}
        direct = self.rules(id).roll_up != KEY_RESULTS
        return [
            link
            for link in self._children.get(id, ())
            if link.contributes and (direct if link.key_result is None else link.key_result in aligned)
        ]

    def beneath(self, id: str) -> set[str]:
        """The objective and all that count in it, directly or not."""
        found, waiting = {id}, [id]
        while waiting:
            more = {link.child for link in self.counting(waiting.pop())} - found
            found |= more
            waiting.extend(more)
        return found

    def rules(self, id: str) -> Rules:
        """The policy in force for an objective."""
        policies = (self.world.get("policy", scope) for scope in self._scopes(id))
        stated = [revision.policy for revision in policies if revision is not None]
        return in_force(stated, workspace(self.world).time_zone)

    @cached_property
    def moments(self) -> dict[str, datetime]:
        """When each was."""
        return {name: one.at for name, one in self.world.all("moment") if isinstance(one, Recorded)}

    @cached_property
    def _children(self) -> dict[str, list[ChildLink]]:
        found: defaultdict[str, list[ChildLink]] = defaultdict(list)
        for id, state in self.world.all("objective"):
            for link in state.goal.links.values():
                kind, _, parent = link.parent.partition("/")
                above = parent if kind == "objective" else self.world.get("key-result", parent)
                of = None if kind == "objective" else parent
                found[above].append(ChildLink(id, link.mode == "contributes", link.weight, of))
        return found

    def _scopes(self, id: str) -> Iterator[str]:
        """The nearest first."""
        yield f"objective/{id}"
        kind, _, unit = self.world.get("objective", id).goal.owner.partition("/")
        seen: set[str] = set()
        while kind == "unit" and unit is not None and unit not in seen:
            yield f"unit/{unit}"
            seen.add(unit)
            state = self.world.get("unit", unit)
            unit = None if state is None else state.parent
        yield "workspace"


def ever_beneath(world: World, objective: str) -> set[str]:
    """The objective and all that were ever linked beneath it, by whatever link."""
    children: defaultdict[str, set[str]] = defaultdict(set)
    for _, (child, link) in world.all("link"):
        kind, _, parent = link.parent.partition("/")
        children[parent if kind == "objective" else world.get("key-result", parent)].add(child)
    found, waiting = {objective}, [objective]
    while waiting:
        more = children.get(waiting.pop(), set()) - found
        found |= more
        waiting.extend(more)
    return found
