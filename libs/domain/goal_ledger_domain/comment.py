"""What others say about a goal: comments and kudos on it or on a check-in, and standing behind a change of it.

Comments and kudos are taken in every state of a goal. An endorsement is of one fact of the objective's stream, from its
activation on, by another person than the one who made it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from goal_ledger_contracts.decision import Claim, Decision, Identity, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.objective import ChangeEndorsed, CommentAdded, KudosGiven
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import check_in, text
from goal_ledger_domain.authors import need_author, need_writable
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import Definition, Objective, its_objective, known, says
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import changed, same
from goal_ledger_domain.target import References, found_by
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class AddComment:
    """``on`` is ``objective/<id>`` or ``check-in/<id>``."""

    meta: Meta
    comment: str
    on: str
    text: str
    author: str | None = None


@dataclass(frozen=True, slots=True)
class GiveKudos:
    """``on`` is ``objective/<id>`` or ``check-in/<id>``."""

    meta: Meta
    kudos: str
    on: str
    text: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class EndorseChange:
    """``change`` is the event id of a fact of the objective's stream."""

    meta: Meta
    objective: str
    change: str


def _lookups(command: AddComment | GiveKudos) -> tuple[Identity, ...]:
    """The comment or kudos itself, and the check-in that it is on."""
    kind, _, id = command.on.partition("/")
    return (identity(command), check_in.identity(id)) if kind == "check-in" else (identity(command),)


def identity(said: AddComment | CommentAdded | GiveKudos | KudosGiven) -> Identity:
    """Holds the comment, or the kudos."""
    if isinstance(said, AddComment | CommentAdded):
        return Identity("comment", (said.comment,))
    return Identity("kudos", (said.kudos,))


def _comment(world: World, command: AddComment, situation: Situation) -> Decision:
    id = text.id_of(command.comment, "comment")
    author = need_author(world, command.meta, command.author)
    data = CommentAdded(id, command.on, author, text.passage(command.text, "text"))
    return _say(world, command, id, data, situation)


def _give_kudos(world: World, command: GiveKudos, situation: Situation) -> Decision:
    id = text.id_of(command.kudos, "kudos")
    author = need_author(world, command.meta, command.author)
    data = KudosGiven(id, command.on, author, text.optional_passage(command.text, "text"))
    return _say(world, command, id, data, situation)


def _say(
    world: World,
    command: AddComment | GiveKudos,
    id: str,
    data: CommentAdded | KudosGiven,
    situation: Situation,
) -> Decision:
    state, own = subject_of(world, command.on, situation), identity(command)
    found = situation.found.get(own)
    if found is not None:
        if found.fact.data == data and (data.author or command.meta.actor) == (
            data.author or found.fact.actor
        ):
            return Decision(id, state.goal.stream, same_as=found.fact)
        raise Refusal("id_taken", f"Something else is recorded under the id {id}.", field=own.kind)
    if data.text is not None:
        need_writable(world, command.meta, data.author)
    return replace(changed(command.meta, situation, state, data, id=id), claims=(Claim(own, 0, command.on),))


def subject_of(world: World, on: str, situation: Situation) -> Objective:
    """The objective that is commented on, or whose check-in is."""
    kind, id = text.reference(on, "on", "objective", "check-in")
    if kind == "objective":
        return known(world, id, "on")
    found = situation.found.get(check_in.identity(id))
    if found is None:
        raise Refusal("unknown_check_in", f"There is no check-in {id}.", field="on")
    return known(world, check_in.objective_of(found))


@found_by("on")
def its_subject(world: World, command: AddComment | GiveKudos, situation: Situation) -> References:
    return (subject_of(world, command.on, situation).goal.stream,)


def _endorse(world: World, command: EndorseChange, situation: Situation) -> Decision:
    state, actor = known(world, command.objective), command.meta.actor
    change = state.goal.changes.get(command.change)
    if change is None:
        sentence = f"{state.goal.stream} has no such change after its activation."
        raise Refusal("unknown_change", sentence, field="change")
    if actor in change.endorsers:
        return same(state)
    if not actor.startswith("person/"):
        raise Refusal("endorsed_by_system", "A change is endorsed by a person.")
    if actor == change.actor:
        raise Refusal("endorsed_by_same_person", "Another person than the one who made a change endorses it.")
    return changed(command.meta, situation, state, ChangeEndorsed(command.change))


def _endorsed(goal: Definition, fact: Fact) -> dict[str, Any]:
    change = goal.changes.get(fact.data.change)
    if change is None:
        return {}
    endorsed = replace(change, endorsers=(*change.endorsers, fact.actor))
    return {"changes": {**goal.changes, fact.data.change: endorsed}}


DECIDER = Decider(
    commands={
        AddComment: Rule(
            _comment,
            may=Permission.CHECK_IN,
            on=its_subject,
            shows="comment",
            creates=True,
            lookups=_lookups,
        ),
        GiveKudos: Rule(
            _give_kudos,
            may=Permission.CHECK_IN,
            on=its_subject,
            shows="kudos",
            creates=True,
            lookups=_lookups,
        ),
        # A change is a fact of the goal's own stream.
        EndorseChange: Rule(_endorse, may=Permission.CHECK_IN, on=its_objective, shows="objective"),
    },
    folds={
        ChangeEndorsed: says(_endorsed),
        CommentAdded: says(),
        KudosGiven: says(),
    },
)
