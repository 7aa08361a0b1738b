"""Check-ins: one thing with revisions, on a key result or on the objective; recorded, corrected, retracted for good.

They slot in anywhere in time and are not folded: the look-up of (``check-in``, id) brings the fact that holds the
present content, and the subject ``<objective>|<key result or nothing>`` that it was claimed with. A correction is the
whole new content; a value that it leaves as it was is not tried against the present measure or bindings again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.decision import ENDED, Claim, Decision, Draft, Found, Identity, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.objective import CheckInCorrected, CheckInRecorded, CheckInRetracted, PartValue
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.unguarded import unguarded_dataclass

from goal_ledger_domain import cycle, limits, part_values, text
from goal_ledger_domain.authors import need_author, need_writable
from goal_ledger_domain.command import Meta, slot_in
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.goal import KeyResult, Objective, known, known_key_result
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.state_table import Deed, closing_of, need_may, same
from goal_ledger_domain.target import References, found_by
from goal_ledger_domain.world import World

STATUSES = ("on_track", "behind", "at_risk")
METHODS = ("measured", "estimated", "manual", "imputed")
CONFIDENCES = frozenset(Decimal(tenths).scaleb(-1) for tenths in range(11))


@unguarded_dataclass
class RecordCheckIn:
    """On ``key_result``, or on ``objective`` itself; ``meta.effective_at`` is when it was true (None: now)."""

    meta: Meta
    check_in: str
    objective: str | None = None
    key_result: str | None = None
    values: tuple[PartValue, ...] = ()
    confidence: Decimal | None = None
    status: str | None = None
    method: str = "manual"
    author: str | None = None
    note: str | None = None
    blockers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectCheckIn:
    """The whole new content; without ``meta.effective_at`` the check-in keeps its time."""

    meta: Meta
    check_in: str
    values: tuple[PartValue, ...] = ()
    confidence: Decimal | None = None
    status: str | None = None
    method: str = "manual"
    author: str | None = None
    note: str | None = None
    blockers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetractCheckIn:
    meta: Meta
    check_in: str


CheckInFact = CheckInRecorded | CheckInCorrected


def identity(check_in: str) -> Identity:
    return Identity("check-in", (check_in,))


def _lookups(command: RecordCheckIn | CorrectCheckIn | RetractCheckIn) -> tuple[Identity, ...]:
    return (identity(command.check_in),)


def objective_of(found: Found) -> str:
    """The id of the objective that a check-in found is on, or under."""
    return found.subject.partition("|")[0]


def _record(world: World, command: RecordCheckIn, situation: Situation) -> Decision:
    state, key_result = _target(world, command)
    content = CheckInRecorded(
        check_in=text.id_of(command.check_in, "check_in"),
        key_result=command.key_result,
        **_content(world, command),
    )
    found = situation.found.get(identity(command.check_in))
    if found is not None:
        return _again(command, state, content, found)
    if key_result is not None and key_result.dropped:
        raise Refusal("key_result_dropped", f"The key result {key_result.id} is dropped.", field="key_result")
    need_may(world, command.meta, state, Deed.CHECK_IN, "a check-in")
    part_values.need_fit(key_result, content.values, part_values.places(command.values))
    _need_writable(world, command.meta, content)
    fact = _slot_in(command.meta, situation, state, content, command.meta.effective_at)
    _need_in_time(world, state, fact.effective_at)
    return _decided(fact, content.check_in, f"{state.goal.id}|{content.key_result or ''}")


def _target(world: World, command: RecordCheckIn) -> tuple[Objective, KeyResult | None]:
    """The objective, and the key result if the check-in is on one."""
    if command.key_result is not None:
        state, key_result = known_key_result(world, command.key_result)
        if command.objective not in (None, state.goal.id):
            sentence = f"The key result {key_result.id} is under another objective."
            raise Refusal("unknown_key_result", sentence, field="key_result")
        return state, key_result
    if command.objective is None:
        sentence = "A check-in is on an objective or on a key result."
        raise Refusal("field_required", sentence, field="objective")
    return known(world, command.objective), None


@found_by("objective", "key_result")
def what_it_is_on(world: World, command: RecordCheckIn, situation: Situation) -> References:
    state, _ = _target(world, command)
    return (state.goal.stream,)


@found_by("check_in")
def what_it_was_on(
    world: World, command: CorrectCheckIn | RetractCheckIn, situation: Situation
) -> References:
    _, state, _ = _recorded(world, command.check_in, situation)
    return (state.goal.stream,)


def _content(world: World, command: RecordCheckIn | CorrectCheckIn) -> dict[str, Any]:
    """What the check-in says, in its clean form: the fields of the fact that the command has."""
    blockers, evidence = command.blockers, command.evidence
    text.at_most(blockers, "blockers", limits.BLOCKERS_MAX_ITEMS)
    text.at_most(evidence, "evidence", limits.EVIDENCE_MAX_ITEMS)
    said = {
        "values": part_values.clean(command.values),
        "confidence": _confidence(command.confidence),
        "status": None if command.status is None else text.choice(command.status, "status", STATUSES),
        "note": text.optional_passage(command.note, "note"),
        "blockers": tuple(
            text.passage(one, f"blockers/{number}", limits.BLOCKER_MAX_CHARACTERS)
            for number, one in enumerate(blockers)
        ),
        "evidence": tuple(
            text.line(one, f"evidence/{number}", limits.EVIDENCE_MAX_CHARACTERS)
            for number, one in enumerate(evidence)
        ),
    }
    if all(one is None or one == () for one in said.values()):
        raise Refusal("check_in_empty", "A check-in says something: a value, status, confidence or note.")
    said["method"] = text.choice(command.method, "method", METHODS)
    said["author"] = need_author(world, command.meta, command.author)
    return said


def _confidence(given: Decimal | None) -> Decimal | None:
    if given is not None and not (given.is_finite() and given in CONFIDENCES):
        sentence = "Confidence is from 0 to 1 in steps of 0.1."
        raise Refusal("confidence_out_of_range", sentence, field="confidence")
    return given


def _need_writable(world: World, meta: Meta, content: CheckInFact) -> None:
    if content.note is not None or content.blockers or content.evidence:
        need_writable(world, meta, content.author)


def _again(command: RecordCheckIn, state: Objective, content: CheckInFact, found: Found) -> Decision:
    """The same check-in once more, or another one under the same id."""
    if found.fact.stream == state.goal.stream and _says(found.fact, content, command.meta.effective_at):
        return Decision(content.check_in, state.goal.stream, same_as=found.fact)
    raise Refusal("id_taken", f"There is another check-in {content.check_in}.", field="check_in")


def _says(fact: Fact, content: CheckInFact, at: datetime | None) -> bool:
    """Whether the fact holds this content, at this time if one is stated. ``after_closing`` follows from states."""
    same = all(
        getattr(fact.data, one.name) == getattr(content, one.name)
        for one in fields(content)
        if one.name not in ("after_closing", "author")
    )
    return same and _is_word_of(fact, content.author) and at in (None, fact.effective_at, fact.stated_at)


def _is_word_of(fact: Fact, author: str | None) -> bool:
    """Where the fact names no author it is its actor's word: naming that one says nothing new."""
    named: str | None = fact.data.author
    return author == named or (named is None and author == fact.actor)


def _slot_in(
    meta: Meta, situation: Situation, state: Objective, content: CheckInFact, at: datetime | None
) -> Draft:
    marked = replace(content, after_closing=closing_of(state) is not None)
    return slot_in(meta, situation, state.goal.stream, marked, at)


def _need_in_time(world: World, state: Objective, at: datetime) -> None:
    """Effective before the lock of the cycle, or before the closing, where one has been."""
    closed_at, where = closing_of(state), cycle.cycle_state(world, state.goal.cycle)
    if closed_at is not None:
        if at >= closed_at:
            raise _late("after_closing", f"{state.goal.stream} was closed", closed_at)
    elif isinstance(where, cycle.Locked) and at >= where.locked_at:
        raise _late("after_lock", f"The cycle {state.goal.cycle} was locked", where.locked_at)


def _late(code: str, what: str, at: datetime) -> Refusal:
    when = instant_text(at)
    return Refusal(
        code, f"{what} at {when}; the check-in is not effective before.", field="effective_at", before=when
    )


def _decided(fact: Draft, check_in: str, subject: str) -> Decision:
    return Decision(check_in, fact.stream, (fact,), (Claim(identity(check_in), 0, subject),))


def _recorded(world: World, check_in: str, situation: Situation) -> tuple[Found, Objective, KeyResult | None]:
    """A check-in that there is, retracted or not, with what it is on."""
    found = situation.found.get(identity(check_in))
    if found is None:
        raise Refusal("unknown_check_in", f"There is no check-in {check_in[:64]}.", field="check_in")
    objective, _, key_result = found.subject.partition("|")
    state = known(world, objective)
    return found, state, state.goal.key_results[key_result] if key_result else None


def _correct(world: World, command: CorrectCheckIn, situation: Situation) -> Decision:
    found, state, key_result = _recorded(world, command.check_in, situation)
    if found.state == ENDED:
        sentence = f"The check-in {command.check_in} was retracted, for good."
        raise Refusal("check_in_retracted", sentence, field="check_in")
    content = CheckInCorrected(
        check_in=command.check_in,
        key_result=key_result.id if key_result else None,
        **_content(world, command),
    )
    if _says(found.fact, content, command.meta.effective_at):
        return same(state, id=command.check_in)
    need_may(world, command.meta, state, Deed.CORRECT, "correcting a check-in")
    places, kept = part_values.places(command.values), found.fact.data.values
    part_values.need_fit(key_result, content.values, places, kept)
    _need_writable(world, command.meta, content)
    before = found.fact.effective_at
    fact = _slot_in(command.meta, situation, state, content, command.meta.effective_at or before)
    if fact.effective_at != before:
        _need_in_time(world, state, fact.effective_at)
    return _decided(fact, command.check_in, found.subject)


def _retract(world: World, command: RetractCheckIn, situation: Situation) -> Decision:
    found, state, key_result = _recorded(world, command.check_in, situation)
    if found.state == ENDED:
        return same(state, id=command.check_in)
    need_may(world, command.meta, state, Deed.CORRECT, "retracting a check-in")
    data = CheckInRetracted(command.check_in, key_result.id if key_result else None)
    fact = slot_in(command.meta, situation, state.goal.stream, data, command.meta.effective_at)
    ended = Claim(identity(command.check_in), 0, found.subject, state=ENDED, keeps_content=True)
    return Decision(command.check_in, state.goal.stream, (fact,), (ended,))


DECIDER = Decider(
    commands={
        RecordCheckIn: Rule(
            _record,
            may=Permission.CHECK_IN,
            on=what_it_is_on,
            shows="check-in",
            creates=True,
            lookups=_lookups,
        ),
        CorrectCheckIn: Rule(
            _correct, may=Permission.CHECK_IN, on=what_it_was_on, shows="check-in", lookups=_lookups
        ),
        RetractCheckIn: Rule(
            _retract, may=Permission.CHECK_IN, on=what_it_was_on, shows="check-in", lookups=_lookups
        ),
    },
)
