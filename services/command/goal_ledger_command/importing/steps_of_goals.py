"""Objectives with their key results, bindings, links, life and closings: the steps of their rows.

A goal that is not there is drafted as it was committed, activated, and then changed into what it is now; one that is
there is compared with what it is now. A draft is compared with what it will be committed as.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.ids import uuid7
from goal_ledger_domain import alignment, binding, key_result, lifecycle, objective
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import lookups
from goal_ledger_domain.goal import Archived, Closed, Definition, Drafted, KeyResult, Objective, known
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import (
    BindingRow,
    ClosingRow,
    Happened,
    KeyResultOfObjective,
    KeyResultRow,
    LinkRow,
    ObjectiveRow,
    at_of,
)
from goal_ledger_command.importing.steps import Command, Missing, Phase, Rank, Step, now_if_before, timed

_OBJECTIVE = ("title", "description", "owner", "contributors", "kind", "cycle")
_KEY_RESULT = ("text", "measure", "weight", "owner")
_GROUP = {
    "title": "wording",
    "description": "wording",
    "owner": "assignment",
    "contributors": "assignment",
    "kind": "kind",
    "cycle": "cycle",
}
Values = dict[str, Any]
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_NO_PLACES: Mapping[str, tuple[str, ...]] = {}


def drafted_at(row: ObjectiveRow) -> datetime | None:
    """Left out: when it was activated, or closed as a draft."""
    closed_at = row.closings[0].at if row.closings else None
    return at_of(row.drafted) or at_of(row.activated) or closed_at


def activated_at(row: ObjectiveRow) -> datetime | None:
    """Left out: when it was drafted, else with its first closing."""
    return at_of(row.activated) or drafted_at(row)


def as_committed(row: ObjectiveRow | KeyResultRow, names: tuple[str, ...]) -> Values:
    """The row's values with those of ``committed`` in their place."""
    values = {name: getattr(row, name) for name in names}
    if row.committed is not None:
        values |= {
            name: getattr(row.committed, name) for name in names if name in row.committed.model_fields_set
        }
    return values


def of_objective(
    place: str, row: ObjectiveRow, places: Mapping[str, tuple[str, ...]] = _NO_PLACES
) -> Iterator[Step]:
    """``places``: where the rows within it stand."""
    id = row.id

    def drafted(world: World, _: Situation, meta: Meta) -> Command | list[Command]:
        values, state = as_committed(row, _OBJECTIVE), world.get("objective", id)
        if state is None:
            return objective.DraftObjective(meta, objective=id, carried_from=row.carried_from, **values)
        if not isinstance(state, Drafted):
            return []
        return _definition_changes(state.goal, row, values, _of_draft(meta, state), _OBJECTIVE)

    why = row.drafted.reason if row.drafted else None
    yield Step(place, "objective", id, Phase.DRAFTS, drafted, drafted_at(row), why)
    if row.activated is not None:
        yield from _activation(place, row)
    for at, one in zip(places.get("key_results", ()), row.key_results, strict=True):
        yield from _key_result(at, row, one)
    for number, (at, link) in enumerate(zip(places.get("links", ()), row.links, strict=True)):
        is_last = all(other.parent != link.parent for other in row.links[number + 1 :])
        yield from _link(at, row, link, is_last)
    for number, (at, closing) in enumerate(zip(places.get("closings", ()), row.closings, strict=True)):
        yield from _closing(at, row, closing, number == len(row.closings) - 1)
    if row.archived is not None:
        yield timed(
            f"{place}/archived",
            "archiving",
            id,
            Rank.ARCHIVING,
            lambda world, _, meta: lifecycle.ArchiveObjective(meta, id),
            row.archived,
        )


def _of_draft(meta: Meta, state: Objective) -> Meta:
    return now_if_before(meta, state.goal.last_effective_at)


def _activation(place: str, row: ObjectiveRow) -> Iterator[Step]:
    def activated(world: World, _: Situation, meta: Meta) -> Command | None:
        return lifecycle.Activate(meta, row.id) if isinstance(known(world, row.id), Drafted) else None

    activation = timed(f"{place}/activated", "activation", row.id, Rank.ACTIVATION, activated, row.activated)
    activation.at = activated_at(row)
    activation.comes_at = activation.at or _BEGINNING
    yield activation
    by_group: dict[str, list[str]] = {}
    for name in _OBJECTIVE:
        by_group.setdefault(_GROUP[name] if _GROUP[name] in row.changed else "", []).append(name)
    for group, names in by_group.items():

        def changed(
            names: list[str], world: World, _: Situation, meta: Meta
        ) -> Command | list[Command] | None:
            state = known(world, row.id)
            if isinstance(state, Drafted):
                return None
            now = {name: getattr(row, name) for name in _OBJECTIVE}
            return _definition_changes(state.goal, row, now, _of_draft(meta, state), tuple(names))

        happened = row.changed.get(group)  # type: ignore[call-overload]
        yield timed(
            place,
            "objective",
            row.id,
            Rank.CHANGE,
            partial(changed, names),
            happened,
            default_at=activated_at(row),
        )


def _definition_changes(
    goal: Definition, row: ObjectiveRow, to: Values, meta: Meta, names: tuple[str, ...]
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


def of_key_result(place: str, row: KeyResultOfObjective) -> Iterator[Step]:
    """Of an objective that is there already, or in another row."""
    owner = ObjectiveRow(id=row.objective, title="", owner="", activated=Happened())
    yield from _key_result(place, owner, row)


def _key_result(place: str, row: ObjectiveRow, one: KeyResultRow) -> Iterator[Step]:
    def there(world: World) -> tuple[Objective, KeyResult | None]:
        state = known(world, row.id)
        return state, state.goal.key_results.get(one.id)

    def added(world: World, _: Situation, meta: Meta) -> Command | list[Command] | None:
        state, present = there(world)
        later = _of_draft(meta, state)
        values = as_committed(one, _KEY_RESULT)
        if present is None:
            if not isinstance(state, Drafted) and one.added is None:
                values = {name: getattr(one, name) for name in _KEY_RESULT}
            values["measure"] = values["measure"].definition()
            return key_result.AddKeyResult(later, objective=row.id, key_result=one.id, **values)
        if not isinstance(state, Drafted) or present.dropped:
            return None
        return _changes_of(present, one, values, later, _KEY_RESULT)

    def changed(names: tuple[str, ...], world: World, _: Situation, meta: Meta) -> list[Command] | None:
        state, present = there(world)
        if present is None or isinstance(state, Drafted) or present.dropped:
            return None
        now = {name: getattr(one, name) for name in _KEY_RESULT}
        return _changes_of(present, one, now, _of_draft(meta, state), names)

    def dropped(world: World, _: Situation, meta: Meta) -> Command:
        return key_result.DropKeyResult(_of_draft(meta, known(world, row.id)), one.id)

    if one.added is None:
        yield Step(place, "key result", one.id, Phase.KEY_RESULTS, added, drafted_at(row))
    else:
        yield timed(place, "key result", one.id, Rank.CHANGE, added, one.added, default_at=activated_at(row))
    if row.activated is not None:
        yield from _changes(place, row, one, changed)
    for number, bound in enumerate(one.bindings):
        yield from _binding(f"{place}/bindings/{number}", row, one, bound)
    if one.dropped is not None:
        yield timed(
            place, "key result", one.id, Rank.CHANGE, dropped, one.dropped, default_at=activated_at(row)
        )


def _changes(place: str, row: ObjectiveRow, one: KeyResultRow, changed: Any) -> Iterator[Step]:
    """A step for each member with a time of its change, one for the others."""
    default_at = at_of(one.added) or activated_at(row)
    others = tuple(name for name in _KEY_RESULT if name not in one.changed)
    for names, happened in (
        (others, None),
        *(((name,), one.changed[name]) for name in _KEY_RESULT if name in one.changed),
    ):
        yield timed(
            place, "key result", one.id, Rank.CHANGE, partial(changed, names), happened, default_at=default_at
        )


def _changes_of(
    present: KeyResult, row: KeyResultRow, to: Values, meta: Meta, names: tuple[str, ...]
) -> list[Command]:
    stated = row.model_fields_set | (row.committed.model_fields_set if row.committed else set())
    found: list[Command] = []
    if "text" in names:
        found.append(key_result.RewordKeyResult(meta, present.id, to["text"]))
    if "measure" in names:
        found.append(key_result.ChangeMeasure(meta, present.id, to["measure"].definition()))
    if "weight" in names and "weight" in stated:
        found.append(key_result.ChangeKeyResultWeight(meta, present.id, to["weight"]))
    if "owner" in names and "owner" in stated:
        found.append(key_result.ChangeKeyResultOwner(meta, present.id, to["owner"]))
    return found


def _binding(place: str, row: ObjectiveRow, one: KeyResultRow, bound: BindingRow) -> Iterator[Step]:
    name = f"{one.id}/{bound.part}"
    asked = (bound.feed, bound.aggregation)

    def present(world: World) -> tuple[Objective, tuple[str, str] | None]:
        state = known(world, row.id)
        found = state.goal.key_results.get(one.id)
        there = None if found is None else found.bindings.get(bound.part)
        return state, None if there is None else (there.feed, there.aggregation)

    def made(world: World, _: Situation, meta: Meta) -> Command | None:
        state, there = present(world)
        if there == asked or (bound.unbound is not None and not isinstance(state, Drafted)):
            return None
        return binding.BindPart(_of_draft(meta, state), one.id, bound.part, *asked)

    def ended(world: World, _: Situation, meta: Meta) -> Command | None:
        state, there = present(world)
        return binding.UnbindPart(_of_draft(meta, state), one.id, bound.part) if there == asked else None

    default_at = at_of(row.activated)
    if bound.bound is None:
        yield Step(place, "binding", name, Phase.BINDINGS, made, at_of(one.added) or drafted_at(row))
    else:
        yield timed(place, "binding", name, Rank.CHANGE, made, bound.bound, default_at=default_at)
    if bound.unbound is not None:
        yield timed(place, "binding", name, Rank.CHANGE, ended, bound.unbound, default_at=default_at)


# Links


def link_id(child: str, parent: str) -> str:
    """The id of a link that has none: the same whenever the same two are linked first (UUIDv5).

    An id stands for one content for ever: where it is taken, another weight or a new beginning gets a new id.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"goal-ledger/link/{child}/{parent}"))


def _link(place: str, row: ObjectiveRow, link: LinkRow, is_last: bool) -> Iterator[Step]:
    id = link.id or link_id(row.id, link.parent)

    def made(world: World, _: Situation, meta: Meta) -> Command | None:
        state = known(world, row.id)
        present = state.goal.links.get(link.parent)
        is_former = not is_last or link.ended is not None
        if is_former and world.get("link", id) is not None:
            return None
        if present is not None and (present.mode, present.weight) == (link.mode, link.weight):
            return None
        name = id if world.get("link", id) is None else uuid7()
        return alignment.Align(_of_draft(meta, state), row.id, name, link.parent, link.mode, link.weight)

    def ended(world: World, _: Situation, meta: Meta) -> Command | None:
        state, at = known(world, row.id), at_of(link.ended)
        is_over = not is_last and (at is None or state.goal.last_effective_at > at)
        if is_over or link.parent not in state.goal.links:
            return None
        return alignment.Unalign(_of_draft(meta, state), row.id, parent=link.parent)

    name = f"{row.id} → {link.parent}"
    if link.linked is None:
        yield Step(place, "link", name, Phase.LINKS, made, drafted_at(row))
    else:
        yield timed(place, "link", name, Rank.LINK, made, link.linked, default_at=drafted_at(row))
    if link.ended is not None:
        yield timed(place, "link", name, Rank.CHANGE, ended, link.ended)


# Closings


def _closing(place: str, row: ObjectiveRow, closing: ClosingRow, is_last: bool) -> Iterator[Step]:
    def is_past(state: Objective, at: datetime | None) -> bool:
        """Whether the goal has lived on since then."""
        return at is not None and state.goal.last_effective_at > at

    def closed(world: World, _: Situation, meta: Meta) -> Command | None:
        state = known(world, row.id)
        over = closing.reopened is not None or not is_last
        if over and (is_past(state, closing.at) or isinstance(state, Closed | Archived)):
            return None
        if not is_last and closing.at is None:
            return None
        return lifecycle.CloseObjective(
            meta,
            row.id,
            closing.outcome,
            grade=closing.grade,
            suggested=closing.suggested,
            author=closing.author,
            retrospective=closing.retrospective,
        )

    def reopened(world: World, _: Situation, meta: Meta) -> Command | None:
        state = known(world, row.id)
        if not isinstance(state, Closed | Archived) or is_past(state, at_of(closing.reopened)):
            return None
        return lifecycle.ReopenObjective(meta, row.id)

    happened = Happened.model_construct(at=closing.at, order=closing.order, reason=closing.reason)
    looked_up = lookups(lifecycle.CloseObjective(_NOBODY, row.id, closing.outcome))
    yield timed(place, "closing", row.id, Rank.CLOSING, closed, happened, lookups=looked_up)
    if closing.reopened is not None:
        yield timed(f"{place}/reopened", "reopening", row.id, Rank.REOPENING, reopened, closing.reopened)


_NOBODY = Meta(actor="", correlation_id="", causation_id="")
__all__ = ["Missing", "link_id", "of_objective"]
