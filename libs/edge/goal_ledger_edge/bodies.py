"""Bodies from outside: media type first, then size, then strict JSON, before any model sees a byte."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from goal_ledger_contracts.strict_json import NotJson, parse
from starlette.requests import ClientDisconnect, Request

from goal_ledger_edge.problems import Problem

JSON = ("application/json",)


def media_type(request: Request) -> str:
    """The media type without its parameters, in lower case; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _charset(request: Request) -> str:
    _, _, parameters = request.headers.get("content-type", "").partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def require_media_type(request: Request, accepted: Collection[str]) -> str:
    """The request's media type. Problem 415 unless it is one of ``accepted``, in UTF-8 and not compressed."""
    found = media_type(request)
    if found not in accepted:
        raise Problem(
            415,
            "media_type_not_supported",
            f"The body's Content-Type must be {' or '.join(sorted(accepted))}.",
            field="Content-Type",
        )
    if _charset(request) not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "media_type_not_supported", "The body must be UTF-8.", field="Content-Type")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(
            415, "media_type_not_supported", "A compressed body is not taken.", field="Content-Encoding"
        )
    return found


def too_large(max_bytes: int) -> Problem:
    """413; the connection is closed, for the rest of the body is not read."""
    return Problem(
        413,
        "body_too_large",
        f"The body has more than {max_bytes} bytes.",
        headers={"Connection": "close"},
        max_bytes=max_bytes,
    )


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body. Problem 413 as soon as it is known to be larger, without reading the rest."""
    stated = request.headers.get("content-length")
    if stated is not None and stated.isascii() and stated.isdigit() and int(stated[:20]) > max_bytes:
        raise too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > max_bytes:
                raise too_large(max_bytes)
            chunks.append(chunk)
    except ClientDisconnect:
        raise Problem(400, "malformed_request", "The body ended early.") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse_json(raw: bytes, max_bytes: int) -> Any:
    """The JSON value. Problem 400 ``bad_json`` with the reason."""
    try:
        return parse(raw, max_bytes)
    except NotJson as bad:
        raise Problem(400, "bad_json", str(bad)) from None


async def read_json(request: Request, max_bytes: int, accepted: Collection[str] = JSON) -> Any:
    """The body's JSON value, numbers by their digits. Problems 415, 413, 400."""
    require_media_type(request, accepted)
    return parse_json(await read_body(request, max_bytes), max_bytes)
