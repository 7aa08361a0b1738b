"""``POST /v1/readings``: CloudEvents, one or a batch. ``GET /v1/receipts``: what became of one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Request
from goal_ledger_command.api.answers import AnswerDocument, JsonAnswer, answer_bytes, answer_headers
from goal_ledger_command.api.command_route import causation_id, idempotency_key
from goal_ledger_command.api.door import Door, credential_in
from goal_ledger_command.api.refusals import of_refusal
from goal_ledger_command.api.routes import Route
from goal_ledger_command.intake import kept_refusal
from goal_ledger_command.intake_http import Sender, sender_of, take_batch, take_one
from goal_ledger_command.receipts import ReadingOverHttp, Receipt, WouldBe, looked_up, place_in_event
from goal_ledger_contracts.decision import Identity
from goal_ledger_contracts.envelope import CommandMark
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.permission import Permission
from goal_ledger_domain.authorise import may
from goal_ledger_domain.reading import identity
from goal_ledger_domain.refusals import Refusal
from goal_ledger_edge.bodies import parse_json, parse_json_items, read_body, require_media_type, too_large
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Gives, Refuses, Right, Takes, right_of
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import CommandAnswer
from goal_ledger_messaging.reading_event import (
    MAX_EVENT_BYTES,
    READING_TYPE,
    STRUCTURED,
    NotAReading,
    ReadingEvent,
    from_http,
)
from goal_ledger_observability.context import correlation_id, traceparent
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

BATCH = "application/cloudevents-batch+json"
JSON = "application/json"

_EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": READING_TYPE,
    "source": "/web-shop/counter",
    "id": "2026-11-23",
    "time": "2026-11-23T22:00:00Z",
    "subject": "webshop.visitors",
    "data": {"value": "250"},
}


class ReceiptDocument(BaseModel):
    """What became of a reading. A refused one is not kept."""

    model_config = ConfigDict(extra="forbid")

    source: str | None
    id: str | None
    feed: str | None = None
    outcome: str = Field(description="applied, duplicate, quarantined, refused; not_recorded: send it again")
    reason: str | None = Field(
        default=None, description="A stable code: why it is refused, or waits in quarantine"
    )
    detail: str | None = Field(default=None, description="The reason in a sentence")
    field: str | None = Field(
        default=None, description="A JSON pointer into the event in its structured form, or a header's name"
    )
    event_id: str | None = None
    position: str | None = None
    state: str | None = Field(
        default=None, description="Of a look-up: recorded, quarantined, released, rejected or retracted"
    )


class ReadingAnswerDocument(AnswerDocument):
    receipt: ReceiptDocument


class BatchDocument(BaseModel):
    receipts: list[ReceiptDocument] = Field(description="One per event, in their order")
    counts: dict[str, int] = Field(
        description="How many of each outcome", examples=[{"applied": 3, "refused": 1}]
    )
    position: str


class DryRunDocument(BaseModel):
    """What one reading would come to; nothing is recorded, so there is no position."""

    model_config = ConfigDict(extra="forbid")

    receipts: list[ReceiptDocument]


class DataBody(BaseModel):
    """The data of a reading; in a request of the binary form the whole body, the attributes in ``ce-`` headers."""

    model_config = ConfigDict(extra="forbid")

    value: str | float = Field(examples=["250"])
    unit: str | None = None
    mode: str | None = Field(default=None, description="absolute (gauge, counter) or increment (event count)")
    sequence: str | int | None = None


class EventBody(BaseModel):
    """A CloudEvent 1.0 in the structured form. Extensions are allowed; ``backfill`` (true) is one of ours."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_EVENT]})

    specversion: str
    type: str
    source: str
    id: str
    time: str
    subject: str = Field(description="The feed's name")
    data: DataBody
    backfill: bool = False


_REFERENCE = "#/components/schemas/"
ReadingsRequest = Annotated[
    Request,
    Right(Permission.TAKE_READING),
    Takes(
        {
            STRUCTURED: {"schema": {"$ref": f"{_REFERENCE}EventBody"}, "example": _EVENT},
            BATCH: {
                "schema": {"type": "array", "items": {"$ref": f"{_REFERENCE}EventBody"}},
                "example": [_EVENT],
            },
            JSON: {"schema": {"$ref": f"{_REFERENCE}DataBody"}, "example": _EVENT["data"]},
        }
    ),
]
_LOCATION = {"Location": {"description": "Where its receipt is", "schema": {"type": "string"}}}
Taking = Annotated[
    Response,
    Gives(
        "Receipts of a batch; of one reading, a repeat or a dry run",
        BatchDocument | ReadingAnswerDocument | DryRunDocument,
    ),
    Gives("The one reading is recorded or quarantined", ReadingAnswerDocument, 201, headers=_LOCATION),
    Refuses(404, 409),
]


def router(door: Door, engine: AsyncEngine, max_batch_bytes: int, max_batch_items: int) -> APIRouter:
    """The two routes."""
    routes = APIRouter(tags=["readings"], route_class=Route)
    readings, receipts = ReadingsDoor(door, max_batch_bytes, max_batch_items), Receipts(door, engine)
    routes.post("/v1/readings", summary="Take readings")(readings.take_readings)
    routes.get("/v1/receipts", summary="What became of a reading", response_model_exclude_none=True)(
        receipts.look_up_receipt
    )
    return routes


class ReadingsDoor:
    """``POST /v1/readings``."""

    def __init__(self, door: Door, max_batch_bytes: int, max_batch_items: int) -> None:
        self._door, self._shell = door, door.shell
        self._max_batch_bytes, self._max_batch_items = max_batch_bytes, max_batch_items

    async def take_readings(
        self,
        request: ReadingsRequest,
        dry_run: Annotated[bool, Query(description="Say what would happen, record nothing")] = False,
        _key: Annotated[str | None, Header(alias="Idempotency-Key", description="Not for a batch")] = None,
    ) -> Taking:
        """Take one reading (structured or binary CloudEvent) or a batch; each is decided for itself."""
        found = require_media_type(request, (STRUCTURED, BATCH, JSON))
        key = idempotency_key(request.scope)
        if found == BATCH and key is not None:
            sentence = "A batch takes no Idempotency-Key: its readings have identities."
            raise Problem(422, "key_not_for_bulk", sentence, field="Idempotency-Key")
        sender = await self._sender(request, dry_run)
        if found == BATCH:
            return await self._batch(sender, self._events(await read_body(request, self._max_batch_bytes)))
        raw = await read_body(request, MAX_EVENT_BYTES)
        return await self._one(sender, _event(request, raw), raw, key)

    async def _sender(self, request: Request, dry_run: bool) -> Sender:
        correlation = correlation_id.get() or uuid7()
        ids = (correlation, causation_id(request.headers.get("x-causation-id"), correlation))
        return await sender_of(self._shell, credential_in(request.scope), ids, traceparent.get(), dry_run)

    def _events(self, raw: bytes) -> list[Any]:
        events = parse_json_items(raw, self._max_batch_bytes)
        if not isinstance(events, list):
            raise Problem(422, "wrong_type", "A batch is a JSON list of CloudEvents.", field="")
        if len(events) > self._max_batch_items:
            sentence = f"A batch has at most {self._max_batch_items} readings."
            raise Problem(413, "too_many_items", sentence, max_items=self._max_batch_items)
        return events

    async def _batch(self, sender: Sender, events: list[Any]) -> JsonAnswer:
        receipts = await take_batch(self._shell, sender, events)
        _, position = await self._shell.ledger.read(sender.credential.workspace)
        counts = Counter(receipt["outcome"] for receipt in receipts)
        body = {"receipts": receipts, "counts": counts, "position": str(position)}
        headers = [(b"goal-ledger-position", str(position).encode())]
        return JsonAnswer(200, json.dumps(body, separators=(",", ":")).encode(), headers)

    async def _one(self, sender: Sender, event: ReadingEvent, raw: bytes, key: str | None) -> JsonAnswer:
        try:
            answer, taken = await take_one(self._shell, sender, event, self._mark(sender, event, raw, key))
        except Refusal as refused:
            raise of_refusal(refused, place_in_event) from None
        except WouldBe as would_be:
            receipts = {"receipts": [would_be.taken.receipt(would_be)]}
            return JsonAnswer(200, json.dumps(receipts).encode(), [])
        receipt = await self._receipt(sender, taken, answer)
        body = answer_bytes(answer)[:-1] + b',"receipt":' + json.dumps(receipt).encode() + b"}"
        where = urlencode({"source": event.source, "id": event.id})
        headers = [*answer_headers(answer), (b"location", f"/v1/receipts?{where}".encode())]
        return JsonAnswer(200 if receipt["outcome"] == "duplicate" else 201, body, headers)

    def _mark(self, sender: Sender, event: ReadingEvent, raw: bytes, key: str | None) -> CommandMark | None:
        """Of the whole event: in the binary form its attributes are no part of the body."""
        if key is None:
            return None
        body = [parse_json(raw, MAX_EVENT_BYTES), repr(event)]
        return self._shell.marks.of(sender.meta.actor, "POST", "/v1/readings", key, body)

    async def _receipt(self, sender: Sender, taken: ReadingOverHttp, answer: CommandAnswer) -> Receipt:
        if taken.decision is not None:
            return taken.receipt(answer)
        wanted = identity(taken.event.source, taken.event.id)
        _, situation = await self._shell.look(sender.credential.workspace, wanted)
        return looked_up(situation.found[wanted], answer.position.epoch)


class Receipts:
    """``GET /v1/receipts``."""

    def __init__(self, door: Door, engine: AsyncEngine) -> None:
        self._door, self._engine = door, engine

    async def look_up_receipt(
        self,
        request: Annotated[Request, Right(Permission.READ_RECEIPTS)],
        source: Annotated[str, Query(min_length=1)],
        id: Annotated[str, Query(min_length=1)],
    ) -> Annotated[Receipt, Gives(model=ReceiptDocument), Refuses(400, 404)]:
        """A refusal over HTTP is not kept: 404 ``reading_unknown``, send it again. One of the inbox is, until it comes
        again and is taken."""
        asker, right = await self._door.allowed(request), right_of(request)
        wanted: Identity = identity(source, id)
        workspace = asker.credential.workspace
        world, situation = await self._door.shell.look(workspace, wanted)
        found = situation.found.get(wanted)
        if found is None:
            reads_all = may(world, asker.actor, asker.held, right)
            return await self._refused(workspace, source, id, None if reads_all else asker.actor)
        if not may(world, asker.actor, asker.held, right, found.fact.stream):
            raise _unknown()
        return looked_up(found, situation.position.epoch)

    async def _refused(self, workspace: str, source: str, id: str, only_of: str | None) -> Receipt:
        """Of a message in the inbox (of the system ``only_of``, if given) that was refused. Problem 404."""
        async with raw_connection(self._engine) as raw:
            refused = await kept_refusal(raw, workspace, source, id)
        if refused is None or only_of not in (None, f"system/{refused['system']}"):
            raise _unknown()
        why = {"feed": refused["feed"], "reason": refused["code"], "detail": refused["reason"]}
        return {"source": source, "id": id, "outcome": "refused"} | why


def _unknown() -> Problem:
    return Problem(404, "reading_unknown", "No reading is recorded under this source and id.")


def _event(request: Request, raw: bytes) -> ReadingEvent:
    try:
        return from_http(request.headers, raw)
    except NotAReading as bad:
        if bad.code == "event_too_large":
            raise too_large(MAX_EVENT_BYTES) from None
        status = 400 if bad.code == "bad_json" else 422
        raise Problem(status, bad.code, bad.sentence, field=bad.field) from None
