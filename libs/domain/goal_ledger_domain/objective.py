"""Defining an objective: drafted, reworded, assigned, given a kind, put in a cycle, moved to another.

Its key results are in ``key_result.py``, its parents in ``alignment.py``, its life in ``lifecycle.py``; the states and
their folding in ``goal.py``; what may be done in which state in ``state_table.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import cycle, limits, policy, text
from goal_ledger_domain.command import Meta, draft, need_reason
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import Active, Definition, Drafted, Objective, defines, its_objective, known
from goal_ledger_domain.owners import need_contributors, need_owner
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import define, need_admin, same
from goal_ledger_domain.target import References, found_by
from goal_ledger_domain.world import World

KINDS = ("committed", "aspirational")


@dataclass(frozen=True, slots=True)
class DraftObjective:
    """``carried_from`` names the objective whose lineage it continues (an import; else ``CarryOver`` does it)."""

    meta: Meta
    objective: str
    title: str
    owner: str
    description: str | None = None
    kind: str | None = None
    cycle: str | None = None
    contributors: tuple[str, ...] = ()
    carried_from: str | None = None


@dataclass(frozen=True, slots=True)
class RewordObjective:
    meta: Meta
    objective: str
    title: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class AssignObjective:
    """The owner and all contributors from now on."""

    meta: Meta
    objective: str
    owner: str
    contributors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveKind:
    meta: Meta
    objective: str
    kind: str


@dataclass(frozen=True, slots=True)
class PutInCycle:
    """An objective that is in no cycle yet."""

    meta: Meta
    objective: str
    cycle: str


@dataclass(frozen=True, slots=True)
class MoveToCycle:
    meta: Meta
    objective: str
    cycle: str


def _draft(world: World, command: DraftObjective, situation: Situation) -> Decision:
    id = text.id_of(command.objective, "objective")
    data = facts.ObjectiveDrafted(
        title=text.line(command.title, "title", limits.TITLE_MAX_CHARACTERS),
        owner=command.owner,
        description=_description(command.description),
        kind=None if command.kind is None else text.choice(command.kind, "kind", KINDS),
        cycle=command.cycle,
        contributors=tuple(sorted(set(command.contributors))),
        carried_from=command.carried_from,
    )
    present: Objective | None = world.get("objective", id)
    if present is not None:
        if present.goal.drafted == data:
            return same(present)
        raise Refusal("id_taken", f"There is another objective {id}.", field="objective")
    need_owner(world, command.owner, "owner")
    need_contributors(world, command.contributors)
    if command.cycle is not None:
        need_open_to_goals(world, command.meta, command.cycle, "drafting an objective")
    if command.carried_from is not None:
        known(world, command.carried_from, "carried_from")
    stream = f"objective/{id}"
    return Decision(id, stream, (draft(command.meta, situation, stream, data, after=None),))


@found_by("owner", "carried_from")
def owner_and_ancestor(world: World, command: DraftObjective, situation: Situation) -> References:
    """Whose goal it is to be, and the objective whose lineage it continues. Refuses ``unknown_objective``."""
    if command.carried_from is None:
        return (command.owner,)
    return (command.owner, known(world, command.carried_from, "carried_from").goal.stream)


def _description(given: str | None) -> str | None:
    return text.optional_passage(given, "description", limits.DESCRIPTION_MAX_CHARACTERS)


def need_open_to_goals(world: World, meta: Meta, id: str, what: str) -> None:
    """A goal comes into this cycle: not once it is closed; once it is locked, only by an admin with a reason."""
    where = cycle.cycle(world, id)
    if isinstance(where, cycle.Closed):
        raise Refusal("cycle_closed", f"The cycle {id} is closed.", field="cycle")
    if isinstance(where, cycle.Locked):
        need_admin(world, meta, f"{what} in a locked cycle")
        need_reason(meta, f"{what} in a locked cycle")


def _reword(world: World, command: RewordObjective, situation: Situation) -> Decision:
    state = known(world, command.objective)
    title = text.line(command.title, "title", limits.TITLE_MAX_CHARACTERS)
    data = facts.ObjectiveReworded(title, _description(command.description))
    if (data.title, data.description) == (state.goal.title, state.goal.description):
        return same(state)
    return define(world, command.meta, situation, state, data, "rewording an objective")


def _assign(world: World, command: AssignObjective, situation: Situation) -> Decision:
    state = known(world, command.objective)
    if command.owner != state.goal.owner:
        need_owner(world, command.owner, "owner")
    contributors = need_contributors(world, command.contributors, state.goal.contributors)
    if (command.owner, contributors) == (state.goal.owner, state.goal.contributors):
        return same(state)
    data = facts.ObjectiveAssigned(command.owner, contributors)
    assigned = define(world, command.meta, situation, state, data, "assigning an objective")
    if isinstance(state, Active) and command.owner != state.goal.owner:
        need_turn(world, state, command.owner)
    return assigned


def need_turn(world: World, state: Objective, owner: str) -> None:
    """The policy may limit the active objectives of an owner, of whom this is to be one more."""
    limit = policy.in_force(world, owner, state.goal.id).max_active_objectives
    if limit is not None and _active_of(world, owner) >= limit:
        sentence = f"The policy allows {limit} active objectives of {owner}."
        raise Refusal("too_many_active_objectives", sentence, limit=limit)


def _active_of(world: World, owner: str) -> int:
    return sum(
        1 for _, state in world.all("objective") if isinstance(state, Active) and state.goal.owner == owner
    )


def _give_kind(world: World, command: GiveKind, situation: Situation) -> Decision:
    state = known(world, command.objective)
    data = facts.KindGiven(text.choice(command.kind, "kind", KINDS))
    if data.kind == state.goal.kind:
        return same(state)
    what = "giving an objective its kind"
    return define(world, command.meta, situation, state, data, what, reason_once_active=False)


def _put_in_cycle(world: World, command: PutInCycle, situation: Situation) -> Decision:
    state, what = known(world, command.objective), "putting an objective in a cycle"
    present = state.goal.cycle
    cycle.cycle(world, command.cycle)
    if present == command.cycle:
        return same(state)
    if present is not None:
        raise Refusal("already_in_cycle", f"{state.goal.stream} is in the cycle {present}.", cycle=present)
    need_open_to_goals(world, command.meta, command.cycle, what)
    data = facts.PutInCycle(command.cycle)
    return define(world, command.meta, situation, state, data, what, reason_once_active=False)


def _move_to_cycle(world: World, command: MoveToCycle, situation: Situation) -> Decision:
    state, what = known(world, command.objective), "moving an objective to another cycle"
    cycle.cycle(world, command.cycle)
    if state.goal.cycle == command.cycle:
        return same(state)
    if state.goal.cycle is None:
        raise Refusal("not_in_cycle", f"{state.goal.stream} is in no cycle yet.", field="cycle")
    need_open_to_goals(world, command.meta, command.cycle, what)
    return define(world, command.meta, situation, state, facts.MovedToCycle(command.cycle), what)


def _fold_draft(world: World, fact: Fact) -> None:
    data: facts.ObjectiveDrafted = fact.data
    drafted = Definition(
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
    world.put("objective", fact.stream_id, Drafted(drafted))


def _reworded(_: Definition, fact: Fact) -> dict[str, Any]:
    return {"title": fact.data.title, "description": fact.data.description}


def _assigned(_: Definition, fact: Fact) -> dict[str, Any]:
    return {"owner": fact.data.owner, "contributors": fact.data.contributors}


def _in_cycle(_: Definition, fact: Fact) -> dict[str, Any]:
    return {"cycle": fact.data.cycle}


DECIDER = Decider(
    commands={
        DraftObjective: Rule(
            _draft, may=Permission.DEFINE_GOAL, on=owner_and_ancestor, shows="objective", creates=True
        ),
        RewordObjective: Rule(_reword, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        # Whoever owns a goal hands it over: the new owner is not asked.
        AssignObjective: Rule(_assign, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        GiveKind: Rule(_give_kind, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        # Cycles are everybody's; which of them take goals, the decider says.
        PutInCycle: Rule(_put_in_cycle, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        MoveToCycle: Rule(_move_to_cycle, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
    },
    folds={
        facts.ObjectiveDrafted: _fold_draft,
        facts.ObjectiveReworded: defines(_reworded),
        facts.ObjectiveAssigned: defines(_assigned),
        facts.KindGiven: defines(lambda _, fact: {"kind": fact.data.kind}),
        facts.PutInCycle: defines(_in_cycle),
        facts.MovedToCycle: defines(_in_cycle),
    },
)
