"""Objectives with their key results, bindings, links, life and closings: the steps of their rows.

A goal that is not there is drafted as it was committed, activated, and then changed into what it is now; one that is
there is compared with what it is now. A draft is compared with what it will be committed as.

**Times.** What was stated of a change is kept, or refused. A change without a time of its own is news and takes effect
now; but of a draft, and of a goal of which the import states something later still, as early as the stream allows:
else nothing of the past could follow it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.ids import uuid7
from goal_ledger_domain import alignment, binding, key_result, lifecycle, objective
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import lookups
from goal_ledger_domain.decider import Command
from goal_ledger_domain.goal import Archived, Closed, Definition, Drafted, KeyResult, Objective, known
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import (
    BindingRow,
    ClosingRow,
    Happened,
    KeyResultRow,
    LinkRow,
    ObjectiveRow,
    at_of,
)
from goal_ledger_command.importing.lives import Life
from goal_ledger_command.importing.rows import ImportRow
from goal_ledger_command.importing.steps import ImportStep, Phase, Rank, kept, timed
from goal_ledger_command.importing.when import Day

_OBJECTIVE = ("title", "description", "owner", "contributors", "kind", "cycle")
_KEY_RESULT = ("text", "description", "measure", "weight", "owner")
_GROUP = {
    "title": "wording",
    "description": "wording",
    "owner": "assignment",
    "contributors": "assignment",
    "kind": "kind",
    "cycle": "cycle",
}
_GROUP_OF_KEY_RESULT = {
    "text": "text",
    "description": "text",
    "measure": "measure",
    "weight": "weight",
    "owner": "owner",
}
ByName = dict[str, Any]
LastStated = Callable[[str, datetime, datetime], datetime | None]
"""The latest time within [from, to) that the import's check-ins on a goal, or key result, state."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def as_committed(row: ObjectiveRow | KeyResultRow, names: tuple[str, ...]) -> ByName:
    """The row's values with those of ``committed`` in their place."""
    values = {name: getattr(row, name) for name in names}
    if row.committed is not None:
        values |= {
            name: getattr(row.committed, name) for name in names if name in row.committed.model_fields_set
        }
    return values


def _placed(meta: Meta, state: Objective, life: Life, *, is_stated: bool = False) -> Meta:
    """With the time at which a change takes effect (see above)."""
    last, at = state.goal.last_effective_at, meta.effective_at
    if at is not None and (is_stated or at >= last):
        return kept(meta, last)
    has_more_past = life.latest is not None and life.latest > last
    return replace(meta, effective_at=last if isinstance(state, Drafted) or has_more_past else None)


def _grouped(names: tuple[str, ...], groups: dict[str, str], changed: Any) -> dict[str, tuple[str, ...]]:
    """The members by the group whose change has a time of its own; the others under an empty name."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        group = groups[name] if groups[name] in changed else ""
        found[group] = (*found.get(group, ()), name)
    return found


def objective_steps(row: ImportRow, life: Life, said: LastStated) -> Iterator[ImportStep]:
    item: ObjectiveRow = row.item  # type: ignore[assignment]
    by_group = _grouped(_OBJECTIVE, _GROUP, item.changed)

    def drafted(world: World, _: Situation, meta: Meta) -> Command | list[Command]:
        values, state = as_committed(item, _OBJECTIVE), world.get("objective", item.id)
        if state is None:
            return objective.DraftObjective(meta, objective=item.id, carried_from=item.carried_from, **values)
        if not isinstance(state, Drafted):
            return []
        names = _OBJECTIVE if item.activated is not None else by_group.get("", ())
        return _definition_changes(state.goal, item, values, _placed(meta, state, life), names)

    why = item.drafted.reason if item.drafted else None
    yield ImportStep(Phase.DRAFTS, drafted, life.drafted, why)
    if item.activated is not None:
        yield _activation(item, life)
    for group, names in by_group.items():
        yield from _changes_of_objective(item, life, group, names)
    if item.archived is not None:
        yield _archiving(item)


def _activation(item: ObjectiveRow, life: Life) -> ImportStep:
    def activated(world: World, _: Situation, meta: Meta) -> Command | None:
        state = known(world, item.id)
        if not isinstance(state, Drafted):
            return None
        is_stated = at_of(item.activated) is not None
        if meta.effective_at is not None:
            meta = _placed(meta, state, life, is_stated=is_stated)
        return lifecycle.Activate(meta, item.id)

    step = timed(Rank.ACTIVATION, activated, item.activated, within="activated")
    step.at = life.activated
    step.comes_at = step.at or _BEGINNING
    return step


def _changes_of_objective(
    item: ObjectiveRow, life: Life, group: str, names: tuple[str, ...]
) -> Iterator[ImportStep]:
    if item.activated is None and not group:
        return
    happened = item.changed.get(group)  # type: ignore[call-overload]

    def changed(world: World, _: Situation, meta: Meta) -> list[Command] | None:
        state = known(world, item.id)
        if isinstance(state, Drafted) and item.activated is not None:
            return None
        now = {name: getattr(item, name) for name in _OBJECTIVE}
        placed = _placed(meta, state, life, is_stated=at_of(happened) is not None)
        return _definition_changes(state.goal, item, now, placed, names)

    within = f"changed/{group}" if group else ""
    after = (f"open/objective/{item.id}",)
    yield timed(Rank.CHANGE, changed, happened, default_at=life.activated, within=within, after=after)


def _archiving(item: ObjectiveRow) -> ImportStep:
    def archived(world: World, _: Situation, meta: Meta) -> Command:
        return lifecycle.ArchiveObjective(kept(meta, known(world, item.id).goal.last_effective_at), item.id)

    step = timed(Rank.ARCHIVING, archived, item.archived, within="archived")
    if isinstance(step.at, Day):
        step.comes_at = step.at.ends
    return step


def _definition_changes(
    goal: Definition, row: ObjectiveRow, to: ByName, meta: Meta, names: tuple[str, ...]
) -> list[Command]:
    """What a row says of an objective and the objective is not; the deciders drop what only reads otherwise."""
    stated = row.model_fields_set | (row.committed.model_fields_set if row.committed else set())
    differs = {
        name
        for name in names
        if name in stated and to[name] != getattr(goal, name) and to[name] not in (None, "")
    }
    if "description" in names and "description" in stated and to["description"] != goal.description:
        differs.add("description")
    found: list[Command] = []
    if differs & {"title", "description"}:
        description = to["description"] if "description" in stated else goal.description
        found.append(objective.RewordObjective(meta, goal.id, to["title"], description))
    if differs & {"owner", "contributors"}:
        people = to["contributors"] if "contributors" in stated else goal.contributors
        found.append(objective.AssignObjective(meta, goal.id, to["owner"], people))
    if "kind" in differs:
        found.append(objective.GiveKind(meta, goal.id, to["kind"]))
    if "cycle" in differs:
        put = objective.PutInCycle if goal.cycle is None else objective.MoveToCycle
        found.append(put(meta, goal.id, to["cycle"]))
    return found


# Key results and their bindings


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
        placed = _placed(meta, state, life, is_stated=at_of(item.added) is not None)
        values = as_committed(item, _KEY_RESULT)
        if present is None:
            if not isinstance(state, Drafted) and item.added is None:
                values = {name: getattr(item, name) for name in _KEY_RESULT}
            values["measure"] = values["measure"].definition()
            return key_result.AddKeyResult(placed, objective=row.of, key_result=item.id, **values)
        if not isinstance(state, Drafted) or present.dropped:
            return None
        names = _KEY_RESULT if life.activation is not None else _untimed(item)
        return _changes_of(present, item, values, _placed(meta, state, life), names)

    if item.added is None:
        return ImportStep(Phase.KEY_RESULTS, added, life.drafted)
    return timed(
        Rank.CHANGE, added, item.added, default_at=life.activated, after=(f"open/objective/{row.of}",)
    )


def _untimed(item: KeyResultRow) -> tuple[str, ...]:
    return _grouped(_KEY_RESULT, _GROUP_OF_KEY_RESULT, item.changed).get("", ())


def _changes(row: ImportRow, item: KeyResultRow, life: Life) -> Iterator[ImportStep]:
    """A step for each member with a time of its change, one for the others."""

    def changed(
        names: tuple[str, ...], happened: Happened | None, world: World, _: Situation, meta: Meta
    ) -> list[Command] | None:
        state, present = _there(world, row, item)
        if present is None or present.dropped or (isinstance(state, Drafted) and life.activation is not None):
            return None
        now = {name: getattr(item, name) for name in _KEY_RESULT}
        placed = _placed(meta, state, life, is_stated=at_of(happened) is not None)
        return _changes_of(present, item, now, placed, names)

    default_at = at_of(item.taken_up) or at_of(item.added) or life.activated
    after, rank = (f"open/key-result/{item.id}",), Rank.CHANGE if item.taken_up is None else Rank.DROP
    for group, names in _grouped(_KEY_RESULT, _GROUP_OF_KEY_RESULT, item.changed).items():
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
        return key_result.DropKeyResult(_placed(meta, state, life, is_stated=at is not None), item.id)

    happened = _after_what_was_said(item.dropped, f"key-result/{item.id}", said)
    after = (f"key-result/{item.id}",)
    default_at = life.activated
    return timed(Rank.DROP, dropped, happened, default_at=default_at, within="dropped", after=after)


def _taken_up(row: ImportRow, item: KeyResultRow, life: Life) -> ImportStep:
    """A key result that is listed counts, unless the row says that it is dropped."""

    def taken_up(world: World, _: Situation, meta: Meta) -> Command | None:
        state, present = _there(world, row, item)
        if present is None or not present.dropped or isinstance(state, Closed | Archived):
            return None
        placed = _placed(meta, state, life, is_stated=at_of(item.taken_up) is not None)
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


def _after_what_was_said(happened: Happened | None, on: str, said: LastStated) -> Happened | None:
    """Of a day on which something was checked in, what is left after that."""
    at = at_of(happened)
    if happened is None or not isinstance(at, Day):
        return happened
    return happened.model_copy(update={"at": at.since(said(on, at, at.ends))})


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
        placed = _placed(meta, state, life, is_stated=at_of(bound.bound) is not None)
        return binding.BindPart(placed, one.id, bound.part, *asked)

    def ended(world: World, _: Situation, meta: Meta) -> Command | None:
        state, there = present(world)
        if there != asked:
            return None
        placed = _placed(meta, state, life, is_stated=at_of(bound.unbound) is not None)
        return binding.UnbindPart(placed, one.id, bound.part)

    after = (f"key-result/{one.id}",)
    if bound.bound is None:
        at = at_of(one.added) or life.drafted
        yield ImportStep(Phase.BINDINGS, made, at, within=within, after=after)
    else:
        yield timed(Rank.CHANGE, made, bound.bound, default_at=life.activated, within=within, after=after)
    if bound.unbound is not None:
        yield timed(Rank.CHANGE, ended, bound.unbound, default_at=life.activated, within=within, after=after)


# Links


def link_id(child: str, parent: str) -> str:
    """The id of a link that has none: the same whenever the same two are linked first (UUIDv5).

    An id stands for one content for ever: where it is taken, another weight or a new beginning gets a new id.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"goal-ledger/link/{child}/{parent}"))


def link_steps(row: ImportRow, life: Life, said: LastStated) -> Iterator[ImportStep]:
    link: LinkRow = row.item  # type: ignore[assignment]
    id = link.id or link_id(row.of, link.parent)

    def made(world: World, _: Situation, meta: Meta) -> Command | None:
        state = known(world, row.of)
        present = state.goal.links.get(link.parent)
        is_former = not row.is_last or link.ended is not None
        if is_former and world.get("link", id) is not None:
            return None
        if present is not None and (present.mode, present.weight) == (link.mode, link.weight):
            return None
        name = id if world.get("link", id) is None else uuid7()
        placed = _placed(meta, state, life, is_stated=at_of(link.linked) is not None)
        return alignment.Align(placed, row.of, name, link.parent, link.mode, link.weight)

    def ended(world: World, _: Situation, meta: Meta) -> Command | None:
        state, at = known(world, row.of), at_of(link.ended)
        is_over = not row.is_last and (at is None or state.goal.last_effective_at > at)
        if is_over or link.parent not in state.goal.links:
            return None
        placed = _placed(meta, state, life, is_stated=at is not None)
        return alignment.Unalign(placed, row.of, parent=link.parent)

    after = (link.parent,)
    if link.linked is None:
        yield ImportStep(Phase.LINKS, made, life.drafted, after=after)
    else:
        yield timed(Rank.LINK, made, link.linked, default_at=life.drafted, after=after)
    if link.ended is not None:
        yield timed(Rank.CHANGE, ended, link.ended, within="ended", after=after)


# Closings


def closing_steps(row: ImportRow, life: Life, said: LastStated) -> Iterator[ImportStep]:
    closing: ClosingRow = row.item  # type: ignore[assignment]

    def is_past(state: Objective, at: datetime | None) -> bool:
        """Whether the goal has lived on since then."""
        at = at.ends if isinstance(at, Day) else at
        return at is not None and state.goal.last_effective_at > at

    def closed(world: World, _: Situation, meta: Meta) -> Command | None:
        state = known(world, row.of)
        over = closing.reopened is not None or not row.is_last
        if over and (is_past(state, closing.at) or isinstance(state, Closed | Archived)):
            return None
        if not row.is_last and closing.at is None:
            return None
        return lifecycle.CloseObjective(
            kept(meta, state.goal.last_effective_at),
            row.of,
            closing.outcome,
            grade=closing.grade,
            suggested=closing.suggested,
            author=closing.author,
            retrospective=closing.retrospective,
        )

    def reopened(world: World, _: Situation, meta: Meta) -> Command | None:
        state = known(world, row.of)
        if not isinstance(state, Closed | Archived) or is_past(state, at_of(closing.reopened)):
            return None
        return lifecycle.ReopenObjective(kept(meta, state.goal.last_effective_at), row.of)

    happened = Happened.model_construct(at=closing.at, order=closing.order, reason=closing.reason)
    then = _after_what_was_said(happened, f"objective/{row.of}", said)
    looked_up = lookups(lifecycle.CloseObjective(_NOBODY, row.of, closing.outcome))
    after = (f"open/objective/{row.of}",)
    step = timed(Rank.CLOSING, closed, then, after=after, lookups=looked_up)
    yield step
    if closing.reopened is not None:
        again = timed(Rank.REOPENING, reopened, closing.reopened, within="reopened", after=after)
        if isinstance(again.at, Day):
            again.at = again.comes_at = again.at.since(step.at)
        yield again


_NOBODY = Meta(actor="", correlation_id="", causation_id="")
__all__ = ["closing_steps", "key_result_steps", "link_id", "link_steps", "objective_steps"]
