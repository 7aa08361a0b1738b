"""Binding a part of a key result to a feed, with an aggregation that the feed's kind has (SPEC 5).

Without a window, ``last`` of a gauge looks back without limit; all else is aggregated over the objective's cycle, so it
needs one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.measures import Checklist, Measure, Simple, parts_of
from goal_ledger_contracts.objective import PartBound, PartUnbound
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import feed
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import (
    Binding,
    Definition,
    KeyResult,
    defines_key_result,
    its_key_result,
    known_key_result,
)
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import define, same
from goal_ledger_domain.system import registered
from goal_ledger_domain.world import World

AGGREGATIONS = {
    "gauge": ("last", "max", "mean", "min"),
    "counter": ("increase",),
    "event_count": ("sum", "count"),
}
"""By kind of feed."""


@dataclass(frozen=True, slots=True)
class BindPart:
    meta: Meta
    key_result: str
    part: str
    feed: str
    aggregation: str


@dataclass(frozen=True, slots=True)
class UnbindPart:
    meta: Meta
    key_result: str
    part: str


def part_of(one: KeyResult, id: str, field: str = "part") -> Simple:
    """The part of the key result's measure. Refuses ``unknown_part``."""
    part = parts_of(one.measure).get(id)
    if part is None:
        raise Refusal("unknown_part", f"The key result {one.id} has no part {id[:64]}.", field=field)
    return part


def _bind(world: World, command: BindPart, situation: Situation) -> Decision:
    state, one = known_key_result(world, command.key_result)
    part = part_of(one, command.part)
    asked = Binding(command.feed, command.aggregation)
    if one.bindings.get(command.part) == asked:
        return same(state, id=one.id)
    if one.dropped:
        raise Refusal("key_result_dropped", f"The key result {one.id} is dropped.", field="key_result")
    need_bindable(world, part, asked, state.goal)
    data = PartBound(one.id, command.part, asked.feed, asked.aggregation)
    return define(world, command.meta, situation, state, data, "binding a part to a feed", id=one.id)


def _need_fits(part: Simple, kind: str, binding: Binding, goal: Definition) -> None:
    if isinstance(part, Checklist):
        raise Refusal("part_cannot_be_fed", "A checklist is ticked by people, not fed.", field="part")
    allowed = AGGREGATIONS[kind]
    if binding.aggregation not in allowed:
        raise Refusal(
            "aggregation_mismatch",
            f"A feed of the kind {kind} has the aggregations {', '.join(allowed)}.",
            field="aggregation",
            allowed=list(allowed),
        )
    if binding.aggregation != "last" and part.window is None and goal.cycle is None:
        sentence = f"Without a window or a cycle there is no period for {binding.aggregation}."
        raise Refusal("binding_needs_cycle", sentence, field="aggregation")


def need_bindable(world: World, part: Simple, binding: Binding, goal: Definition) -> None:
    """The part could be bound so in that goal. Refuses as a binding does."""
    source = feed.feed(world, binding.feed)
    registered(world, source.system)
    _need_fits(part, source.kind, binding, goal)


def need_still_fits(world: World, goal: Definition, one: KeyResult, new: Measure) -> None:
    """A new measure has a place for each part that is bound."""
    parts = parts_of(new)
    for id, binding in one.bindings.items():
        part = parts.get(id)
        if part is None or isinstance(part, Checklist):
            raise Refusal(
                "part_is_bound",
                f"The part {id} is bound to {binding.feed}: unbind it first.",
                field="measure",
            )
        _need_fits(part, feed.feed(world, binding.feed).kind, binding, goal)


def _unbind(world: World, command: UnbindPart, situation: Situation) -> Decision:
    state, one = known_key_result(world, command.key_result)
    if command.part not in one.bindings:
        part_of(one, command.part)
        return same(state, id=one.id)
    data = PartUnbound(one.id, command.part)
    return define(world, command.meta, situation, state, data, "unbinding a part from its feed", id=one.id)


def _bound(one: KeyResult, data: PartBound) -> dict[str, Any]:
    return {"bindings": {**one.bindings, data.part: Binding(data.feed, data.aggregation)}}


def _unbound(one: KeyResult, data: PartUnbound) -> dict[str, Any]:
    return {"bindings": {part: b for part, b in one.bindings.items() if part != data.part}}


DECIDER = Decider(
    commands={
        # Feeds are read by everybody: none is asked.
        BindPart: Rule(
            _bind, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result", creates=True
        ),
        UnbindPart: Rule(_unbind, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result"),
    },
    folds={
        PartBound: defines_key_result(_bound),
        PartUnbound: defines_key_result(_unbound),
    },
)
