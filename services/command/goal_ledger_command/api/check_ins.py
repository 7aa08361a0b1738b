"""Check-ins: recorded on a key result or an objective, corrected, retracted; comments, kudos and endorsements."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Id, NewId, Number, Piece, Plain, new_id
from goal_ledger_contracts.objective import PartValue
from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn, RetractCheckIn
from goal_ledger_domain.comment import AddComment, EndorseChange, GiveKudos
from pydantic import Field

commands = command_routes("check-ins")
words = command_routes("words")


class ValueOfPart(Piece):
    part: Id = Field(default="value", description="A simple measure has the one part value")
    value: Number | None = None
    done: tuple[str, ...] | None = Field(
        default=None, description="Of a checklist: the complete list of steps done"
    )


class Content(CommandBody):
    """What a check-in says. ``effective_at`` is when it was true; left out: now."""

    values: tuple[ValueOfPart, ...] = Field(default=(), examples=[[{"part": "value", "value": "250"}]])
    confidence: Number | None = Field(default=None, description="0–1 in steps of 0.1", examples=["0.7"])
    status: str | None = Field(default=None, description="on_track, behind or at_risk")
    method: str = Field(default="manual", description="measured, estimated, manual or imputed")
    note: str | None = Field(default=None, description="Personal: sealed")
    blockers: tuple[str, ...] = Field(default=(), description="Personal: sealed")
    evidence: tuple[str, ...] = Field(default=(), description="Links. Personal: sealed")
    author: str | None = Field(default=None, description="Imports only: person/<id> whose word it is")

    def part_values(self) -> tuple[PartValue, ...]:
        return tuple([PartValue(one.part, one.value, one.done) for one in self.values])


class NewCheckIn(Content):
    id: NewId = None


class Comment(CommandBody):
    id: NewId
    text: str = Field(description="Personal: sealed")
    author: str | None = Field(default=None, description="Imports only: person/<id> whose text it is")


class Kudos(CommandBody):
    id: NewId = None
    text: str | None = Field(default=None, description="Personal: sealed")
    author: str | None = Field(default=None, description="Imports only: person/<id> whose text it is")


class Endorsed(CommandBody):
    change: str = Field(description="The event_id of the change")


def _recorded(meta: Meta, body: NewCheckIn, objective: str | None, key_result: str | None) -> RecordCheckIn:
    return RecordCheckIn(
        meta,
        check_in=new_id(body.id),
        objective=objective,
        key_result=key_result,
        values=body.part_values(),
        confidence=body.confidence,
        status=body.status,
        method=body.method,
        author=body.author,
        note=body.note,
        blockers=body.blockers,
        evidence=body.evidence,
    )


@commands.post("/v1/key-results/{key_result}/check-ins")
@row(creates="/v1/check-ins/{id}", check_in="id")
def check_in_on_key_result(meta: Meta, key_result: str, body: NewCheckIn = NewCheckIn()) -> RecordCheckIn:
    """Check in on a key result."""
    return _recorded(meta, body, None, key_result)


@commands.post("/v1/objectives/{objective}/check-ins")
@row(creates="/v1/check-ins/{id}", check_in="id")
def check_in_on_objective(meta: Meta, objective: str, body: NewCheckIn = NewCheckIn()) -> RecordCheckIn:
    """Check in on an objective as a whole."""
    return _recorded(meta, body, objective, None)


@commands.post("/v1/check-ins/{check_in}/correct")
def correct_check_in(meta: Meta, check_in: str, body: Content = Content()) -> CorrectCheckIn:
    """Correct a check-in: its whole new content, also another effective_at. Needs a reason."""
    return CorrectCheckIn(
        meta,
        check_in=check_in,
        values=body.part_values(),
        confidence=body.confidence,
        status=body.status,
        method=body.method,
        author=body.author,
        note=body.note,
        blockers=body.blockers,
        evidence=body.evidence,
    )


@commands.post("/v1/check-ins/{check_in}/retract")
def retract_check_in(meta: Meta, check_in: str, body: Plain = Plain()) -> RetractCheckIn:
    """Retract a check-in, for good. Needs a reason."""
    return RetractCheckIn(meta, check_in=check_in)


@words.post("/v1/objectives/{objective}/comments")
@row(creates="/v1/objectives/{objective}/comments/{id}", comment="id", on="objective")
def comment_on_objective(meta: Meta, objective: str, body: Comment) -> AddComment:
    """Comment on an objective."""
    return AddComment(
        meta, comment=new_id(body.id), on=f"objective/{objective}", text=body.text, author=body.author
    )


@words.post("/v1/check-ins/{check_in}/comments")
@row(creates="/v1/objectives/{objective}/comments/{id}", comment="id", on="check_in")
def comment_on_check_in(meta: Meta, check_in: str, body: Comment) -> AddComment:
    """Comment on a check-in."""
    return AddComment(
        meta, comment=new_id(body.id), on=f"check-in/{check_in}", text=body.text, author=body.author
    )


@words.post("/v1/objectives/{objective}/kudos")
@row(creates="/v1/objectives/{objective}/kudos/{id}", kudos="id", on="objective")
def kudos_on_objective(meta: Meta, objective: str, body: Kudos = Kudos()) -> GiveKudos:
    """Give kudos on an objective."""
    return GiveKudos(
        meta, kudos=new_id(body.id), on=f"objective/{objective}", text=body.text, author=body.author
    )


@words.post("/v1/check-ins/{check_in}/kudos")
@row(creates="/v1/objectives/{objective}/kudos/{id}", kudos="id", on="check_in")
def kudos_on_check_in(meta: Meta, check_in: str, body: Kudos = Kudos()) -> GiveKudos:
    """Give kudos on a check-in."""
    return GiveKudos(
        meta, kudos=new_id(body.id), on=f"check-in/{check_in}", text=body.text, author=body.author
    )


@words.post("/v1/objectives/{objective}/endorse")
def endorse_change(meta: Meta, objective: str, body: Endorsed) -> EndorseChange:
    """Stand behind a change that another person made."""
    return EndorseChange(meta, objective=objective, change=body.change)
