"""``POST /v1/readings``: CloudEvents, one or a batch. ``GET /v1/receipts``: what became of one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from goal_ledger_command.api.answers import AnswerDocument, JsonAnswer, answer_bytes, answer_headers
from goal_ledger_command.api.door import Door, guarded
from goal_ledger_command.api.endpoint import causation_id, idempotency_key
from goal_ledger_command.api.statuses import problem_responses
from goal_ledger_command.intake import kept_refusal
from goal_ledger_command.intake_http import Sender, sender_of, take_batch, take_one
from goal_ledger_command.receipts import Receipt, Taken, WouldBe, looked_up
from goal_ledger_contracts.decision import Identity
from goal_ledger_contracts.ids import uuid7
from goal_ledger_domain.authorise import Permission, authorise, held_by, may
from goal_ledger_domain.reading import identity
from goal_ledger_edge.bodies import parse_json, read_body, require_media_type, too_large
from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import Answer
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
    code: str | None = None
    reason: str | None = None
    field: str | None = None
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


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            STRUCTURED: {"schema": {"$ref": "#/components/schemas/EventBody"}, "example": _EVENT},
            BATCH: {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/EventBody"}},
                "example": [_EVENT],
            },
            JSON: {"schema": {"$ref": "#/components/schemas/DataBody"}, "example": _EVENT["data"]},
        },
    },
    "x-permission": Permission.TAKE_READING.value,
}


def router(door: Door, engine: AsyncEngine, max_batch_bytes: int, max_batch_items: int) -> APIRouter:
    """The two routes."""
    routes = APIRouter(tags=["readings"])

    @routes.post(
        "/v1/readings",
        operation_id="take_readings",
        summary="Take readings",
        response_model=None,
        openapi_extra=_BODY,
        responses={
            200: {"description": "Receipts of a batch, of a repeat, or of a dry run", "model": BatchDocument},
            201: {
                "description": "The one reading is recorded or quarantined",
                "model": ReadingAnswerDocument,
            },
            **problem_responses(400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 503),
        },
    )
    @guarded
    async def take_readings(
        request: Request,
        dry_run: Annotated[bool, Query(description="Say what would happen, record nothing")] = False,
        _key: Annotated[str | None, Header(alias="Idempotency-Key", description="Not for a batch")] = None,
    ) -> Response | JsonAnswer:
        """Take one reading (structured or binary CloudEvent) or a batch; each is decided for itself."""
        found = require_media_type(request, (STRUCTURED, BATCH, JSON))
        key = idempotency_key(request.headers.getlist("idempotency-key"))
        is_batch = found == BATCH
        if is_batch and key is not None:
            sentence = "A batch takes no Idempotency-Key: its readings have identities."
            raise Problem(422, "key_not_for_bulk", sentence, field="Idempotency-Key")
        sender = await _sender(request, dry_run)
        raw = await read_body(request, max_batch_bytes if is_batch else MAX_EVENT_BYTES)
        if is_batch:
            return await _batch(sender, _events(raw))
        return await _one(request, sender, raw, key)

    @routes.get(
        "/v1/receipts",
        operation_id="look_up_receipt",
        summary="What became of a reading",
        response_model=ReceiptDocument,
        response_model_exclude_none=True,
        openapi_extra={"x-permission": Permission.READ_RECEIPTS.value},
        responses=problem_responses(400, 401, 403, 404, 405, 422, 500, 503),
    )
    @guarded
    async def look_up_receipt(
        request: Request,
        source: Annotated[str, Query(min_length=1)],
        id: Annotated[str, Query(min_length=1)],
    ) -> Receipt:
        """A refusal over HTTP is not kept: 404 ``reading_unknown``, send it again. One of the inbox is, until it comes
        again and is taken."""
        credential = door.credential(request)
        actor, _ = await door.shell.actor_and_world(credential)
        wanted: Identity = identity(source, id)
        world, situation = await door.shell.look(credential.workspace, wanted)
        held = held_by(world, actor)
        authorise(world, actor, held, Permission.READ_RECEIPTS)
        found = situation.found.get(wanted)
        if found is not None and may(world, actor, held, Permission.READ_RECEIPTS, found.fact.stream):
            return looked_up(found, situation.position.epoch)
        if found is None:
            async with raw_connection(engine) as raw:
                refused = await kept_refusal(raw, credential.workspace, source, id)
            reads_all = may(world, actor, held - {"emitter"}, Permission.READ_RECEIPTS)
            if refused is not None and (reads_all or actor == f"system/{refused['system']}"):
                return {"source": source, "id": id, "outcome": "refused"} | {
                    name: refused[name] for name in ("code", "reason")
                }
        raise Problem(404, "reading_unknown", "No reading is recorded under this source and id.")

    async def _sender(request: Request, dry_run: bool) -> Sender:
        correlation = correlation_id.get() or uuid7()
        ids = (correlation, causation_id(request.headers.get("x-causation-id"), correlation))
        return await sender_of(door.shell, door.credential(request), ids, traceparent.get(), dry_run)

    def _events(raw: bytes) -> list[Any]:
        events = parse_json(raw, max_batch_bytes)
        if not isinstance(events, list):
            raise Problem(422, "wrong_type", "A batch is a JSON list of CloudEvents.", field="")
        if len(events) > max_batch_items:
            sentence = f"A batch has at most {max_batch_items} readings."
            raise Problem(413, "too_many_items", sentence, max_items=max_batch_items)
        return events

    async def _batch(sender: Sender, events: list[Any]) -> JsonAnswer:
        receipts = await take_batch(door.shell, sender, events)
        _, position = await door.shell.ledger.read(sender.credential.workspace)
        counts = Counter(receipt["outcome"] for receipt in receipts)
        body = {"receipts": receipts, "counts": counts, "position": str(position)}
        headers = [(b"goal-ledger-position", str(position).encode())]
        return JsonAnswer(200, json.dumps(body, separators=(",", ":")).encode(), headers)

    async def _one(request: Request, sender: Sender, raw: bytes, key: str | None) -> JsonAnswer:
        event = _event(request, raw)
        mark = None
        if key is not None:
            body = parse_json(raw, MAX_EVENT_BYTES)
            mark = door.shell.marks.of(sender.meta.actor, "POST", "/v1/readings", key, [body, repr(event)])
        try:
            answer, taken = await take_one(door.shell, sender, event, mark)
        except WouldBe:
            body = {"receipts": [Taken(event).receipt(WouldBe())]}
            return JsonAnswer(200, json.dumps(body).encode(), [])
        receipt = await _receipt(sender, taken, answer)
        body = answer_bytes(answer)[:-1] + b',"receipt":' + json.dumps(receipt).encode() + b"}"
        return JsonAnswer(200 if receipt["outcome"] == "duplicate" else 201, body, answer_headers(answer))

    async def _receipt(sender: Sender, taken: Taken, answer: Answer) -> Receipt:
        if taken.decision is not None:
            return taken.receipt(answer)
        wanted = identity(taken.event.source, taken.event.id)
        _, situation = await door.shell.look(sender.credential.workspace, wanted)
        return looked_up(situation.found[wanted], answer.position.epoch)

    def _event(request: Request, raw: bytes) -> ReadingEvent:
        try:
            return from_http(request.headers, raw)
        except NotAReading as bad:
            if bad.code == "event_too_large":
                raise too_large(MAX_EVENT_BYTES) from None
            raise Problem(
                400 if bad.code == "not_json" else 422, bad.code, bad.sentence, field=bad.field
            ) from None

    return routes
