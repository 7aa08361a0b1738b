"""What is sent and what comes back, without a connection: shared by the sync and the async client.

Every command is sent with an ``Idempotency-Key``, so that it can be repeated after a time-out: the ledger keeps the
key for ever and gives the first answer again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RETRY_STATUSES = (502, 503, 504)
MAX_ATTEMPTS = 6
FIRST_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: ``facts`` are ``{seq, event_id, type}``; ``position`` is ``<epoch>-<seq>``."""

    id: str
    version: int
    facts: tuple[dict[str, Any], ...]
    position: str
    replayed: bool = False
    location: str | None = None
    body: Mapping[str, Any] | None = None


class Problem(Exception):
    """The request was refused: an RFC 9457 problem document with a stable ``code``."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code", "unknown"))
        self.field = document.get("field")
        super().__init__(
            f"{status} {self.code}: {document.get('detail') or document.get('title') or ''}".strip()
        )


class Unavailable(Problem):
    """Still 503 (or unreachable) after every attempt; the outcome of a command is unknown: repeat with the same key."""


def headers(
    token: str, key: str | None = None, if_match: int | None = None, after: str | None = None
) -> dict[str, str]:
    found = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    if key is not None:
        found["Idempotency-Key"] = key
    if if_match is not None:
        found["If-Match"] = f'"{if_match}"'
    if after is not None:
        found["Goal-Ledger-Position"] = after
    return found


def new_key() -> str:
    return str(uuid.uuid4())


def body_bytes(body: Mapping[str, Any] | list[Any] | None) -> bytes:
    return json.dumps({} if body is None else body, ensure_ascii=False).encode()


def problem(status: int, raw: bytes, exhausted: bool = False) -> Problem:
    """The problem in a response; a body that is no problem document is quoted, shortened."""
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {"title": raw[:200].decode(errors="replace")}
    return Unavailable(status, document) if exhausted else Problem(status, document)


def answer(raw: bytes, response_headers: Mapping[str, str]) -> Answer:
    body = json.loads(raw)
    return Answer(
        id=body["id"],
        version=body["version"],
        facts=tuple(body["facts"]),
        position=body["position"],
        replayed=response_headers.get("Idempotency-Replayed") == "true",
        location=response_headers.get("Location"),
        body=body,
    )


def pause_s(attempt: int, retry_after: str | None) -> float:
    """How long to wait before the next attempt: what the server said, else doubling from a fifth of a second."""
    if retry_after and retry_after.isdigit():
        return min(float(retry_after), 5.0)
    return FIRST_PAUSE_S * 2.0**attempt
