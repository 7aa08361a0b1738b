"""Key results: what must be true for the objective to be reached; added, changed, dropped, taken up again.

Once the objective is activated its key results, and the steps and parts of each, must not all have weight 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import Aligned, Measure
from goal_ledger_contracts.objective import (
    KeyResultAdded,
    KeyResultDropped,
    KeyResultOwnerChanged,
    KeyResultReworded,
    KeyResultTakenUp,
    KeyResultWeightChanged,
    MeasureChanged,
)
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import limits, measure, policy, text, values
from goal_ledger_domain.binding import need_still_fits
from goal_ledger_domain.command import Meta, need_reason
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import (
    Definition,
    Drafted,
    KeyResult,
    Objective,
    contributing,
    defines,
    defines_key_result,
    its_key_result,
    its_objective,
    known,
    known_key_result,
)
from goal_ledger_domain.owners import need_owner
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import define, same
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class AddKeyResult:
    meta: Meta
    objective: str
    key_result: str
    text: str
    measure: Measure
    weight: Decimal = Decimal(1)
    owner: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class RewordKeyResult:
    """The whole wording: a description left out is taken away."""

    meta: Meta
    key_result: str
    text: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeMeasure:
    """The whole new measure."""

    meta: Meta
    key_result: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class ChangeKeyResultWeight:
    meta: Meta
    key_result: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class ChangeKeyResultOwner:
    """None: the owner of the objective."""

    meta: Meta
    key_result: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class DropKeyResult:
    meta: Meta
    key_result: str


@dataclass(frozen=True, slots=True)
class TakeUpKeyResult:
    """A dropped key result counts again."""

    meta: Meta
    key_result: str


def need_weights(key_results: Iterable[KeyResult]) -> None:
    """A commitment's key results (undropped ones; none is fine) count for something, and so does each within."""
    ones = list(key_results)
    if ones and not any(one.weight for one in ones):
        raise Refusal("weights_all_zero", "All key results would have weight 0.", field="weight")
    for one in ones:
        if not measure.counts(one.measure):
            sentence = f"All steps or parts of the key result {one.id} have weight 0."
            raise Refusal("weights_all_zero", sentence, field="measure")


def _need_weights_with(state: Objective, changed: KeyResult | None, *, without: str | None = None) -> None:
    """As :func:`need_weights` after a change, unless the objective is a draft."""
    if isinstance(state, Drafted):
        return
    left = [one for one in state.goal.undropped() if one.id not in (without, changed and changed.id)]
    need_weights(left if changed is None else [*left, changed])


def need_room(world: World, state: Objective, more: int = 0) -> None:
    """The policy may limit the key results of an objective that is activated."""
    limit = policy.in_force(world, state.goal.owner, state.goal.id).max_key_results
    if limit is not None and len(state.goal.undropped()) + more > limit:
        sentence = f"The policy allows {limit} key results in an objective."
        raise Refusal("too_many_key_results", sentence, limit=limit)


def description(given: str | None) -> str | None:
    """In its clean form."""
    return text.optional_passage(given, "description", limits.DESCRIPTION_MAX_CHARACTERS)


def _add(world: World, command: AddKeyResult, situation: Situation) -> Decision:
    state, id = known(world, command.objective), text.id_of(command.key_result, "key_result")
    data = KeyResultAdded(
        key_result=id,
        text=text.line(command.text, "text", limits.TITLE_MAX_CHARACTERS),
        measure=measure.clean(command.measure),
        weight=values.weight(command.weight, "weight"),
        owner=command.owner,
        description=description(command.description),
    )
    if world.get("key-result", id) is not None:
        present = state.goal.key_results.get(id)
        if present is not None and present.dropped:
            raise _dropped(id, ": take it up again")
        if present is not None and present.added == data:
            return same(state, id=id)
        raise Refusal("id_taken", f"There is another key result {id}.", field="key_result")
    if command.owner is not None:
        need_owner(world, command.owner, "owner")
    text.at_most((*state.goal.key_results, id), "key_results", limits.KEY_RESULTS_MAX_ITEMS)
    if not isinstance(state, Drafted):
        need_room(world, state, more=1)
    _need_weights_with(state, _as_added(data))
    return define(world, command.meta, situation, state, data, "adding a key result", id=id)


def _undropped(world: World, id: str) -> tuple[Objective, KeyResult]:
    state, one = known_key_result(world, id)
    if one.dropped:
        raise _dropped(id)
    return state, one


def _dropped(id: str, instead: str = "") -> Refusal:
    return Refusal("key_result_dropped", f"The key result {id} is dropped{instead}.", field="key_result")


def _reword(world: World, command: RewordKeyResult, situation: Situation) -> Decision:
    state, one = _undropped(world, command.key_result)
    data = KeyResultReworded(
        one.id,
        text.line(command.text, "text", limits.TITLE_MAX_CHARACTERS),
        description(command.description),
    )
    if (data.text, data.description) == (one.text, one.description):
        return same(state, id=one.id)
    return define(world, command.meta, situation, state, data, "rewording a key result", id=one.id)


def _change_measure(world: World, command: ChangeMeasure, situation: Situation) -> Decision:
    state, one = _undropped(world, command.key_result)
    data = MeasureChanged(one.id, measure.clean(command.measure))
    if data.measure == one.measure:
        return same(state, id=one.id)
    if not isinstance(data.measure, Aligned) and contributing(world, f"key-result/{one.id}"):
        sentence = f"Objectives contribute to the key result {one.id}: it cannot get a measure of its own."
        raise Refusal("key_result_has_contributors", sentence, field="measure")
    need_still_fits(world, state.goal, one, data.measure)
    _need_weights_with(state, replace(one, measure=data.measure))
    return define(world, command.meta, situation, state, data, "changing a measure", id=one.id)


def _change_weight(world: World, command: ChangeKeyResultWeight, situation: Situation) -> Decision:
    state, one = _undropped(world, command.key_result)
    data = KeyResultWeightChanged(one.id, values.weight(command.weight, "weight"))
    if data.weight == one.weight:
        return same(state, id=one.id)
    _need_weights_with(state, replace(one, weight=data.weight))
    return define(world, command.meta, situation, state, data, "changing a key result's weight", id=one.id)


def _change_owner(world: World, command: ChangeKeyResultOwner, situation: Situation) -> Decision:
    state, one = _undropped(world, command.key_result)
    if command.owner == one.owner:
        return same(state, id=one.id)
    if command.owner is not None:
        need_owner(world, command.owner, "owner")
    data = KeyResultOwnerChanged(one.id, command.owner)
    return define(world, command.meta, situation, state, data, "changing a key result's owner", id=one.id)


def _drop(world: World, command: DropKeyResult, situation: Situation) -> Decision:
    state, one = known_key_result(world, command.key_result)
    if one.dropped:
        return same(state, id=one.id)
    need_reason(command.meta, "dropping a key result")
    _need_weights_with(state, None, without=one.id)
    data = KeyResultDropped(one.id)
    return define(world, command.meta, situation, state, data, "dropping a key result", id=one.id)


def _take_up(world: World, command: TakeUpKeyResult, situation: Situation) -> Decision:
    state, one = known_key_result(world, command.key_result)
    if not one.dropped:
        return same(state, id=one.id)
    need_reason(command.meta, "taking up a dropped key result")
    if not isinstance(state, Drafted):
        need_room(world, state, more=1)
    _need_weights_with(state, replace(one, dropped=False))
    data = KeyResultTakenUp(one.id)
    return define(world, command.meta, situation, state, data, "taking up a key result", id=one.id)


def _as_added(data: KeyResultAdded) -> KeyResult:
    return KeyResult(
        data.key_result,
        data.text,
        data.measure,
        data.weight,
        data.owner,
        data,
        description=data.description,
    )


def _reworded(_: KeyResult, data: KeyResultReworded) -> dict[str, Any]:
    return {"text": data.text, "description": data.description}


def _added(goal: Definition, fact: Fact) -> dict[str, Any]:
    data: KeyResultAdded = fact.data
    return {"key_results": {**goal.key_results, data.key_result: _as_added(data)}}


_define_added = defines(_added)


def _fold_added(world: World, fact: Fact) -> None:
    world.put("key-result", fact.data.key_result, fact.stream_id)
    _define_added(world, fact)


DECIDER = Decider(
    commands={
        AddKeyResult: Rule(
            _add, may=Permission.DEFINE_GOAL, on=its_objective, shows="key-result", creates=True
        ),
        RewordKeyResult: Rule(_reword, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result"),
        ChangeMeasure: Rule(
            _change_measure, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result"
        ),
        ChangeKeyResultWeight: Rule(
            _change_weight, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result"
        ),
        ChangeKeyResultOwner: Rule(
            _change_owner, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result"
        ),
        DropKeyResult: Rule(_drop, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result"),
        TakeUpKeyResult: Rule(_take_up, may=Permission.DEFINE_GOAL, on=its_key_result, shows="key-result"),
    },
    folds={
        KeyResultAdded: _fold_added,
        KeyResultReworded: defines_key_result(_reworded),
        MeasureChanged: defines_key_result(lambda _, data: {"measure": data.measure}),
        KeyResultWeightChanged: defines_key_result(lambda _, data: {"weight": data.weight}),
        KeyResultOwnerChanged: defines_key_result(lambda _, data: {"owner": data.owner}),
        KeyResultDropped: defines_key_result(lambda _, data: {"dropped": True}),
        KeyResultTakenUp: defines_key_result(lambda _, data: {"dropped": False}),
    },
)
