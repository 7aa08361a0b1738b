"""Objectives with their links, life and closings: the steps of their rows; key results have a file of their own.

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
from typing import Any

from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.ids import uuid7
from goal_ledger_domain import alignment, lifecycle, objective
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import lookups
from goal_ledger_domain.decider import Command
from goal_ledger_domain.goal import Archived, Closed, Definition, Drafted, Objective, known
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import (
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
_GROUP = {
    "title": "wording",
    "description": "wording",
    "owner": "assignment",
    "contributors": "assignment",
    "kind": "kind",
    "cycle": "cycle",
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


def place(meta: Meta, state: Objective, life: Life, *, is_stated: bool = False) -> Meta:
    """With the time at which a change takes effect (see above)."""
    last, at = state.goal.last_effective_at, meta.effective_at
    if at is not None and (is_stated or at >= last):
        return kept(meta, last)
    has_more_past = life.latest is not None and life.latest > last
    return replace(meta, effective_at=last if isinstance(state, Drafted) or has_more_past else None)


def grouped(names: tuple[str, ...], groups: dict[str, str], changed: Any) -> dict[str, tuple[str, ...]]:
    """The members by the group whose change has a time of its own; the others under an empty name."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        group = groups[name] if groups[name] in changed else ""
        found[group] = (*found.get(group, ()), name)
    return found


def objective_steps(row: ImportRow, life: Life, said: LastStated) -> Iterator[ImportStep]:
    item: ObjectiveRow = row.item  # type: ignore[assignment]
    by_group = grouped(_OBJECTIVE, _GROUP, item.changed)

    def drafted(world: World, _: Situation, meta: Meta) -> Command | list[Command]:
        values, state = as_committed(item, _OBJECTIVE), world.get("objective", item.id)
        if state is None:
            return objective.DraftObjective(meta, objective=item.id, carried_from=item.carried_from, **values)
        if not isinstance(state, Drafted):
            return []
        names = _OBJECTIVE if item.activated is not None else by_group.get("", ())
        return _definition_changes(state.goal, item, values, place(meta, state, life), names)

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
            meta = place(meta, state, life, is_stated=is_stated)
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
        placed = place(meta, state, life, is_stated=at_of(happened) is not None)
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
        placed = place(meta, state, life, is_stated=at_of(link.linked) is not None)
        return alignment.Align(placed, row.of, name, link.parent, link.mode, link.weight)

    def ended(world: World, _: Situation, meta: Meta) -> Command | None:
        state, at = known(world, row.of), at_of(link.ended)
        is_over = not row.is_last and (at is None or state.goal.last_effective_at > at)
        if is_over or link.parent not in state.goal.links:
            return None
        placed = place(meta, state, life, is_stated=at is not None)
        return alignment.Unalign(placed, row.of, parent=link.parent)

    after = (link.parent,)
    if link.linked is None:
        yield ImportStep(Phase.LINKS, made, life.drafted, after=after)
    else:
        yield timed(Rank.LINK, made, link.linked, default_at=life.drafted, after=after)
    if link.ended is not None:
        yield timed(Rank.CHANGE, ended, link.ended, within="ended", after=after)


# Closings


def after_what_was_said(happened: Happened | None, on: str, said: LastStated) -> Happened | None:
    """Of a day on which something was checked in, what is left after that."""
    at = at_of(happened)
    if happened is None or not isinstance(at, Day):
        return happened
    return happened.model_copy(update={"at": at.since(said(on, at, at.ends))})


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
    then = after_what_was_said(happened, f"objective/{row.of}", said)
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
