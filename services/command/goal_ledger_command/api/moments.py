"""Moments: named instants such as the launch of the shop, on which windows of measures open."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Instant, Plain
from goal_ledger_domain.moment import CorrectMoment, RecordMoment, RetractMoment
from pydantic import Field

commands = command_routes("moments")


class NewMoment(CommandBody):
    name: str = Field(examples=["launch"])
    at: Instant


class MomentAt(CommandBody):
    at: Instant


@commands.post("/v1/moments")
@row(creates="/v1/moments/{id}")
def record_moment(meta: Meta, body: NewMoment) -> RecordMoment:
    """Record when something happened; one moment per name."""
    return RecordMoment(meta, name=body.name, at=body.at)


@commands.post("/v1/moments/{name}/correct")
def correct_moment(meta: Meta, name: str, body: MomentAt) -> CorrectMoment:
    """Correct when it happened. Needs a reason."""
    return CorrectMoment(meta, name=name, at=body.at)


@commands.post("/v1/moments/{name}/retract")
def retract_moment(meta: Meta, name: str, body: Plain = Plain()) -> RetractMoment:
    """It did not happen. Needs a reason."""
    return RetractMoment(meta, name=name)
