"""One attempt to send a command, and what it means for the one who sent it.

The client library repeats by itself; here every attempt counts for itself, so that what a kill leaves in doubt is seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

import httpx2
from goal_ledger_client import exchange

ATTEMPT_TIMEOUT_S = 20.0
NOT_RECORDED = frozenset({"not_recorded", "clock_skewed", "store_behind_log", "unavailable"})


class Means(Enum):
    """What an attempt tells its sender."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    NOT_RECORDED = "not recorded"
    """The server said so, or no connection could be made."""
    UNKNOWN = "unknown"
    """The connection broke after the request was sent, or the server said that it does not know."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`seq` and `replayed` belong to an acknowledged one; `code` to one that was answered with a problem."""

    means: Means
    status: int = 0
    code: str = ""
    body: Any = None
    replayed: bool = False

    @property
    def seq(self) -> int:
        return int(self.body["facts"][0]["seq"])


def http_client(connections: int = 128) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx2.AsyncClient(timeout=ATTEMPT_TIMEOUT_S, limits=limits)


async def attempt(
    http: httpx2.AsyncClient, url: str, token: str, path: str, body: Any, key: str | None = None
) -> Attempt:
    """Send a command once."""
    headers = exchange.headers(token, key) | {"Content-Type": "application/json"}
    try:
        response = await http.post(url + path, content=json.dumps(body).encode(), headers=headers)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
        return Attempt(Means.NOT_RECORDED, code="no connection")
    except httpx2.TransportError as broken:
        return Attempt(Means.UNKNOWN, code=type(broken).__name__)
    return meaning(response)


def meaning(response: httpx2.Response) -> Attempt:
    """What an answer means."""
    document = response.json()
    status = response.status_code
    if status < 300:
        replayed = response.headers.get("Idempotency-Replayed") == "true"
        return Attempt(Means.ACKNOWLEDGED, status, body=document, replayed=replayed)
    code = str(document.get("code"))
    if status < 500:
        return Attempt(Means.REFUSED, status, code, document)
    means = Means.NOT_RECORDED if code in NOT_RECORDED else Means.UNKNOWN
    return Attempt(means, status, code, document)
