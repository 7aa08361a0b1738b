"""What others say about a goal: comments and kudos on it or on a check-in, and standing behind a change of it.

Comments and kudos are taken in every state of a goal. An endorsement is of one fact of the objective's stream, from its
activation on, by another person than the one who made it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from goal_ledger_contracts.decision import Claim, Decision, Identity, Situation
from goal_ledger_contracts.objective import ChangeEndorsed, CommentAdded, KudosGiven

from goal_ledger_domain import check_in, text
from goal_ledger_domain.authors import need_author, need_writable
from goal_ledger_domain.command import Meta
from goal_ledger_domain.goal import Objective, known
from goal_ledger_domain.part import Command as AnyCommand
from goal_ledger_domain.part import Part
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.standing import changed, same
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


Command = AddComment | GiveKudos | EndorseChange


def lookups(command: AnyCommand) -> tuple[Identity, ...]:
    """The comment or kudos itself, and the check-in that it is on."""
    match command:
        case AddComment():
            own = Identity("comment", (command.comment,))
        case GiveKudos():
            own = Identity("kudos", (command.kudos,))
        case _:
            return ()
    kind, _, id = command.on.partition("/")
    return (own, check_in.identity(id)) if kind == "check-in" else (own,)


def decide(world: World, command: Command, situation: Situation) -> Decision:
    match command:
        case AddComment():
            id = text.id_of(command.comment, "comment")
            author = need_author(world, command.meta, command.author)
            comment = CommentAdded(id, command.on, author, text.passage(command.text, "text"))
            return _say(world, command, id, comment, situation)
        case GiveKudos():
            id = text.id_of(command.kudos, "kudos")
            author = need_author(world, command.meta, command.author)
            kudos = KudosGiven(id, command.on, author, text.optional_passage(command.text, "text"))
            return _say(world, command, id, kudos, situation)
        case EndorseChange():
            return _endorse(world, command, situation)
    assert_never(command)


def _say(
    world: World,
    command: AddComment | GiveKudos,
    id: str,
    data: CommentAdded | KudosGiven,
    situation: Situation,
) -> Decision:
    state, own = subject_of(world, command.on, situation), lookups(command)[0]
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


PART = Part(commands=(AddComment, GiveKudos, EndorseChange), decide=decide, lookups=lookups)
