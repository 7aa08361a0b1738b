"""An objective as decisions see it: its states, and how each fact of its stream changes them.

The states are types: a :class:`Drafted` goal is free to define, an :class:`Active` one has a commitment, a
:class:`Closed` one has an outcome, an :class:`Archived` one is put away. What they have in common is the
:class:`Definition`. Check-ins are not folded, nor the texts of comments: whether one exists is an indexed look-up.

Kept in the world: ``objective`` (id → state), ``key-result`` (id → objective id), ``link`` (id → (child, the link as
first recorded)), ``contributing`` (parent → how many objectives are linked to it as *contributes*).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.measures import Measure

from goal_ledger_domain.refusals import Refusal
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
class Change:
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
    changes: Mapping[str, Change] = field(default_factory=dict)
    """By event id, for endorsing."""
    carried_into: str | None = None
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


FOLDS: tuple[type, ...] = (
    facts.ObjectiveDrafted,
    facts.ObjectiveReworded,
    facts.ObjectiveAssigned,
    facts.KindGiven,
    facts.PutInCycle,
    facts.MovedToCycle,
    facts.ObjectiveAligned,
    facts.ObjectiveUnaligned,
    facts.ObjectiveActivated,
    facts.ObjectiveClosed,
    facts.ObjectiveReopened,
    facts.ObjectiveCarriedOver,
    facts.ObjectiveArchived,
    facts.ChangeEndorsed,
    facts.CommentAdded,
    facts.KudosGiven,
    facts.KeyResultAdded,
    facts.KeyResultReworded,
    facts.MeasureChanged,
    facts.KeyResultWeightChanged,
    facts.KeyResultOwnerChanged,
    facts.PartBound,
    facts.PartUnbound,
    facts.KeyResultDropped,
)
"""The facts of the stream that change what can be decided; comments only move its time on."""


_NO_CHANGE = (facts.ChangeEndorsed, facts.CommentAdded, facts.KudosGiven)
"""What is said about the goal: nothing that could be endorsed."""


def evolve(world: World, fact: Fact) -> None:
    """The world after one of :data:`FOLDS`."""
    data, id = fact.data, fact.stream_id
    if isinstance(data, facts.ObjectiveDrafted):
        world.put("objective", id, Drafted(_drafted(fact, data)))
        return
    before: Objective = world.get("objective", id)
    _index(world, before.goal, data)
    remembered: dict[str, Any] = {"last_effective_at": fact.effective_at, "changes": _changes(before, fact)}
    goal = replace(before.goal, **(remembered | _changed(before.goal, fact, data)))
    world.put("objective", id, _state(before, goal, fact, data))


def _drafted(fact: Fact, data: facts.ObjectiveDrafted) -> Definition:
    return Definition(
        id=fact.stream_id,
        title=data.title,
        description=data.description,
        owner=data.owner,
        contributors=data.contributors,
        kind=data.kind,
        cycle=data.cycle,
        drafted=data,
        last_effective_at=fact.effective_at,
    )


def _changes(before: Objective, fact: Fact) -> Mapping[str, Change]:
    """Once the goal is committed, who made each change: the newest of them."""
    changes = before.goal.changes
    if isinstance(before, Drafted) or isinstance(fact.data, _NO_CHANGE):
        return changes
    changes = {**changes, fact.event_id: Change(fact.actor)}
    if len(changes) > CHANGES_KEPT:
        del changes[next(iter(changes))]
    return changes


def _state(before: Objective, goal: Definition, fact: Fact, data: FactData) -> Objective:
    match data:
        case facts.ObjectiveActivated():
            return Active(goal)
        case facts.ObjectiveClosed():
            return Closed(goal, fact.effective_at, not isinstance(before, Drafted))
        case facts.ObjectiveArchived() if isinstance(before, Closed):
            return Archived(goal, before.closed_at, before.was_active)
        case facts.ObjectiveReopened() if isinstance(before, Closed | Archived):
            return Active(goal) if before.was_active else Drafted(goal)
    return replace(before, goal=goal)


def _index(world: World, goal: Definition, data: FactData) -> None:
    match data:
        case facts.KeyResultAdded():
            world.put("key-result", data.key_result, goal.id)
        case facts.ObjectiveAligned():
            link = Link(data.link, data.parent, data.mode, data.weight)
            if world.get("link", data.link) is None:
                world.put("link", data.link, (goal.id, link))
            _count(world, goal.links.get(data.parent), -1)
            _count(world, link, +1)
        case facts.ObjectiveUnaligned():
            _count(world, goal.links.get(data.parent), -1)


def _count(world: World, link: Link | None, by: int) -> None:
    if link is not None and link.mode == "contributes":
        world.put("contributing", link.parent, contributing(world, link.parent) + by)


def _changed(goal: Definition, fact: Fact, data: FactData) -> dict[str, Any]:
    """The fields of the definition that the fact changes."""
    match data:
        case facts.ObjectiveReworded():
            return {"title": data.title, "description": data.description}
        case facts.ObjectiveAssigned():
            return {"owner": data.owner, "contributors": data.contributors}
        case facts.KindGiven():
            return {"kind": data.kind}
        case facts.PutInCycle() | facts.MovedToCycle():
            return {"cycle": data.cycle}
        case facts.ObjectiveAligned():
            link = Link(data.link, data.parent, data.mode, data.weight)
            return {"links": {**goal.links, data.parent: link}}
        case facts.ObjectiveUnaligned():
            return {"links": {p: link for p, link in goal.links.items() if p != data.parent}}
        case facts.ObjectiveReopened():
            return {"reopened": True}
        case facts.ObjectiveCarriedOver():
            return {"carried_into": data.into}
        case facts.ChangeEndorsed():
            change = goal.changes.get(data.change)
            if change is None:
                return {}
            endorsed = replace(change, endorsers=(*change.endorsers, fact.actor))
            return {"changes": {**goal.changes, data.change: endorsed}}
        case facts.KeyResultAdded():
            added = added_key_result(data)
            return {"key_results": {**goal.key_results, data.key_result: added}}
        case (
            facts.ObjectiveActivated()
            | facts.ObjectiveClosed()
            | facts.ObjectiveArchived()
            | facts.CommentAdded()
            | facts.KudosGiven()
        ):
            return {}
    one = goal.key_results[data.key_result]
    return {"key_results": {**goal.key_results, one.id: replace(one, **_changed_key_result(one, data))}}


def added_key_result(data: facts.KeyResultAdded) -> KeyResult:
    """The key result as it is added."""
    return KeyResult(
        data.key_result,
        data.text,
        data.measure,
        data.weight,
        data.owner,
        data,
        description=data.description,
    )


def _changed_key_result(one: KeyResult, data: FactData) -> dict[str, Any]:
    match data:
        case facts.KeyResultReworded():
            return {"text": data.text, "description": data.description}
        case facts.MeasureChanged():
            return {"measure": data.measure}
        case facts.KeyResultWeightChanged():
            return {"weight": data.weight}
        case facts.KeyResultOwnerChanged():
            return {"owner": data.owner}
        case facts.PartBound():
            return {"bindings": {**one.bindings, data.part: Binding(data.feed, data.aggregation)}}
        case facts.PartUnbound():
            return {"bindings": {part: b for part, b in one.bindings.items() if part != data.part}}
        case facts.KeyResultDropped():
            return {"dropped": True}
    raise TypeError(f"{type(data).__name__} is not folded here")
