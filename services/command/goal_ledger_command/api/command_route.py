"""Every command over HTTP: the request is taken apart, the shell performs it, the answer is written.

A command's route is one of FastAPI's, with a handler of its own (``APIRoute.get_route_handler``): without FastAPI's
resolving of dependencies and parsing of bodies, which is not strict and costs more than the rest. ``dispatch.py`` brings
requests to the same handler directly.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header
from goal_ledger_command.api.answers import (
    AnswerDocument,
    JsonAnswer,
    KeyAnswerDocument,
    answer_bytes,
    answer_headers,
    receipts,
)
from goal_ledger_command.api.declare import Declared
from goal_ledger_command.api.door import Door, credential_in, door_of
from goal_ledger_command.api.refusals import of_validation
from goal_ledger_command.api.routes import Route
from goal_ledger_command.api.values import CommandBody
from goal_ledger_command.credentials import KeyMaker
from goal_ledger_command.shell import CommandRequest
from goal_ledger_contracts.decision import Decision
from goal_ledger_contracts.ids import uuid7
from goal_ledger_domain import command
from goal_ledger_domain.deciders import RULES
from goal_ledger_edge.bodies import JSON, need_media_type, parse_json, receive_body
from goal_ledger_edge.openapi import KEY_PATTERN, POSITION_PATTERN, VERSION_PATTERN
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Declaration, Gives, Handler, Right
from goal_ledger_ledger.submission import CommandAnswer
from goal_ledger_observability.context import correlation_id, traceparent, usable_correlation_id
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

MAX_KEY_CHARACTERS = 255
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_VERSION = re.compile(r'"(0|[1-9][0-9]{0,9})"')

_HEADERS: dict[str, Any] = {
    "Goal-Ledger-Position": {
        "description": "<epoch>-<seq> of the answer",
        "schema": {"type": "string", "pattern": POSITION_PATTERN, "examples": ["1-151"]},
    },
    "ETag": {
        "description": "The stream's version, for If-Match",
        "schema": {"type": "string", "pattern": VERSION_PATTERN, "examples": ['"3"']},
    },
    "Idempotency-Replayed": {
        "description": "true: this answer was given before",
        "schema": {"type": "string"},
    },
    "Preference-Applied": {
        "description": "receipt: the answer has `receipts`",
        "schema": {"type": "string"},
    },
}
_LOCATION = {"Location": {"description": "The path of what was created", "schema": {"type": "string"}}}
_OK = {201: "Recorded", 200: "Recorded, or nothing new: the state already was as asked"}


class Preconditions(NamedTuple):
    """On what a command is recorded."""

    key: str | None
    """The Idempotency-Key."""
    version: int | None
    """The one that was seen."""
    receipt: bool = False
    """Whether the answer is to say where the proofs of its facts will be."""


def preconditions(
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            json_schema_extra={"pattern": KEY_PATTERN},
            description="Kept for ever: the same key and body give the same answer",
        ),
    ] = None,
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            json_schema_extra={"pattern": VERSION_PATTERN},
            description='The version seen, such as "3"; stale: 412',
        ),
    ] = None,
    prefer: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description="receipt (RFC 7240): the answer names where each fact's proof is, once a signed head covers it",
        ),
    ] = None,
) -> Preconditions:
    """Problem 400 ``bad_idempotency_key``, ``bad_if_match``. Of ``Prefer`` nothing is refused, as RFC 7240 asks."""
    return Preconditions(
        _usable_key(idempotency_key), _expected_version(if_match), prefers(prefer, "receipt")
    )


def key_maker(request: Request) -> KeyMaker:
    """Makes keys of the caller's workspace."""
    return KeyMaker(credential_in(request.scope).workspace)


Meta = Annotated[command.Meta, Depends(preconditions)]
"""What every command brings along. The shell makes it, once it knows who asks and what was asked before under the key."""
Maker = Annotated[KeyMaker, Depends(key_maker)]


def command_routes(tag: str) -> APIRouter:
    """A resource's commands, in the order in which OpenAPI lists them."""
    return APIRouter(tags=[tag], route_class=CommandRoute)


class CommandRoute(Route):
    """One command's route. What it refuses comes back as a problem document."""

    refusals: ClassVar = {status: codes for status, codes in Route.refusals.items() if status != 410}
    always: ClassVar = frozenset(refusals)

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        self.command = Declared.of(path, endpoint)
        self._validate: Callable[[Any], CommandBody] = (
            self.command.body.__pydantic_validator__.validate_python
        )
        own = {
            "status_code": 201 if self.command.row.creates else 200,
            "summary": endpoint.__name__.replace("_", " ").capitalize(),
            "openapi_extra": {"x-shows": RULES[self.command.command].shows},
        }
        super().__init__(path, endpoint, **given | own)

    def declaration(self, endpoint: Callable[..., Any]) -> Declaration:
        """The right is that of the command's row in the domain."""
        row, document = self.command.row, KeyAnswerDocument if self.command.issues_key else AnswerDocument
        if row.tells is not None:
            document = row.tells.document
        headers = {**_HEADERS, **(_LOCATION if row.creates else {})}
        good = tuple(
            Gives(_OK[status], document, status, headers=headers)
            for status in ((201, 200) if row.creates else (200,))
        )
        return Declaration(Right(RULES[self.command.command].may), None, good, frozenset(), document)

    def place(self, field: str | None) -> str | None:
        return self.command.place(field)

    def answering(self) -> Handler:
        return self._answer

    async def _answer(self, request: Request) -> Response:
        scope, declared = request.scope, self.command
        door, headers, credential = door_of(scope), HeadersOnce(scope), credential_in(scope)
        stated_on = preconditions(
            headers.text(b"idempotency-key"), headers.text(b"if-match"), headers.text(b"prefer")
        )
        body = await self._read(headers, request, door)
        stated = self._stated(body)
        maker = key_maker(request) if declared.issues_key else None
        path_parameters: dict[str, str] = scope["path_params"]
        correlation = correlation_id.get() or uuid7()
        answer = await door.shell.perform(
            CommandRequest(
                credential=credential,
                make=lambda meta: declared.make(meta, path_parameters, stated, maker),
                method="POST",
                path=scope["path"],
                body=body,
                reason=stated.reason,
                effective_at=stated.effective_at,
                correlation_id=correlation,
                causation_id=causation_id(headers.text(b"x-causation-id"), correlation),
                key=stated_on.key,
                version=stated_on.version,
                location=self._location,
                traceparent=traceparent.get(),
            )
        )
        shown = maker.key if maker is not None and not answer.replayed else None
        more: dict[str, Any] = {}
        if declared.row.tells is not None:
            more = await declared.row.tells.members(door.shell, credential.workspace, path_parameters)
        named = answer_headers(answer)
        if stated_on.receipt and door.signs_heads:
            more = {**more, "receipts": receipts(credential.workspace, answer)}
            named.append((b"preference-applied", b"receipt"))
        return JsonAnswer(self._status(answer), answer_bytes(answer, shown, more), named)

    async def _read(self, headers: HeadersOnce, request: Request, door: Door) -> Any:
        content_type = headers.text(b"content-type")
        if content_type is not None or not self.command.body_may_be_left_out:
            need_media_type(content_type, headers.text(b"content-encoding"), JSON)
        raw = await receive_body(request.receive, headers.text(b"content-length"), door.max_command_bytes)
        if not raw and self.command.body_may_be_left_out:
            return {}
        if content_type is None:
            need_media_type(None, None, JSON)
        return parse_json(raw, door.max_command_bytes)

    def _stated(self, body: Any) -> CommandBody:
        try:
            return self._validate(body)
        except ValidationError as wrong:
            raise of_validation(wrong) from None

    def _location(self, decision: Decision) -> str | None:
        template = self.command.row.creates
        if template is None:
            return None
        below = decision.stream.partition("/")[2]
        return template.replace("{objective}", quote(below)).replace("{id}", quote(decision.id))

    def _status(self, answer: CommandAnswer) -> int:
        return 201 if self.command.row.creates is not None and answer.facts else 200


class HeadersOnce:
    """A request's headers, taken apart once. One that was sent twice is one of both values, as RFC 9110 reads it: so
    two versions, keys, credentials or content types are refused, and not the last taken."""

    __slots__ = ("_found",)

    def __init__(self, scope: Scope) -> None:
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        self._found = dict(raw)
        if len(self._found) != len(raw):
            self._found = {
                name: b", ".join(text for other, text in raw if other == name) for name in self._found
            }

    def text(self, name: bytes) -> str | None:
        found = self._found.get(name)
        return None if found is None else found.decode("latin-1")


def idempotency_key(scope: Scope) -> str | None:
    """The one Idempotency-Key. Problem 400 ``bad_idempotency_key``."""
    return _usable_key(HeadersOnce(scope).text(b"idempotency-key"))


def prefers(stated: str | None, preference: str) -> bool:
    """Whether the header ``Prefer`` (RFC 7240) names the preference, with or without a value or parameters."""
    return any(re.split("[;=]", one)[0].strip().lower() == preference for one in (stated or "").split(","))


def _usable_key(given: str | None) -> str | None:
    if given is not None and _KEY.fullmatch(given) is None:
        sentence = f"An Idempotency-Key is sent once: 1–{MAX_KEY_CHARACTERS} visible ASCII characters without spaces."
        raise Problem(400, "bad_idempotency_key", sentence, field="Idempotency-Key")
    return given


def _expected_version(given: str | None) -> int | None:
    if given is None:
        return None
    found = _VERSION.fullmatch(given.strip())
    if found is None:
        raise Problem(
            400, "bad_if_match", 'If-Match names one version in quotes, such as "3".', field="If-Match"
        )
    return int(found[1])


def causation_id(given: str | None, correlation: str) -> str:
    """What caused the command, as its sender says; else the request itself."""
    return given if given is not None and usable_correlation_id(given) else correlation
