"""Key results: added under an objective, their measures, weights and owners, the feeds that their parts are bound to."""

from __future__ import annotations

from decimal import Decimal

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.measures import MeasureBody
from goal_ledger_command.api.values import CommandBody, Id, NewId, Number, Plain, new_id
from goal_ledger_contracts.measures import VALUE
from goal_ledger_domain.binding import BindPart, UnbindPart
from goal_ledger_domain.key_result import (
    AddKeyResult,
    ChangeKeyResultOwner,
    ChangeKeyResultWeight,
    ChangeMeasure,
    DropKeyResult,
    RewordKeyResult,
    TakeUpKeyResult,
)
from pydantic import Field

commands = command_routes("key results")


class NewKeyResult(CommandBody):
    id: NewId
    text: str = Field(examples=["1000 visitors and 10 sales within the first month"])
    measure: MeasureBody
    weight: Number = Decimal(1)
    owner: str | None = Field(default=None, description="unit/<id> or person/<id>; left out: the objective's")
    description: str | None = Field(default=None, description="At most 4,000 characters")


class KeyResultWording(CommandBody):
    text: str
    description: str | None = Field(default=None, description="Left out: it has none from here on")


class NewMeasure(CommandBody):
    measure: MeasureBody


class Weight(CommandBody):
    weight: Number = Field(examples=["2"])


class OwnerOrNone(CommandBody):
    owner: str | None = Field(description="unit/<id> or person/<id>; null: the objective's")


class Binding(CommandBody):
    part: Id = Field(default=VALUE, description="A simple measure has the one part value")
    feed: Id = Field(examples=["webshop.visitors"])
    aggregation: str = Field(
        examples=["increase"],
        description="last, max, mean, min (gauge), increase (counter), sum, count (event count)",
    )


class BoundPart(CommandBody):
    part: Id = VALUE


@commands.post("/v1/objectives/{objective}/key-results")
@row(creates="/v1/key-results/{id}", key_result="id")
def add_key_result(meta: Meta, objective: str, body: NewKeyResult) -> AddKeyResult:
    """Add a key result. Needs a reason once the objective is active."""
    return AddKeyResult(
        meta,
        objective=objective,
        key_result=new_id(body.id),
        text=body.text,
        measure=body.measure.definition(),
        weight=body.weight,
        owner=body.owner,
        description=body.description,
    )


@commands.post("/v1/key-results/{key_result}/reword")
def reword_key_result(meta: Meta, key_result: str, body: KeyResultWording) -> RewordKeyResult:
    """Reword a key result: its text and its description. Needs a reason once the objective is active."""
    return RewordKeyResult(meta, key_result=key_result, text=body.text, description=body.description)


@commands.post("/v1/key-results/{key_result}/change-measure")
def change_measure(meta: Meta, key_result: str, body: NewMeasure) -> ChangeMeasure:
    """Give a key result its whole new measure. Needs a reason once the objective is active."""
    return ChangeMeasure(meta, key_result=key_result, measure=body.measure.definition())


@commands.post("/v1/key-results/{key_result}/change-weight")
def change_weight(meta: Meta, key_result: str, body: Weight) -> ChangeKeyResultWeight:
    """Change a key result's weight. Needs a reason once the objective is active."""
    return ChangeKeyResultWeight(meta, key_result=key_result, weight=body.weight)


@commands.post("/v1/key-results/{key_result}/change-owner")
def change_owner(meta: Meta, key_result: str, body: OwnerOrNone) -> ChangeKeyResultOwner:
    """Change who owns a key result. Needs a reason once the objective is active."""
    return ChangeKeyResultOwner(meta, key_result=key_result, owner=body.owner)


@commands.post("/v1/key-results/{key_result}/bind")
def bind_part(meta: Meta, key_result: str, body: Binding) -> BindPart:
    """Bind a part to a feed: its value is derived from the feed's readings. Needs a reason once the objective is active."""
    return BindPart(meta, key_result=key_result, part=body.part, feed=body.feed, aggregation=body.aggregation)


@commands.post("/v1/key-results/{key_result}/unbind")
def unbind_part(meta: Meta, key_result: str, body: BoundPart = BoundPart()) -> UnbindPart:
    """Unbind a part from its feed. Needs a reason once the objective is active."""
    return UnbindPart(meta, key_result=key_result, part=body.part)


@commands.post("/v1/key-results/{key_result}/drop")
def drop_key_result(meta: Meta, key_result: str, body: Plain = Plain()) -> DropKeyResult:
    """Drop a key result. Needs a reason."""
    return DropKeyResult(meta, key_result=key_result)


@commands.post("/v1/key-results/{key_result}/take-up")
def take_up_key_result(meta: Meta, key_result: str, body: Plain = Plain()) -> TakeUpKeyResult:
    """Take up a dropped key result again: the same one, its history unbroken. Needs a reason."""
    return TakeUpKeyResult(meta, key_result=key_result)
