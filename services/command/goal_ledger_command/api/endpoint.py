"""Every command over HTTP: the request is taken apart, the shell performs it, the answer is written.

FastAPI's routes describe the commands in OpenAPI; what runs is this, without FastAPI's resolving of dependencies and
parsing of bodies, which is not strict and costs more than the rest. ``dispatch.py`` brings requests here directly.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import Body as BodyParameter
from fastapi import Header, Path
from fastapi.routing import APIRoute
from goal_ledger_command.api.answers import (
    AnswerDocument,
    JsonAnswer,
    KeyAnswerDocument,
    answer_bytes,
    answer_headers,
)
from goal_ledger_command.api.declare import Declared
from goal_ledger_command.api.door import Door, credential_in
from goal_ledger_command.api.refusals import of_ledger_error, of_refusal, of_validation
from goal_ledger_command.api.statuses import responses_of
from goal_ledger_command.api.values import Body
from goal_ledger_command.credentials import KeyMaker
from goal_ledger_command.shell import Asked
from goal_ledger_contracts.decision import Decision
from goal_ledger_contracts.ids import uuid7
from goal_ledger_domain.deciders import RULES
from goal_ledger_domain.refusals import Refusal
from goal_ledger_edge.bodies import JSON, need_media_type, parse_json, receive_body
from goal_ledger_edge.openapi import KEY_PATTERN, VERSION_PATTERN
from goal_ledger_edge.parameters import need_known
from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.submission import Answer, LedgerError
from goal_ledger_observability.context import correlation_id, traceparent, usable_correlation_id
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MAX_KEY_CHARACTERS = 255
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_VERSION = re.compile(r'"(0|[1-9][0-9]{0,9})"')


class Endpoint:
    """One command's ASGI application. It raises nothing that is a refusal: those leave as problem documents."""

    def __init__(self, declared: Declared, door: Door, max_bytes: int) -> None:
        self._declared, self._door, self._max_bytes = declared, door, max_bytes
        self._validate: Callable[[Any], Body] = declared.body.__pydantic_validator__.validate_python
        self._body_may_be_left_out = declared.body_may_be_left_out

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response
        try:
            answer = await self._answer(scope, receive)
        except Problem as problem:
            answer = problem.response()
        except Refusal as refused:
            answer = of_refusal(refused, self._declared.place).response()
        except LedgerError as failed:
            answer = of_ledger_error(failed).response()
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> JsonAnswer:
        declared, headers = self._declared, Headers(scope)
        credential = credential_in(scope)
        if scope["query_string"]:
            need_known(QueryParams(scope["query_string"]), ())
        key = headers.idempotency_key()
        version = expected_version(headers.text(b"if-match"))
        body = await self._read(headers, receive)
        stated = self._stated(body)
        maker = KeyMaker(credential.workspace) if declared.issues_key else None
        path_parameters: dict[str, str] = scope["path_params"]
        correlation = correlation_id.get() or uuid7()
        answer = await self._door.shell.perform(
            Asked(
                credential=credential,
                make=lambda meta: declared.make(meta, path_parameters, stated, maker),
                method="POST",
                path=scope["path"],
                body=body,
                reason=stated.reason,
                effective_at=stated.effective_at,
                correlation_id=correlation,
                causation_id=causation_id(headers.text(b"x-causation-id"), correlation),
                key=key,
                version=version,
                location=self._location,
                traceparent=traceparent.get(),
            )
        )
        shown = maker.key if maker is not None and not answer.replayed else None
        more = {}
        if declared.tells is not None:
            more = await declared.tells.members(self._door.shell, credential.workspace, path_parameters)
        return JsonAnswer(self._status(answer), answer_bytes(answer, shown, more), answer_headers(answer))

    async def _read(self, headers: Headers, receive: Receive) -> Any:
        content_type = headers.text(b"content-type")
        if content_type is not None or not self._body_may_be_left_out:
            need_media_type(content_type, headers.text(b"content-encoding"), JSON)
        raw = await receive_body(receive, headers.text(b"content-length"), self._max_bytes)
        if not raw and self._body_may_be_left_out:
            return {}
        if content_type is None:
            need_media_type(None, None, JSON)
        return parse_json(raw, self._max_bytes)

    def _stated(self, body: Any) -> Body:
        try:
            return self._validate(body)
        except ValidationError as wrong:
            raise of_validation(wrong) from None

    def _location(self, decision: Decision) -> str | None:
        template = self._declared.creates
        if template is None:
            return None
        below = decision.stream.partition("/")[2]
        return template.replace("{objective}", quote(below)).replace("{id}", quote(decision.id))

    def _status(self, answer: Answer) -> int:
        return 201 if self._declared.creates is not None and answer.facts else 200


class Headers:
    """A request's headers, taken apart once. One that was sent twice is one of both values, as RFC 9110 reads it: so
    two versions, credentials or content types are refused, and not the last taken."""

    __slots__ = ("_found", "_raw")

    def __init__(self, scope: Scope) -> None:
        self._raw: list[tuple[bytes, bytes]] = scope["headers"]
        self._found = dict(self._raw)
        if len(self._found) != len(self._raw):
            self._found = {
                name: b", ".join(text for other, text in self._raw if other == name) for name in self._found
            }

    def text(self, name: bytes) -> str | None:
        found = self._found.get(name)
        return None if found is None else found.decode("latin-1")

    def idempotency_key(self) -> str | None:
        """Problem 400 ``bad_idempotency_key``."""
        if b"idempotency-key" not in self._found:
            return None
        return idempotency_key(
            [text.decode("latin-1") for name, text in self._raw if name == b"idempotency-key"]
        )


def idempotency_key(given: list[str]) -> str | None:
    """The one Idempotency-Key. Problem 400 ``bad_idempotency_key``."""
    if not given:
        return None
    if len(given) > 1 or _KEY.fullmatch(given[0]) is None:
        sentence = f"An Idempotency-Key is sent once: 1–{MAX_KEY_CHARACTERS} visible ASCII characters without spaces."
        raise Problem(400, "bad_idempotency_key", sentence, field="Idempotency-Key")
    return given[0]


def expected_version(given: str | None) -> int | None:
    """The version in If-Match. Problem 400 ``bad_if_match``."""
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


class CommandRoute(APIRoute):
    """A route that OpenAPI describes by the declaration's signature, and that runs its :class:`Endpoint`."""

    def __init__(self, declared: Declared, endpoint: Endpoint) -> None:
        statuses = (201, 200) if declared.creates else (200,)
        rule = RULES[declared.command]
        document = KeyAnswerDocument if declared.issues_key else AnswerDocument
        if declared.tells is not None:
            document = declared.tells.document
        super().__init__(
            declared.path,
            _described(declared),
            methods=["POST"],
            status_code=statuses[0],
            response_model=document,
            tags=[declared.tag],
            summary=declared.function.__name__.replace("_", " ").capitalize(),
            description=inspect.getdoc(declared.function),
            operation_id=declared.function.__name__,
            responses=responses_of(statuses, document),
            openapi_extra={"x-permission": rule.may.value, "x-shows": rule.shows},
        )
        self.app = endpoint


def _described(declared: Declared) -> Callable[..., Any]:
    """A function that is never called: its signature is what OpenAPI shows of parameters and body."""

    async def described(**_: Any) -> None:
        raise AssertionError("the route runs its Endpoint")

    kind = inspect.Parameter.KEYWORD_ONLY
    empty = inspect.Parameter.empty
    parameters = [
        inspect.Parameter(
            name, kind, annotation=str, default=Path(description=f"The {name.replace('_', ' ')}")
        )
        for name in declared.parameters
    ]
    default = BodyParameter(default=declared.body()) if declared.body_may_be_left_out else BodyParameter()
    parameters.append(inspect.Parameter("body", kind, annotation=declared.body, default=default))
    parameters.append(
        inspect.Parameter(
            "idempotency_key",
            kind,
            annotation=str | None,
            default=Header(
                default=None,
                alias="Idempotency-Key",
                json_schema_extra={"pattern": KEY_PATTERN},
                description="Kept for ever: the same key and body give the same answer",
            ),
        )
    )
    parameters.append(
        inspect.Parameter(
            "if_match",
            kind,
            annotation=str | None,
            default=Header(
                default=None,
                alias="If-Match",
                json_schema_extra={"pattern": VERSION_PATTERN},
                description='The version seen, such as "3"; stale: 412',
            ),
        )
    )
    described.__signature__ = inspect.Signature(parameters, return_annotation=empty)  # type: ignore[attr-defined]
    return described
