"""Bodies from outside: media type first, then size, then strict JSON, before any model sees a byte."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from goal_ledger_contracts.strict_json import NotJson, parse, parse_items
from starlette.requests import Request
from starlette.types import Receive

from goal_ledger_edge.problems import Problem

JSON = ("application/json",)

DISCARDED_MAX_BYTES = 64 * 1024 * 1024
"""A refused body up to this size is read and thrown away after the answer: a client that writes all before it reads
would otherwise meet a reset connection and never see why. Beyond it the connection is closed."""


def media_type(content_type: str | None) -> str:
    """The media type without its parameters, in lower case; empty if there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def need_media_type(content_type: str | None, content_encoding: str | None, accepted: Collection[str]) -> str:
    """The media type. Problem 415 unless it is one of ``accepted``, in UTF-8 and not compressed."""
    found = (
        content_type if content_type is not None and content_type in accepted else media_type(content_type)
    )
    if content_type is None or found not in accepted:
        raise Problem(
            415,
            "media_type_not_supported",
            f"The body's Content-Type must be {' or '.join(sorted(accepted))}.",
            field="Content-Type",
        )
    if found is not content_type and _charset(content_type) not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "media_type_not_supported", "The body must be UTF-8.", field="Content-Type")
    if content_encoding is not None and content_encoding.lower() != "identity":
        raise Problem(
            415, "media_type_not_supported", "A compressed body is not taken.", field="Content-Encoding"
        )
    return found


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def too_large(max_bytes: int, stated_bytes: int = 0) -> Problem:
    """413, before the rest of the body has come."""
    headers = {"Connection": "close"} if stated_bytes > DISCARDED_MAX_BYTES else None
    sentence = f"The body has more than {max_bytes} bytes."
    return Problem(413, "body_too_large", sentence, headers=headers, max_bytes=max_bytes)


async def receive_body(receive: Receive, content_length: str | None, max_bytes: int) -> bytes:
    """The whole body. Problem 413 as soon as it is known to be larger, without reading the rest."""
    if content_length is not None and content_length.isascii() and content_length.isdigit():
        stated_bytes = int(content_length[:20])
        if stated_bytes > max_bytes:
            raise too_large(max_bytes, stated_bytes)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "malformed_request", "The body ended early.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse_json(raw: bytes, max_bytes: int) -> Any:
    """The JSON value. Problem 400 ``bad_json`` with the reason."""
    try:
        return parse(raw, max_bytes)
    except NotJson as bad:
        raise Problem(400, "bad_json", str(bad)) from None


def parse_json_items(raw: bytes, max_bytes: int) -> Any:
    """The JSON value; in a list what is not acceptable stands as its NotJson. Problem 400 ``bad_json``."""
    try:
        return parse_items(raw, max_bytes)
    except NotJson as bad:
        raise Problem(400, "bad_json", str(bad)) from None


def require_media_type(request: Request, accepted: Collection[str]) -> str:
    """:func:`need_media_type` of a request's headers."""
    headers = request.headers
    return need_media_type(headers.get("content-type"), headers.get("content-encoding"), accepted)


async def read_body(request: Request, max_bytes: int) -> bytes:
    """:func:`receive_body` of a request."""
    return await receive_body(request.receive, request.headers.get("content-length"), max_bytes)


async def read_json(request: Request, max_bytes: int, accepted: Collection[str] = JSON) -> Any:
    """The body's JSON value, numbers by their digits. Problems 415, 413, 400."""
    require_media_type(request, accepted)
    return parse_json(await read_body(request, max_bytes), max_bytes)
