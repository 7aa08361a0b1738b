"""The life of an objective: activated, paused, closed, reopened, archived; ``carry_over.py`` continues it.

An objective may be activated before it has key results: objectives that contribute to it may come to carry it. What it
has must count (``need_weights``). A closing keeps what a person gave; a reopened objective is what it was before the
closing, a draft or active, and earlier closings stay in the record. A closing without a grade takes the suggested one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

from goal_ledger_contracts.decision import Claim, Decision, Identity, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.objective import (
    MovedToCycle,
    ObjectiveActivated,
    ObjectiveArchived,
    ObjectiveClosed,
    ObjectivePaused,
    ObjectiveReopened,
    ObjectiveResumed,
    PutInCycle,
)
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import cycle as cycles
from goal_ledger_domain import text, values
from goal_ledger_domain.authors import need_author, need_writable
from goal_ledger_domain.command import Meta, need_reason
from goal_ledger_domain.cycle import cycle_state, need_open
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import (
    Active,
    Archived,
    Closed,
    Definition,
    Drafted,
    Objective,
    defines,
    its_objective,
    known,
    says,
)
from goal_ledger_domain.key_result import need_room, need_weights
from goal_ledger_domain.objective import need_turn
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import Deed, Terms, changed, define, need_may, same
from goal_ledger_domain.world import World

OUTCOMES = ("achieved", "partial", "missed", "dropped", "postponed")
SIX_PLACES, SHOWN_PLACES = Decimal("0.000001"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Activate:
    meta: Meta
    objective: str


@dataclass(frozen=True, slots=True)
class CloseObjective:
    """``suggested`` is the score that the closer was shown, rounded to 6 places; ``grade`` what they give instead."""

    meta: Meta
    objective: str
    outcome: str
    grade: Decimal | None = None
    suggested: Decimal | None = None
    author: str | None = None
    retrospective: str | None = None


@dataclass(frozen=True, slots=True)
class ReopenObjective:
    """``cycle``: the open cycle to go on in; of a goal whose own is closed it must be named."""

    meta: Meta
    objective: str
    cycle: str | None = None


@dataclass(frozen=True, slots=True)
class ArchiveObjective:
    meta: Meta
    objective: str


@dataclass(frozen=True, slots=True)
class PauseObjective:
    """It owes no words until it is resumed or closed."""

    meta: Meta
    objective: str


@dataclass(frozen=True, slots=True)
class ResumeObjective:
    meta: Meta
    objective: str


def _activate(world: World, command: Activate, situation: Situation) -> Decision:
    state = known(world, command.objective)
    if isinstance(state, Active):
        return same(state)
    decision = define(world, command.meta, situation, state, ObjectiveActivated(), "activating an objective")
    need_weights(state.goal.undropped())
    need_room(world, state)
    need_turn(world, state, state.goal.owner)
    return decision


def closing_identity(objective: str) -> Identity:
    return Identity("closing", (objective,))


def _lookups(command: CloseObjective) -> tuple[Identity, ...]:
    """The latest closing with its retrospective, which is not folded."""
    return (closing_identity(command.objective),)


def _close(world: World, command: CloseObjective, situation: Situation) -> Decision:
    state, meta, identity = (
        known(world, command.objective),
        command.meta,
        closing_identity(command.objective),
    )
    data = _closing(world, command)
    latest = situation.found.get(identity)
    if isinstance(state, Closed | Archived) and latest is not None and latest.fact.data == data:
        return same(state)
    if need_may(world, meta, state, Deed.CLOSE, "closing an objective") is Terms.DROP_ONLY:
        _need_dropped(data)
    if data.suggested is not None and data.grade is not None and _shown(data.grade) != _shown(data.suggested):
        need_reason(meta, "a grade other than the suggested one")
    if data.retrospective is not None:
        need_writable(world, meta, data.author)
    closed = changed(meta, situation, state, data)
    return replace(closed, claims=(Claim(identity, 0, state.goal.stream),))


def _closing(world: World, command: CloseObjective) -> ObjectiveClosed:
    suggested = _zero_to_one(command.suggested, "suggested")
    if suggested is not None:
        suggested = suggested.quantize(SIX_PLACES, ROUND_HALF_EVEN).normalize()
    grade = _zero_to_one(command.grade, "grade")
    return ObjectiveClosed(
        outcome=text.choice(command.outcome, "outcome", OUTCOMES),
        grade=suggested if grade is None else values.value(grade, "grade"),
        suggested=suggested,
        author=need_author(world, command.meta, command.author),
        retrospective=text.optional_passage(command.retrospective, "retrospective"),
    )


def _zero_to_one(given: Decimal | None, field: str) -> Decimal | None:
    if given is not None and not (given.is_finite() and 0 <= given <= 1):
        raise Refusal("grade_out_of_range", f"{field} is from 0 to 1.", field=field)
    return given


def _shown(grade: Decimal) -> Decimal:
    return grade.quantize(SHOWN_PLACES, ROUND_HALF_EVEN)


def _need_dropped(data: ObjectiveClosed) -> None:
    if data.outcome != "dropped":
        sentence = "A draft that is closed is closed as dropped; activate it for another outcome."
        raise Refusal("draft_can_only_be_dropped", sentence, field="outcome")


def _reopen(world: World, command: ReopenObjective, situation: Situation) -> Decision:
    state = known(world, command.objective)
    if (
        isinstance(state, Drafted | Active)
        and state.goal.reopened
        and command.cycle in (None, state.goal.cycle)
    ):
        return same(state)
    if isinstance(state, Drafted | Active):
        raise Refusal(
            "objective_not_closed", f"{state.goal.stream} is not closed: there is nothing to reopen."
        )
    need_may(world, command.meta, state, Deed.REOPEN, "reopening an objective")
    cycle = _cycle_to_go_on_in(world, command, state)
    need_turn(world, state, state.goal.owner)
    reopened = changed(command.meta, situation, state, ObjectiveReopened())
    if cycle is None:
        return reopened
    put = PutInCycle if state.goal.cycle is None else MovedToCycle
    moved = changed(command.meta, situation, state, put(cycle))
    return replace(reopened, drafts=reopened.drafts + moved.drafts)


def _cycle_to_go_on_in(world: World, command: ReopenObjective, state: Objective) -> str | None:
    """None: the goal's own. No goal is active where it can neither be closed nor moved."""
    own = state.goal.cycle
    if command.cycle not in (None, own):
        need_open(world, command.cycle)
        return command.cycle
    if isinstance(cycle_state(world, own), cycles.Closed):
        sentence = f"The cycle {own} is closed: name an open cycle for {state.goal.stream} to go on in."
        raise Refusal("reopening_needs_cycle", sentence, field="cycle")
    return None


def _archive(world: World, command: ArchiveObjective, situation: Situation) -> Decision:
    state = known(world, command.objective)
    if isinstance(state, Archived):
        return same(state)
    if not isinstance(state, Closed):
        sentence = f"{state.goal.stream} is not closed: close it before archiving it."
        raise Refusal("objective_not_closed", sentence)
    return changed(command.meta, situation, state, ObjectiveArchived())


def _pause(world: World, command: PauseObjective, situation: Situation) -> Decision:
    state = known(world, command.objective)
    if state.goal.paused:
        return same(state)
    need_may(world, command.meta, state, Deed.DEFINE, "pausing an objective")
    if isinstance(state, Drafted):
        raise Refusal("objective_is_draft", f"{state.goal.stream} is a draft: it owes nothing yet.")
    return changed(command.meta, situation, state, ObjectivePaused())


def _resume(world: World, command: ResumeObjective, situation: Situation) -> Decision:
    state = known(world, command.objective)
    if not state.goal.paused:
        return same(state)
    need_may(world, command.meta, state, Deed.DEFINE, "resuming an objective", reason_once_active=False)
    return changed(command.meta, situation, state, ObjectiveResumed())


def _becomes_closed(before: Objective, goal: Definition, fact: Fact) -> Objective:
    return Closed(goal, fact.effective_at, not isinstance(before, Drafted))


def _becomes_archived(before: Objective, goal: Definition, fact: Fact) -> Objective:
    if isinstance(before, Closed):
        return Archived(goal, before.closed_at, before.was_active)
    return replace(before, goal=goal)


def _becomes_what_it_was(before: Objective, goal: Definition, fact: Fact) -> Objective:
    """A draft or active, as it was before the closing."""
    if isinstance(before, Closed | Archived):
        return Active(goal) if before.was_active else Drafted(goal)
    return replace(before, goal=goal)


DECIDER = Decider(
    commands={
        Activate: Rule(_activate, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        CloseObjective: Rule(
            _close, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective", lookups=_lookups
        ),
        ReopenObjective: Rule(_reopen, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        ArchiveObjective: Rule(_archive, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        PauseObjective: Rule(_pause, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
        ResumeObjective: Rule(_resume, may=Permission.DEFINE_GOAL, on=its_objective, shows="objective"),
    },
    folds={
        ObjectiveActivated: defines(becomes=lambda before, goal, fact: Active(goal)),
        ObjectiveClosed: defines(lambda goal, fact: {"paused": False}, becomes=_becomes_closed),
        ObjectiveReopened: defines(lambda goal, fact: {"reopened": True}, becomes=_becomes_what_it_was),
        ObjectiveArchived: defines(becomes=_becomes_archived),
        ObjectivePaused: says(lambda goal, fact: {"paused": True}),
        ObjectiveResumed: says(lambda goal, fact: {"paused": False}),
    },
)
