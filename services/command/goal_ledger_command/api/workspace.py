"""The workspace itself: policy, and texts withheld."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Flag, Number, Piece, Whole
from goal_ledger_contracts.workspace import Policy
from goal_ledger_domain.policy import SetPolicy
from goal_ledger_domain.workspace import WithholdText
from pydantic import Field

commands = command_routes("workspace")


class PolicyBody(Piece):
    """What is left out is inherited: of a unit's objective from the unit, of a unit from its parent, else (also of a
    person's objective, whatever units the person is in) from the workspace."""

    time_zone: str | None = Field(default=None, examples=["Europe/Oslo"])
    on_track_points: Number | None = Field(default=None, examples=["5"])
    behind_points: Number | None = Field(default=None, examples=["25"])
    roll_up: str | None = Field(default=None, description="key_results, aligned or both")
    cadence_weeks: Whole | None = None
    anchor_weekday: Whole | None = Field(default=None, description="ISO weekday: 1 is Monday")
    grace_days: Whole | None = None
    feeds_count_as_word: Flag | None = None
    max_key_results: Whole | None = None
    max_active_objectives: Whole | None = None


class NewPolicy(CommandBody):
    scope: str = Field(examples=["workspace"], description="workspace, unit/<id> or objective/<id>")
    policy: PolicyBody


class Withheld(CommandBody):
    fact: str = Field(description="The event_id of the fact that holds the text")
    pointer: str = Field(examples=["/note"], description="JSON pointer of the text within the fact's data")


@commands.post("/v1/policies")
@row(creates="/v1/policies/{id}")
def set_policy(meta: Meta, body: NewPolicy) -> SetPolicy:
    """Set the policy of the workspace, a unit or an objective, as a whole. Needs a reason."""
    return SetPolicy(meta, scope=body.scope, policy=Policy(**body.policy.model_dump()))


@commands.post("/v1/texts/withhold")
def withhold_text(meta: Meta, body: Withheld) -> WithholdText:
    """Withhold one personal text: every answer reads [withheld]. Needs a reason."""
    return WithholdText(meta, fact=body.fact, pointer=body.pointer)
