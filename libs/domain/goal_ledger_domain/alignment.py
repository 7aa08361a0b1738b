"""Alignment: what an objective contributes to or supports, with no loop anywhere.

A link is known by its id, and an id stands for one content (child, parent, mode, weight) for ever. There is one link per
(child, parent): to change its mode or weight, the two are aligned anew under another id, and the new link takes the
place of the one before. In the test for loops a key result counts as its objective, and links of both modes count. All
commands of a workspace are decided one after another on one fold, so of two links that would close a loop together the
second is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.decision import Claim, Decision, Identity, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import Aligned
from goal_ledger_contracts.objective import ObjectiveAligned, ObjectiveUnaligned
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import limits, text, values
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import (
    Archived,
    Closed,
    Definition,
    KeyResult,
    Link,
    Objective,
    contributing,
    defines,
    its_objective,
    known,
    known_key_result,
)
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import define, same
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
    """Named by its ``link``, its ``parent``, or both. A link that another took the place of stands for that one."""

    meta: Meta
    objective: str
    link: str | None = None
    parent: str | None = None


def identity(link: str) -> Identity:
    """Holds the link as it was recorded first."""
    return Identity("link", (link,))


def _lookups(command: Align) -> tuple[Identity, ...]:
    return (identity(command.link),)


def _align(world: World, command: Align, situation: Situation) -> Decision:
    state = known(world, command.objective)
    above, key_result = _parent(world, command.parent)
    mode, weight = text.choice(command.mode, "mode", MODES), values.weight(command.weight, "weight")
    link = Link(text.id_of(command.link, "link"), command.parent, mode, weight)
    if world.get("link", link.id) is not None:
        return _again(world, state, link, situation)
    present = state.goal.links.get(link.parent)
    if present is not None and (present.mode, present.weight) == (mode, weight):
        return same(state, id=present.id)
    if present is None:
        text.at_most((*state.goal.links, link), "links", limits.LINKS_MAX_ITEMS)
    _need_linkable(state, above)
    if key_result is not None:
        _need_takes(key_result, mode)
    _need_no_loop(world, state.goal.id, above.goal.id)
    data = ObjectiveAligned(link.id, link.parent, mode, weight)
    aligned = define(world, command.meta, situation, state, data, "aligning an objective", id=link.id)
    return replace(aligned, claims=(Claim(identity(link.id), 0, link.parent),))


def _again(world: World, state: Objective, link: Link, situation: Situation) -> Decision:
    """The same link once more, whatever became of it since; or another one under its id.

    Older facts hold links whose weight was changed under the id that they had: both contents are theirs.
    """
    child, first = world.get("link", link.id)
    if child == state.goal.id and link in (first, state.goal.links.get(link.parent)):
        found = situation.found.get(identity(link.id))
        return Decision(link.id, state.goal.stream, same_as=found.fact if found else None)
    sentence = f"There is another link {link.id}; to change a mode or weight, align under a new id."
    raise Refusal("id_taken", sentence, field="link")


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


def need_can_take(world: World, parent: str, mode: str) -> None:
    """The parent, whatever is linked to it, can take one more link. Refuses ``parent_closed`` and what ``Align`` does."""
    above, key_result = _parent(world, parent)
    _need_open(above)
    if key_result is not None:
        _need_takes(key_result, mode)


def _need_linkable(state: Objective, above: Objective) -> None:
    if above.goal.id == state.goal.id:
        sentence = f"{state.goal.stream} cannot be aligned to itself."
        raise Refusal("aligned_to_itself", sentence, field="parent", path=[state.goal.id, above.goal.id])
    _need_open(above)


def _need_open(above: Objective) -> None:
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
        child, of_link = _ends(world, command.link)
        if child != state.goal.id or parent not in (None, of_link):
            raise Refusal("unknown_link", f"{state.goal.stream} has no such link.", field="link")
        parent = of_link
    if parent is None:
        raise Refusal("field_required", "Name the link or its parent.", field="parent")
    _parent(world, parent)
    return state.goal.links.get(parent)


def _ends(world: World, link: str) -> tuple[str | None, str | None]:
    """(child, parent) of a link, if there ever was one of this id."""
    recorded = world.get("link", link)
    return (None, None) if recorded is None else (recorded[0], recorded[1].parent)


def _aligned(goal: Definition, fact: Fact) -> dict[str, Any]:
    link = _link_of(fact.data)
    return {"links": {**goal.links, link.parent: link}}


def _unaligned(goal: Definition, fact: Fact) -> dict[str, Any]:
    return {"links": {parent: link for parent, link in goal.links.items() if parent != fact.data.parent}}


def _link_of(data: ObjectiveAligned) -> Link:
    return Link(data.link, data.parent, data.mode, data.weight)


_define_aligned, _define_unaligned = defines(_aligned), defines(_unaligned)


def _fold_aligned(world: World, fact: Fact) -> None:
    link = _link_of(fact.data)
    if world.get("link", link.id) is None:
        world.put("link", link.id, (fact.stream_id, link))
    _count(world, _link_to(world, fact), -1)
    _count(world, link, +1)
    _define_aligned(world, fact)


def _fold_unaligned(world: World, fact: Fact) -> None:
    _count(world, _link_to(world, fact), -1)
    _define_unaligned(world, fact)


def _link_to(world: World, fact: Fact) -> Link | None:
    """The link to the fact's parent that is in force before it."""
    state: Objective = world.get("objective", fact.stream_id)
    return state.goal.links.get(fact.data.parent)


def _count(world: World, link: Link | None, by: int) -> None:
    if link is not None and link.mode == "contributes":
        world.put("contributing", link.parent, contributing(world, link.parent) + by)


DECIDER = Decider(
    commands={
        # A goal states itself what it contributes to: the parent is not asked, only that it is there and open.
        Align: Rule(
            _align,
            may=Permission.DEFINE_GOAL,
            on=its_objective,
            shows="link",
            creates=True,
            lookups=_lookups,
        ),
        Unalign: Rule(_unalign, may=Permission.DEFINE_GOAL, on=its_objective, shows="link"),
    },
    folds={
        ObjectiveAligned: _fold_aligned,
        ObjectiveUnaligned: _fold_unaligned,
    },
)
