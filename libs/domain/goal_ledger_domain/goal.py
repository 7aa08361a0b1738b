"""An objective as decisions see it: its states, and how the facts of its stream change them.

The states are types: a :class:`Drafted` goal is free to define, an :class:`Active` one has a commitment, a
:class:`Closed` one has an outcome, an :class:`Archived` one is put away. What they have in common is the
:class:`Definition`. Check-ins are not folded, nor the texts of comments: whether one exists is an indexed look-up.

Kept in the world: ``objective`` (id → state), ``key-result`` (id → objective id), ``link`` (id → (child, the link as
first recorded)), ``contributing`` (parent → how many objectives are linked to it as *contributes*).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import Measure

from goal_ledger_domain.decider import Fold
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import References, found_by
from goal_ledger_domain.world import World

CHANGES_KEPT = 256
"""Changes after the activation that can still be endorsed, per objective: the newest."""


@dataclass(frozen=True, slots=True)
class Binding:
    feed: str
    aggregation: str


@dataclass(frozen=True, slots=True)
class KeyResult:
    id: str
    text: str
    measure: Measure
    weight: Decimal
    owner: str | None
    added: facts.KeyResultAdded
    bindings: Mapping[str, Binding] = field(default_factory=dict)
    dropped: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    id: str
    parent: str
    mode: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class ChangeMade:
    """Who made a change after the activation, and who stands behind it."""

    actor: str
    endorsers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    id: str
    title: str
    description: str | None
    owner: str
    contributors: tuple[str, ...]
    kind: str | None
    cycle: str | None
    drafted: facts.ObjectiveDrafted
    last_effective_at: datetime
    key_results: Mapping[str, KeyResult] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    """By parent: one link per (child, parent)."""
    changes: Mapping[str, ChangeMade] = field(default_factory=dict)
    """By event id, for endorsing."""
    carried_into: str | None = None
    paused: bool = False
    reopened: bool = False
    """It was closed before: reopening it once more is nothing new."""

    @property
    def stream(self) -> str:
        return f"objective/{self.id}"

    def undropped(self) -> list[KeyResult]:
        return [one for one in self.key_results.values() if not one.dropped]


@dataclass(frozen=True, slots=True)
class Drafted:
    goal: Definition


@dataclass(frozen=True, slots=True)
class Active:
    goal: Definition


@dataclass(frozen=True, slots=True)
class Closed:
    goal: Definition
    closed_at: datetime
    was_active: bool


@dataclass(frozen=True, slots=True)
class Archived:
    goal: Definition
    closed_at: datetime
    was_active: bool


Objective = Drafted | Active | Closed | Archived


def contributing(world: World, parent: str) -> int:
    """How many objectives are linked to ``parent`` (``objective/<id>`` or ``key-result/<id>``) as *contributes*."""
    count: int | None = world.get("contributing", parent)
    return count or 0


def known(world: World, id: str, field: str = "objective") -> Objective:
    """The state of an objective. Refuses ``unknown_objective``."""
    state: Objective | None = world.get("objective", id)
    if state is None:
        raise Refusal("unknown_objective", f"There is no objective {id[:64]}.", field=field)
    return state


def known_key_result(world: World, id: str, field: str = "key_result") -> tuple[Objective, KeyResult]:
    """A key result, with the state of its objective. Refuses ``unknown_key_result``."""
    objective = world.get("key-result", id)
    if objective is None:
        raise Refusal("unknown_key_result", f"There is no key result {id[:64]}.", field=field)
    state: Objective = world.get("objective", objective)
    return state, state.goal.key_results[id]


@found_by("objective")
def its_objective(world: World, command: Any, situation: Situation) -> References:
    """The objective that the command names. Refuses ``unknown_objective``."""
    return (known(world, command.objective).goal.stream,)


@found_by("key_result")
def its_key_result(world: World, command: Any, situation: Situation) -> References:
    """The objective of the key result that the command names. Refuses ``unknown_key_result``."""
    state, _ = known_key_result(world, command.key_result)
    return (state.goal.stream,)


Changed = Callable[[Definition, Fact], Mapping[str, Any]]
"""The fields of the definition that a fact changes, with their new values."""

Becomes = Callable[[Objective, Definition, Fact], Objective]
"""The state after a fact, given the one before it and the definition after it."""


def stays(before: Objective, goal: Definition, fact: Fact) -> Objective:
    """The same state."""
    return replace(before, goal=goal)


def _nothing(goal: Definition, fact: Fact) -> Mapping[str, Any]:
    return {}


def defines(changed: Changed = _nothing, *, becomes: Becomes = stays) -> Fold:
    """The fold of a fact that changes a goal; once the goal is committed, others can stand behind the change."""

    def fold(world: World, fact: Fact) -> None:
        before: Objective = world.get("objective", fact.stream_id)
        always: dict[str, Any] = {"last_effective_at": fact.effective_at, "changes": _changes(before, fact)}
        goal = replace(before.goal, **(always | dict(changed(before.goal, fact))))
        world.put("objective", fact.stream_id, becomes(before, goal, fact))

    return fold


def defines_key_result(changed: Callable[[KeyResult, Any], Mapping[str, Any]]) -> Fold:
    """:func:`defines` for a fact of one key result; ``changed`` takes the key result and the fact's data."""

    def of_goal(goal: Definition, fact: Fact) -> Mapping[str, Any]:
        one = goal.key_results[fact.data.key_result]
        return {"key_results": {**goal.key_results, one.id: replace(one, **changed(one, fact.data))}}

    return defines(of_goal)


def says(changed: Changed = _nothing) -> Fold:
    """The fold of a fact that says something about a goal: nothing that could be endorsed."""

    def fold(world: World, fact: Fact) -> None:
        before: Objective = world.get("objective", fact.stream_id)
        goal = replace(before.goal, last_effective_at=fact.effective_at, **changed(before.goal, fact))
        world.put("objective", fact.stream_id, replace(before, goal=goal))

    return fold


def _changes(before: Objective, fact: Fact) -> Mapping[str, ChangeMade]:
    """Once the goal is committed, who made each change: the newest of them."""
    changes = before.goal.changes
    if isinstance(before, Drafted):
        return changes
    changes = {**changes, fact.event_id: ChangeMade(fact.actor)}
    if len(changes) > CHANGES_KEPT:
        del changes[next(iter(changes))]
    return changes
