"""What became of each thing that was carried over, and ``POST /v1/cycles/{cycle}/carry-over``: a whole cycle at once.

Every objective of the cycle is an item that is carried over for itself, parents before their children, so that links
among them are taken along. The new objectives' ids follow from the old ones' and the cycle: the same request again
carries over what is still to be. With ``dry_run`` nothing is recorded.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from goal_ledger_command.api.answers import AnswerDocument, JsonAnswer
from goal_ledger_command.api.command_route import causation_id, idempotency_key
from goal_ledger_command.api.declare import MoreMembers
from goal_ledger_command.api.door import Door
from goal_ledger_command.api.refusals import of_ledger_error, of_refusal, of_validation
from goal_ledger_command.api.routes import Route
from goal_ledger_command.api.values import CommandBody, Flag, Id
from goal_ledger_command.shell import CommandRequest, Shell
from goal_ledger_contracts import wire
from goal_ledger_contracts.decision import Decision
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.objective import CarriedThing, ObjectiveCarriedOver
from goal_ledger_contracts.permission import Permission
from goal_ledger_domain import carry_over, cycle
from goal_ledger_domain.carry_over import CarryOver
from goal_ledger_domain.goal import known
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World
from goal_ledger_edge.bodies import parse_json, read_body, require_media_type
from goal_ledger_edge.credentials import Credential
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Gives, Refuses, Right, Takes
from goal_ledger_ledger.submission import LedgerError
from goal_ledger_observability.context import correlation_id, traceparent
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

JSON = "application/json"
MAX_BODY_BYTES = 256 * 1024
CARRIED, CARRIED_BEFORE, REFUSED, NOT_RECORDED = "carried", "carried_before", "refused", "not_recorded"
Json = dict[str, Any]


class ThingDocument(BaseModel):
    """One thing of the old objective."""

    thing: str = Field(description="Its path", examples=["key_results/visitors/window"])
    became: str = Field(description="taken, changed or left_behind")
    into: str | None = Field(default=None, description="What it became, where that has a name of its own")
    why: str | None = Field(
        default=None,
        description="A code of a refusal, or of_the_new_cycle, not_of_the_cycle, from_a_moment (windows), last_value, "
        "not_measured, not_absolute (baselines), carried_over (a parent's continuation)",
    )


class CarriedDocument(AnswerDocument):
    things: list[ThingDocument]


def _things(carried: Iterable[CarriedThing]) -> list[Json]:
    return [wire.encode(one) for one in carried]


async def _told(shell: Shell, workspace: str, path_parameters: Mapping[str, str]) -> Json:
    carried = await shell.carried(workspace, path_parameters["objective"])
    return {"things": _things(carried.things if carried else ())}


TOLD = MoreMembers(CarriedDocument, _told)


class CycleCarriedOver(CommandBody):
    into: Id = Field(examples=["q2"], description="The cycle that the goals go on in")
    objectives: tuple[Id, ...] | None = Field(
        default=None, description="Some of the cycle's objectives; left out: all"
    )
    baseline: str = Field(
        default="keep", description="keep, or last: absolute measures start from their last values"
    )
    dry_run: Flag = Field(default=False, description="Say what would become of each, record nothing")


class ItemDocument(BaseModel):
    objective: str
    outcome: str = Field(description="carried, carried_before, refused; not_recorded: send it again")
    into: str | None = Field(default=None, description="The new objective")
    things: list[ThingDocument] | None = None
    code: str | None = None
    detail: str | None = None


class CycleDocument(BaseModel):
    cycle: str
    into: str
    dry_run: bool
    items: list[ItemDocument] = Field(description="Parents before their children")
    counts: dict[str, int] = Field(description="By outcome", examples=[{"carried": 3, "refused": 1}])
    position: str = Field(examples=["1-151"])


def router(door: Door) -> APIRouter:
    """The route of a whole cycle."""
    routes = APIRouter(tags=["cycles"], route_class=Route)

    @routes.post("/v1/cycles/{cycle}/carry-over", summary="Carry over a cycle")
    async def carry_over_cycle(
        request: Annotated[Request, Right(Permission.DEFINE_GOAL), Takes({JSON: CycleCarriedOver})],
        cycle: str,
        _key: Annotated[str | None, Header(alias="Idempotency-Key", description="Not for bulk")] = None,
    ) -> Annotated[Response, Gives(model=CycleDocument), Refuses(404, 409)]:
        """Carry over every objective of a cycle, links among them included. Each is decided for itself."""
        require_media_type(request, (JSON,))
        if idempotency_key(request.scope) is not None:
            sentence = "A bulk request takes no Idempotency-Key: its items have identities."
            raise Problem(422, "key_not_for_bulk", sentence, field="Idempotency-Key")
        stated = _stated(parse_json(await read_body(request, MAX_BODY_BYTES), MAX_BODY_BYTES))
        asker = await door.allowed(request)
        correlation = correlation_id.get() or uuid7()
        causation = causation_id(request.headers.get("x-causation-id"), correlation)
        bulk = _Bulk(door.shell, asker.credential, cycle, stated, correlation, causation)
        try:
            return await bulk.answer(asker.world)
        except Refusal as refused:
            raise of_refusal(refused, lambda field: field if field == "cycle" else f"/{field}") from None

    return routes


def _stated(body: Any) -> CycleCarriedOver:
    try:
        return CycleCarriedOver.model_validate(body)
    except ValidationError as wrong:
        raise of_validation(wrong) from None


@dataclass
class _Bulk:
    """One request for a whole cycle."""

    shell: Shell
    credential: Credential
    cycle: str
    stated: CycleCarriedOver
    correlation: str
    causation: str

    async def answer(self, world: World) -> JsonAnswer:
        objectives = self._objectives(world)
        deal = self._rehearsed if self.stated.dry_run else self._recorded
        items = [item async for item in deal(objectives)]
        _, position = await self.shell.ledger.read(self.credential.workspace)
        body = {
            "cycle": self.cycle,
            "into": self.stated.into,
            "dry_run": self.stated.dry_run,
            "items": items,
            "counts": Counter(one["outcome"] for one in items),
            "position": str(position),
        }
        headers = [(b"goal-ledger-position", str(position).encode())]
        return JsonAnswer(200, json.dumps(body, separators=(",", ":")).encode(), headers)

    def _objectives(self, world: World) -> list[str]:
        """The items. Refuses unknown cycles, a cycle into itself, and objectives that are not of the cycle."""
        cycle.cycle(world, self.cycle)
        cycle.cycle(world, self.stated.into, "into")
        if self.stated.into == self.cycle:
            sentence = f"The cycle {self.cycle} is carried over into another than itself."
            raise Refusal("same_cycle", sentence, field="into")
        of_cycle = carry_over.of_cycle(world, self.cycle)
        if self.stated.objectives is None:
            return of_cycle
        for id in self.stated.objectives:
            if known(world, id, "objectives").goal.cycle != self.cycle:
                sentence = f"objective/{id} is not in the cycle {self.cycle}."
                raise Refusal("unknown_objective", sentence, field="objectives")
        return [id for id in of_cycle if id in self.stated.objectives]

    async def _recorded(self, objectives: list[str]) -> AsyncIterator[Json]:
        for id in objectives:
            item: Json = {"objective": id}
            try:
                answer = await self.shell.perform(self._asked(id))
                carried = await self.shell.carried(self.credential.workspace, id)
                outcome = CARRIED if answer.facts else CARRIED_BEFORE
                yield item | {"outcome": outcome} | _became(carried)
            except Refusal as refused:
                yield item | _refused(refused.code, refused.sentence)
            except LedgerError as failed:
                problem = of_ledger_error(failed)
                yield item | _refused(problem.code, failed.sentence, NOT_RECORDED)

    async def _rehearsed(self, objectives: list[str]) -> AsyncIterator[Json]:
        meta = await self.shell.meta_of(self._asked(""))
        world, situation = await self.shell.look(self.credential.workspace)
        world = world.branch()
        for id in objectives:
            item: Json = {"objective": id}
            command = self._command(id, meta)
            try:
                decision = await self.shell.rehearsed(self.credential.workspace, command, world, situation)
                if decision.drafts:
                    yield item | {"outcome": CARRIED} | _became(_carried_in(decision))
                else:
                    before = await self.shell.carried(self.credential.workspace, id)
                    yield item | {"outcome": CARRIED_BEFORE} | _became(before)
            except Refusal as refused:
                yield item | _refused(refused.code, refused.sentence)

    def _command(self, id: str, meta: Any) -> CarryOver:
        into = carry_over.id_within(self.stated.into, f"objective/{id}")
        return CarryOver(meta, id, into, self.stated.into, baseline=self.stated.baseline)

    def _asked(self, id: str) -> CommandRequest:
        return CommandRequest(
            credential=self.credential,
            make=lambda meta: self._command(id, meta),
            method="POST",
            path=f"/v1/cycles/{self.cycle}/carry-over",
            body=None,
            reason=self.stated.reason,
            effective_at=self.stated.effective_at,
            correlation_id=self.correlation,
            causation_id=self.causation,
            traceparent=traceparent.get(),
        )


def _carried_in(decision: Decision) -> ObjectiveCarriedOver:
    carried: ObjectiveCarriedOver = decision.drafts[0].data
    return carried


def _became(carried: ObjectiveCarriedOver | None) -> Json:
    return {} if carried is None else {"into": carried.into, "things": _things(carried.things)}


def _refused(code: str, detail: str, outcome: str = REFUSED) -> Json:
    return {"outcome": outcome, "code": code, "detail": detail}
