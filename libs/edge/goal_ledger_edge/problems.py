"""Problem documents (RFC 9457): the one form in which both APIs say no.

``type`` is ``urn:goal-ledger:problem:<code>``; ``code`` is stable and listed in the docs; ``detail`` is a sentence for
people; ``field`` is a JSON pointer into the body, else the name of a parameter or header. A body that was refused is
never echoed, and an error of ours shows nothing but its correlation id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from goal_ledger_contracts.refusal_codes import ELSEWHERE, SHARED
from goal_ledger_observability.context import correlation_id
from goal_ledger_observability.logs import logger
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

TITLES: dict[str, str] = {
    **{code: meaning.rstrip(".") for code, (_, meaning) in SHARED.items()},
    **{code: meaning.rstrip(".") for _, codes in ELSEWHERE for code, (_, meaning) in codes.items()},
}
"""Code → the title that never varies: what the code means."""

_CODE_OF_STATUS = {
    400: "malformed_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "media_type_not_supported",
}

log = logger("goal_ledger.edge")


class ProblemDocument(BaseModel):
    """The problem document as OpenAPI describes it. Some codes add members of their own, named in their description."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:goal-ledger:problem:not_found"])
    title: str
    status: int
    code: str = Field(description="Stable; listed in docs/refusals.md")
    detail: str = Field(description="A sentence in the words of the domain")
    field: str | None = Field(
        default=None,
        description="A JSON pointer into the body; else the name of a path parameter, query parameter or header",
    )
    correlation_id: str | None = None


class Problem(Exception):
    """Raised anywhere below a route; becomes the answer. ``members`` are extra members of the document."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence, self.field = status, code, sentence, field
        self.headers, self.members = headers, members

    def document(self) -> dict[str, Any]:
        """The members of the document, in the order of RFC 9457, then ours."""
        body: dict[str, Any] = {
            "type": f"urn:goal-ledger:problem:{self.code}",
            "title": TITLES.get(self.code, self.code.replace("_", " ").capitalize()),
            "status": self.status,
            "code": self.code,
            "detail": self.sentence,
        }
        if self.field is not None:
            body["field"] = self.field
        if (correlation := correlation_id.get()) is not None:
            body["correlation_id"] = correlation
        return {**body, **self.members}

    def response(self) -> Response:
        body = json.dumps(self.document(), ensure_ascii=False, separators=(",", ":"), default=_plain)
        raw = body.encode("utf-8", "replace")
        return Response(raw, self.status, headers=dict(self.headers or {}), media_type=MEDIA_TYPE)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def pointer(location: Sequence[int | str]) -> str:
    """A JSON pointer (RFC 6901) of a pydantic error location. Names that nobody here gave are shown as :func:`shown`."""
    return "".join("/" + shown(str(step)).replace("~", "~0").replace("/", "~1") for step in location)


SHOWN_MAX_CHARACTERS = 64


def shown(name: str) -> str:
    """A name from outside as an answer may repeat it: at most 64 characters, none that cannot be seen."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:SHOWN_MAX_CHARACTERS])


def _of_http_exception(exc: HTTPException) -> Problem:
    code = _CODE_OF_STATUS.get(
        exc.status_code, "malformed_request" if exc.status_code < 500 else "internal_error"
    )
    sentences = {
        "not_found": "There is nothing at this address.",
        "method_not_allowed": "This address does not take this method.",
    }
    return Problem(exc.status_code, code, sentences.get(code, str(exc.detail)), headers=exc.headers)


SENTENCES = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such member.",
    **dict.fromkeys(("tuple_type", "list_type", "set_type"), "A list is expected here."),
    **dict.fromkeys(
        (
            "dict_type",
            "mapping_type",
            "model_type",
            "model_attributes_type",
            "dataclass_type",
            "dataclass_exact_type",
        ),
        "An object with named members is expected here.",
    ),
    **dict.fromkeys(("string_type", "string_sub_type"), "A text is expected here."),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false is expected here."),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "A whole number is expected here."),
}
"""By pydantic's kind of error, where its own sentence speaks of Python's types."""


def problem_of_validation(exc: RequestValidationError) -> Problem:
    """Of FastAPI's own validation of parameters, and of a question's body: where and what, never the input."""
    errors = exc.errors()
    first = errors[0]
    where = first["loc"]
    status = 404 if where[0] == "path" else 422
    code = "not_found" if status == 404 else "invalid"
    name = pointer(where[1:]) if where[0] == "body" else ".".join(str(step) for step in where[1:])
    more = f" ({len(errors)} errors in all)" if len(errors) > 1 else ""
    sentence = SENTENCES.get(first["type"], f"{first['msg']}.")
    return Problem(status, code, f"{sentence[:-1]}{more}.", field=name)


def install_problem_handlers(app: FastAPI, meanings: Mapping[str, str] | None = None) -> None:
    """Every refusal and error of ``app`` leaves as a problem document, the router's 404 and 405 included.
    ``meanings``: of codes that only the application knows."""
    TITLES.update({code: meaning.rstrip(".") for code, meaning in (meanings or {}).items()})

    async def problem(_: Request, exc: Exception) -> Response:
        assert isinstance(exc, Problem)
        return exc.response()

    async def http(_: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        return _of_http_exception(exc).response()

    async def validation(_: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)
        return problem_of_validation(exc).response()

    async def unexpected(_: Request, exc: Exception) -> Response:
        return internal_error(exc).response()

    app.add_exception_handler(Exception, unexpected)
    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)


def internal_error(exc: BaseException) -> Problem:
    """The 500 of an error of ours: it shows nothing; the log has the rest under the correlation id."""
    log.error("unexpected error", exc_info=exc)
    return Problem(
        500,
        "internal_error",
        "The server met an error of its own. Nothing is known to be recorded; "
        "the log has the details under this correlation id.",
    )
