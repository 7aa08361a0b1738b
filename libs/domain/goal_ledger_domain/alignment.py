"""Alignment: what an objective contributes to or supports, with no loop anywhere.

One link per (child, parent); aligning again with another mode or weight records the link anew under the id it has. In
the test for loops a key result counts as its objective, and links of both modes count. All commands of a workspace are
decided one after another on one fold, so of two links that would close a loop together the second is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.measures import Aligned
from goal_ledger_contracts.objective import ObjectiveAligned, ObjectiveUnaligned

from goal_ledger_domain import limits, text, values
from goal_ledger_domain.command import Meta
from goal_ledger_domain.goal import Archived, Closed, KeyResult, Link, Objective, known, known_key_result
from goal_ledger_domain.part import Part
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.standing import define, same
from goal_ledger_domain.world import World

MODES = ("contributes", "supports")


@dataclass(frozen=True, slots=True)
class Align:
    """``parent`` is ``objective/<id>`` or ``key-result/<id>``."""

    meta: Meta
    objective: str
    link: str
    parent: str
    mode: str = "contributes"
    weight: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Unalign:
    """Named by its ``link``, its ``parent``, or both."""

    meta: Meta
    objective: str
    link: str | None = None
    parent: str | None = None


Command = Align | Unalign


def decide(world: World, command: Command, situation: Situation) -> Decision:
    match command:
        case Align():
            return _align(world, command, situation)
        case Unalign():
            return _unalign(world, command, situation)
    assert_never(command)


def _align(world: World, command: Align, situation: Situation) -> Decision:
    state = known(world, command.objective)
    above, key_result = _parent(world, command.parent)
    mode, weight = text.choice(command.mode, "mode", MODES), values.weight(command.weight, "weight")
    present = state.goal.links.get(command.parent)
    link = Link(_link_id(world, command, present), command.parent, mode, weight)
    if present == link:
        return same(state, id=link.id)
    if present is None:
        text.at_most((*state.goal.links, link), "links", limits.LINKS_MAX_ITEMS)
    _need_linkable(state, above)
    if key_result is not None:
        _need_takes(key_result, mode)
    _need_no_loop(world, state.goal.id, above.goal.id)
    data = ObjectiveAligned(link.id, link.parent, mode, weight)
    return define(world, command.meta, situation, state, data, "aligning an objective", id=link.id)


def _link_id(world: World, command: Align, present: Link | None) -> str:
    """The id that the link has, else the one that the client chose: free, or once that of these two."""
    id = text.id_of(command.link, "link")
    if world.get("link", id) not in (None, (command.objective, command.parent)):
        raise Refusal("id_taken", f"There is another link {id}.", field="link")
    return id if present is None else present.id


def _parent(world: World, parent: str) -> tuple[Objective, KeyResult | None]:
    """The objective that the parent is, or that it is under."""
    kind, id = text.reference(parent, "parent", "objective", "key-result")
    return (
        (known(world, id, "parent"), None) if kind == "objective" else known_key_result(world, id, "parent")
    )


def _need_takes(key_result: KeyResult, mode: str) -> None:
    name = f"key-result/{key_result.id}"
    if key_result.dropped:
        raise Refusal("key_result_dropped", f"{name} is dropped.", field="parent")
    if mode == "contributes" and not isinstance(key_result.measure, Aligned):
        sentence = f"{name} has a measure of its own; only one that is aligned takes contributions."
        raise Refusal("key_result_has_own_measure", sentence, field="parent")


def _need_linkable(state: Objective, above: Objective) -> None:
    if above.goal.id == state.goal.id:
        sentence = f"{state.goal.stream} cannot be aligned to itself."
        raise Refusal("aligned_to_itself", sentence, field="parent", path=[state.goal.id, above.goal.id])
    if isinstance(above, Closed | Archived):
        sentence = f"{above.goal.stream} is closed: nothing new is linked to it."
        raise Refusal("parent_closed", sentence, field="parent")


def _need_no_loop(world: World, child: str, parent: str) -> None:
    path = _path(world, parent, child)
    if path is not None:
        path = [child, *path]
        sentence = f"The alignment would close a loop: {' → '.join(path)}."
        raise Refusal("alignment_loop", sentence, field="parent", path=path)


def parents(world: World, objective: str) -> Iterator[str]:
    """The objectives above; a key result counts as its objective. In order of alignment."""
    for parent in world.get("objective", objective).goal.links:
        kind, _, id = parent.partition("/")
        yield id if kind == "objective" else world.get("key-result", id)


def _path(world: World, start: str, end: str) -> list[str] | None:
    """The objectives from ``start`` up to ``end``, both included, or None. Each objective is looked at once."""
    came_from: dict[str, str | None] = {start: None}
    waiting = [start]
    while waiting:
        at = waiting.pop()
        if at == end:
            return _walked(came_from, at)
        for above in parents(world, at):
            if above not in came_from:
                came_from[above] = at
                waiting.append(above)
    return None


def _walked(came_from: dict[str, str | None], end: str) -> list[str]:
    path: list[str] = []
    at: str | None = end
    while at is not None:
        path.append(at)
        at = came_from[at]
    return path[::-1]


def _unalign(world: World, command: Unalign, situation: Situation) -> Decision:
    state = known(world, command.objective)
    link = _present(world, command, state)
    if link is None:
        return same(state, id=command.link)
    data = ObjectiveUnaligned(link.id, link.parent)
    return define(world, command.meta, situation, state, data, "unaligning an objective", id=link.id)


def _present(world: World, command: Unalign, state: Objective) -> Link | None:
    """The link in force; None if it was ended before. Refuses one that never was."""
    parent = command.parent
    if command.link is not None:
        child, of_link = world.get("link", command.link) or (None, None)
        if child != state.goal.id or parent not in (None, of_link):
            raise Refusal("unknown_link", f"{state.goal.stream} has no such link.", field="link")
        parent = of_link
    if parent is None:
        raise Refusal("field_required", "Name the link or its parent.", field="parent")
    _parent(world, parent)
    return state.goal.links.get(parent)


PART = Part(commands=(Align, Unalign), decide=decide)
