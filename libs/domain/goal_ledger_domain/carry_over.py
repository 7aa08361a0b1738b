"""Carrying an objective over into a new one that continues it: what is taken along, what changes, what is left behind.

Only one objective continues another. Taken are title, description, kind, owner, contributors, key results with measures,
weights and bindings, and links to parents that can still take one; a parent that was itself carried over stands for its
continuation, first of all the one in the same cycle. A fixed window within the old cycle becomes the new cycle's, a
window from a moment stays. What became of each thing, and why, is part of the fact.

Key results get the ids named in the command, else ids that follow from the new objective's and the old key result's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.canonical import decimal_text
from goal_ledger_contracts.decision import Claim, Decision, Situation
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.measures import (
    Compound,
    Decrease,
    Increase,
    Measure,
    Ranged,
    Reach,
    Simple,
    Window,
    parts_of,
)
from goal_ledger_contracts.objective import (
    CarriedThing,
    KeyResultAdded,
    ObjectiveAligned,
    ObjectiveCarriedOver,
    ObjectiveDrafted,
    PartBound,
)
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import alignment, cycle, measure, policy, text
from goal_ledger_domain.binding import need_bindable
from goal_ledger_domain.command import Meta, draft
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import (
    Archived,
    Definition,
    Drafted,
    KeyResult,
    Link,
    Objective,
    defines,
    its_objective,
    known,
)
from goal_ledger_domain.objective import need_open_to_goals
from goal_ledger_domain.owners import need_owner
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import changed
from goal_ledger_domain.world import World

KEEP, LAST = BASELINES = ("keep", "last")
TAKEN, CHANGED, LEFT_BEHIND = "taken", "changed", "left_behind"
ABSOLUTE = frozenset({"last", "max", "mean", "min"})
"""Aggregations whose value is where things stand, not what was added in a period."""


@dataclass(frozen=True, slots=True)
class LastValue:
    """The value of a part in force when the goal is carried over, or when it was closed."""

    key_result: str
    part: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class CarryOver:
    """``into`` is the id of the new objective; ``key_results`` are pairs of an old id and the new one.

    ``baseline``: keep, or last: the baseline of an absolute measure becomes its last value, of which the command brings
    those that there are. The answer is about the new objective; ``If-Match`` asks about the old one.
    """

    meta: Meta
    objective: str
    into: str
    cycle: str | None = None
    key_results: tuple[tuple[str, str], ...] = ()
    baseline: str = KEEP
    last_values: tuple[LastValue, ...] = field(default=(), repr=False)


def _carry_over(world: World, command: CarryOver, situation: Situation) -> Decision:
    state, into = known(world, command.objective), text.id_of(command.into, "into")
    text.choice(command.baseline, "baseline", BASELINES)
    before, stream = state.goal.carried_into, f"objective/{command.into}"
    if before is not None:
        if before == into and known(world, into).goal.drafted.cycle == command.cycle:
            return Decision(into, stream, if_match=state.goal.stream)
        sentence = f"{state.goal.stream} was carried over into {before}."
        raise Refusal("already_carried_over", sentence, into=before)
    if world.get("objective", into) is not None:
        raise Refusal("id_taken", f"There is another objective {into}.", field="into")
    _need_carriable(world, command, state)
    carrying = _Carrying(world, command, state.goal)
    begun = list(carrying.begun())
    data = ObjectiveCarriedOver(into, command.cycle, tuple(carrying.things))
    drafts = [draft(command.meta, situation, stream, one, after=None) for one in begun]
    return Decision(
        into,
        stream,
        (*changed(command.meta, situation, state, data).drafts, *drafts),
        tuple(_claims(begun)),
        if_match=state.goal.stream,
    )


def _claims(begun: list[FactData]) -> Iterator[Claim]:
    for number, one in enumerate(begun, 1):
        if isinstance(one, ObjectiveAligned):
            yield Claim(alignment.identity(one.link), number, one.parent)


def _need_carriable(world: World, command: CarryOver, state: Objective) -> None:
    if isinstance(state, Drafted):
        sentence = f"{state.goal.stream} is a draft: move it to the cycle."
        raise Refusal("objective_is_draft", sentence)
    if isinstance(state, Archived):
        raise Refusal("objective_archived", f"{state.goal.stream} is archived.")
    for old, _ in command.key_results:
        if old not in state.goal.key_results or state.goal.key_results[old].dropped:
            sentence = f"{state.goal.stream} has no key result {old[:64]} to carry over."
            raise Refusal("unknown_key_result", sentence, field="key_results")
    if command.cycle is not None:
        if command.cycle == state.goal.cycle:
            sentence = f"{state.goal.stream} is in the cycle {command.cycle}."
            raise Refusal("same_cycle", sentence, field="cycle")
        need_open_to_goals(world, command.meta, command.cycle, "carrying an objective over")


class _Carrying:
    """Makes the first facts of the new objective, and notes what becomes of each thing of the old one."""

    def __init__(self, world: World, command: CarryOver, goal: Definition) -> None:
        self._world, self._command, self._goal = world, command, goal
        self._named = dict(command.key_results)
        self._last = {(one.key_result, one.part): one.value for one in command.last_values}
        self._ids: set[str] = set()
        self.things: list[CarriedThing] = []

    def begun(self) -> Iterator[FactData]:
        yield self._drafted()
        for one in self._goal.key_results.values():
            if one.dropped:
                self._note(f"key_results/{one.id}", LEFT_BEHIND, why="key_result_dropped")
            else:
                yield from self._key_result(one)
        for link in self._goal.links.values():
            yield from self._link(link)

    def _note(self, thing: str, became: str, into: str | None = None, why: str | None = None) -> None:
        self.things.append(CarriedThing(thing, became, into, why))

    def _refused(self, need: Callable[..., Any], *about: Any) -> str | None:
        """The code with which this is refused now; None: it is not."""
        try:
            need(self._world, *about)
        except Refusal as refusal:
            return refusal.code
        return None

    def _drafted(self) -> ObjectiveDrafted:
        goal = self._goal
        for name in ("title", "description", "kind"):
            if getattr(goal, name) is not None:
                self._note(name, TAKEN)
        self._note("owner", TAKEN, why=self._refused(need_owner, goal.owner, "owner"))
        return ObjectiveDrafted(
            title=goal.title,
            owner=goal.owner,
            description=goal.description,
            kind=goal.kind,
            cycle=self._command.cycle,
            contributors=tuple(one for one in goal.contributors if self._may_contribute(one)),
            carried_from=goal.id,
        )

    def _may_contribute(self, one: str) -> bool:
        why = self._refused(need_owner, one, "contributors")
        self._note(f"contributors/{one}", TAKEN if why is None else LEFT_BEHIND, why=why)
        return why is None

    def _key_result(self, one: KeyResult) -> Iterator[FactData]:
        id = self._id(one)
        self._note(f"key_results/{one.id}", TAKEN, into=f"key-result/{id}")
        carried = self._measure(one)
        owner = one.owner
        if owner is not None and (why := self._refused(need_owner, owner, "owner")) is not None:
            self._note(f"key_results/{one.id}/owner", LEFT_BEHIND, why=why)
            owner = None
        yield KeyResultAdded(id, one.text, carried, one.weight, owner, one.description, one.id)
        yield from self._bindings(one, id, carried)

    def _id(self, one: KeyResult) -> str:
        id = text.id_of(self._named.get(one.id) or id_within(self._command.into, one.id), "key_results")
        if id in self._ids or self._world.get("key-result", id) is not None:
            raise Refusal("id_taken", f"There is another key result {id}.", field="key_results")
        self._ids.add(id)
        return id

    def _bindings(self, one: KeyResult, id: str, carried: Measure) -> Iterator[PartBound]:
        there = replace(self._goal, cycle=self._command.cycle)
        for part, binding in sorted(one.bindings.items()):
            why = self._refused(need_bindable, parts_of(carried)[part], binding, there)
            self._note(
                f"key_results/{one.id}/bindings/{part}", TAKEN if why is None else LEFT_BEHIND, why=why
            )
            if why is None:
                yield PartBound(id, part, binding.feed, binding.aggregation)

    def _measure(self, one: KeyResult) -> Measure:
        path = f"key_results/{one.id}"
        if isinstance(one.measure, Compound):
            parts = [
                replace(part, measure=self._part(part.measure, one, part.id, f"{path}/parts/{part.id}"))
                for part in one.measure.parts
            ]
            return replace(one.measure, parts=tuple(parts))
        if parts_of(one.measure):
            ((part_id, simple),) = parts_of(one.measure).items()
            return self._part(simple, one, part_id, path)
        return one.measure

    def _part(self, part: Simple, one: KeyResult, id: str, path: str) -> Simple:
        if part.window is not None:
            part = replace(part, window=self._window(part.window, path))
        if self._command.baseline == LAST and isinstance(part, Increase | Decrease | Reach | Ranged):
            return self._from_last(part, one, id, path)
        return part

    def _window(self, window: Window, path: str) -> Window:
        old, new = self._span(self._goal.cycle, self._goal.id), self._span(self._command.cycle, None)
        if window.start is None or window.end is None:
            self._note(f"{path}/window", TAKEN, why="from_a_moment")
        elif old is None or new is None or window.start < old[0] or window.end > old[1]:
            self._note(f"{path}/window", TAKEN, why="not_of_the_cycle")
        else:
            self._note(f"{path}/window", CHANGED, why="of_the_new_cycle")
            return Window(*new)
        return window

    def _span(self, id: str | None, objective: str | None) -> tuple[Any, Any] | None:
        state = cycle.cycle_state(self._world, id)
        zone = policy.in_force(self._world, self._goal.owner, objective).time_zone
        return None if state is None or zone is None else cycle.span(state.plan, zone)

    def _from_last(
        self, part: Increase | Decrease | Reach | Ranged, one: KeyResult, id: str, path: str
    ) -> Simple:
        binding, last = one.bindings.get(id), self._last.get((one.id, id))
        why = "not_absolute" if binding is not None and binding.aggregation not in ABSOLUTE else None
        if why is None and last is None:
            why = "not_measured"
        if why is None and last is not None:
            try:
                moved = measure.clean(replace(part, baseline=last))
            except Refusal as refusal:
                why = refusal.code
            else:
                self._note(f"{path}/baseline", CHANGED, into=decimal_text(last), why="last_value")
                return moved  # type: ignore[return-value]
        self._note(f"{path}/baseline", TAKEN, why=why)
        return part

    def _link(self, link: Link) -> Iterator[ObjectiveAligned]:
        first: str | None = None
        for parent in self._parents(link.parent):
            why = self._refused(alignment.need_can_take, parent, link.mode)
            if why is None:
                became, into = (TAKEN, None) if parent == link.parent else (CHANGED, parent)
                self._note(f"links/{link.parent}", became, into, None if into is None else "carried_over")
                id = id_within(self._command.into, f"link/{link.id}")
                yield ObjectiveAligned(id, parent, link.mode, link.weight)
                return
            first = first or why
        self._note(f"links/{link.parent}", LEFT_BEHIND, why=first)

    def _parents(self, parent: str) -> list[str]:
        """The parent and its continuations; first those in the cycle that the goal is carried into."""
        chain = [parent]
        while (following := _continuation(self._world, chain[-1])) is not None:
            chain.append(following)
        return sorted(chain, key=lambda one: _cycle_of(self._world, one) != self._command.cycle)


def _goal_of(world: World, reference: str) -> Definition:
    kind, _, id = reference.partition("/")
    state: Objective = world.get("objective", id if kind == "objective" else world.get("key-result", id))
    return state.goal


def _cycle_of(world: World, reference: str) -> str | None:
    return _goal_of(world, reference).cycle


def _continuation(world: World, reference: str) -> str | None:
    """What the objective or key result was carried over into."""
    into = _goal_of(world, reference).carried_into
    if into is None or reference.startswith("objective/"):
        return None if into is None else f"objective/{into}"
    old = reference.removeprefix("key-result/")
    following = world.get("objective", into).goal.key_results.values()
    found = next((one.id for one in following if one.added.carried_from == old), None)
    return None if found is None else f"key-result/{found}"


def id_within(into: str, key_result: str) -> str:
    """The same id whenever the same thing is carried into the same objective (UUIDv5)."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"goal-ledger/carried/{into}/{key_result}"))


def of_cycle(world: World, cycle_id: str) -> list[str]:
    """The objectives of a cycle, parents before their children, else by id."""
    goals = {id: state.goal for id, state in world.all("objective") if state.goal.cycle == cycle_id}
    found: dict[str, None] = {}

    def place(id: str) -> None:
        if id in goals and id not in found:
            for above in alignment.parents(world, id):
                place(above)
            found[id] = None

    for id in sorted(goals):
        place(id)
    return list(found)


DECIDER = Decider(
    commands={
        # The new goal has the owner of the old one.
        CarryOver: Rule(
            _carry_over, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective", creates=True
        ),
    },
    folds={ObjectiveCarriedOver: defines(lambda goal, fact: {"carried_into": fact.data.into})},
)
