"""Key results and their bindings: the steps of their rows. Times are as ``steps_of_goals.py`` tells."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from goal_ledger_contracts.decision import Situation
from goal_ledger_domain import binding, key_result
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decider import Command
from goal_ledger_domain.goal import Archived, Closed, Drafted, KeyResult, Objective, known
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import BindingRow, Happened, KeyResultRow, at_of
from goal_ledger_command.importing.lives import Life
from goal_ledger_command.importing.rows import ImportRow
from goal_ledger_command.importing.steps import ImportStep, Phase, Rank, timed
from goal_ledger_command.importing.steps_of_goals import (
    ByName,
    LastStated,
    after_what_was_said,
    as_committed,
    grouped,
    place,
)

_KEY_RESULT = ("text", "description", "measure", "weight", "owner")
_GROUP = {
    "text": "text",
    "description": "text",
    "measure": "measure",
    "weight": "weight",
    "owner": "owner",
}


def key_result_steps(row: ImportRow, life: Life, said: LastStated) -> Iterator[ImportStep]:
    """Of an objective that is there already, or in another row."""
    item: KeyResultRow = row.item  # type: ignore[assignment]
    yield _added(row, item, life)
    if item.dropped is None:
        yield _taken_up(row, item, life)
    yield from _changes(row, item, life)
    for number, bound in enumerate(item.bindings):
        yield from _binding(f"bindings/{number}", row, item, bound, life)
    if item.dropped is not None:
        yield _dropped(row, item, life, said)
        if item.taken_up is not None:
            yield _taken_up(row, item, life)


def _there(world: World, row: ImportRow, item: KeyResultRow) -> tuple[Objective, KeyResult | None]:
    state = known(world, row.of)
    return state, state.goal.key_results.get(item.id)


def _added(row: ImportRow, item: KeyResultRow, life: Life) -> ImportStep:
    def added(world: World, _: Situation, meta: Meta) -> Command | list[Command] | None:
        state, present = _there(world, row, item)
        placed = place(meta, state, life, is_stated=at_of(item.added) is not None)
        values = as_committed(item, _KEY_RESULT)
        if present is None:
            if not isinstance(state, Drafted) and item.added is None:
                values = {name: getattr(item, name) for name in _KEY_RESULT}
            values["measure"] = values["measure"].definition()
            return key_result.AddKeyResult(placed, objective=row.of, key_result=item.id, **values)
        if not isinstance(state, Drafted) or present.dropped:
            return None
        names = _KEY_RESULT if life.activation is not None else _untimed(item)
        return _changes_of(present, item, values, place(meta, state, life), names)

    if item.added is None:
        return ImportStep(Phase.KEY_RESULTS, added, life.drafted)
    return timed(
        Rank.CHANGE, added, item.added, default_at=life.activated, after=(f"open/objective/{row.of}",)
    )


def _untimed(item: KeyResultRow) -> tuple[str, ...]:
    return grouped(_KEY_RESULT, _GROUP, item.changed).get("", ())


def _changes(row: ImportRow, item: KeyResultRow, life: Life) -> Iterator[ImportStep]:
    """A step for each member with a time of its change, one for the others."""

    def changed(
        names: tuple[str, ...], happened: Happened | None, world: World, _: Situation, meta: Meta
    ) -> list[Command] | None:
        state, present = _there(world, row, item)
        if present is None or present.dropped or (isinstance(state, Drafted) and life.activation is not None):
            return None
        now = {name: getattr(item, name) for name in _KEY_RESULT}
        placed = place(meta, state, life, is_stated=at_of(happened) is not None)
        return _changes_of(present, item, now, placed, names)

    default_at = at_of(item.taken_up) or at_of(item.added) or life.activated
    after, rank = (f"open/key-result/{item.id}",), Rank.CHANGE if item.taken_up is None else Rank.DROP
    for group, names in grouped(_KEY_RESULT, _GROUP, item.changed).items():
        happened = item.changed.get(group)  # type: ignore[call-overload]
        missing, within = partial(changed, names, happened), f"changed/{group}" if group else ""
        yield timed(rank, missing, happened, default_at=default_at, within=within, after=after)


def _changes_of(
    present: KeyResult, row: KeyResultRow, to: ByName, meta: Meta, names: tuple[str, ...]
) -> list[Command]:
    stated = row.model_fields_set | (row.committed.model_fields_set if row.committed else set())
    found: list[Command] = []
    if {"text", "description"} & {*names}:
        description = to["description"] if "description" in stated else present.description
        found.append(key_result.RewordKeyResult(meta, present.id, to["text"], description))
    if "measure" in names:
        found.append(key_result.ChangeMeasure(meta, present.id, to["measure"].definition()))
    if "weight" in names and "weight" in stated:
        found.append(key_result.ChangeKeyResultWeight(meta, present.id, to["weight"]))
    if "owner" in names and "owner" in stated:
        found.append(key_result.ChangeKeyResultOwner(meta, present.id, to["owner"]))
    return found


def _dropped(row: ImportRow, item: KeyResultRow, life: Life, said: LastStated) -> ImportStep:
    def dropped(world: World, _: Situation, meta: Meta) -> Command | None:
        state, at = known(world, row.of), at_of(item.dropped)
        if item.taken_up is not None and (at is None or state.goal.last_effective_at >= at):
            return None
        return key_result.DropKeyResult(place(meta, state, life, is_stated=at is not None), item.id)

    happened = after_what_was_said(item.dropped, f"key-result/{item.id}", said)
    after = (f"key-result/{item.id}",)
    default_at = life.activated
    return timed(Rank.DROP, dropped, happened, default_at=default_at, within="dropped", after=after)


def _taken_up(row: ImportRow, item: KeyResultRow, life: Life) -> ImportStep:
    """A key result that is listed counts, unless the row says that it is dropped."""

    def taken_up(world: World, _: Situation, meta: Meta) -> Command | None:
        state, present = _there(world, row, item)
        if present is None or not present.dropped or isinstance(state, Closed | Archived):
            return None
        placed = place(meta, state, life, is_stated=at_of(item.taken_up) is not None)
        return key_result.TakeUpKeyResult(placed, item.id)

    after, default_at = (f"key-result/{item.id}",), at_of(item.dropped) or life.activated
    return timed(
        Rank.DROP if item.dropped is not None else Rank.CHANGE,
        taken_up,
        item.taken_up,
        default_at=default_at,
        within="taken_up",
        after=after,
    )


def _binding(
    within: str, row: ImportRow, one: KeyResultRow, bound: BindingRow, life: Life
) -> Iterator[ImportStep]:
    asked = (bound.feed, bound.aggregation)

    def present(world: World) -> tuple[Objective, tuple[str, str] | None]:
        state, found = _there(world, row, one)
        there = None if found is None else found.bindings.get(bound.part)
        return state, None if there is None else (there.feed, there.aggregation)

    def made(world: World, _: Situation, meta: Meta) -> Command | None:
        state, there = present(world)
        if there == asked or (bound.unbound is not None and not isinstance(state, Drafted)):
            return None
        placed = place(meta, state, life, is_stated=at_of(bound.bound) is not None)
        return binding.BindPart(placed, one.id, bound.part, *asked)

    def ended(world: World, _: Situation, meta: Meta) -> Command | None:
        state, there = present(world)
        if there != asked:
            return None
        placed = place(meta, state, life, is_stated=at_of(bound.unbound) is not None)
        return binding.UnbindPart(placed, one.id, bound.part)

    after = (f"key-result/{one.id}",)
    if bound.bound is None:
        at = at_of(one.added) or life.drafted
        yield ImportStep(Phase.BINDINGS, made, at, within=within, after=after)
    else:
        yield timed(Rank.CHANGE, made, bound.bound, default_at=life.activated, within=within, after=after)
    if bound.unbound is not None:
        yield timed(Rank.CHANGE, ended, bound.unbound, default_at=life.activated, within=within, after=after)
