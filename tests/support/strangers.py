"""Whoever is not signed in is told the same on every address, whatever else they send."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

OPEN = {"/health/live", "/health/ready", "/metrics", "/openapi.json"}
PATIENCE_S = 2.0
SECRET = "A" * 43

WAYS: dict[str, dict[str, Any]] = {
    "nothing wrong with it": {},
    "malformed headers": {
        "headers": {"if-match": "x", "idempotency-key": "a b", "goal-ledger-position": "x", "accept": "x/"}
    },
    "malformed query": {"params": {"limit": "-1", "wait_ms": "x", "as_of": "yesterday", "nothing": "1"}},
    "malformed body": {"content": b"{", "headers": {"content-type": "application/json"}},
    "a body of another kind": {
        "content": b"x" * 1000,
        "headers": {"content-type": "x/y", "content-encoding": "gzip"},
    },
    "a position far ahead": {"params": {"wait_ms": "5000"}, "headers": {"goal-ledger-position": "1-999999"}},
    "an encoded slash": {"slash": True},
}


def credentials(workspace: str, key_id: str) -> list[str | None]:
    """None that counts, of all sorts; ``key_id`` is one of the workspace's."""
    return [
        None,
        "",
        "Basic YTpi",
        "Bearer garbage",
        "Bearer a.b.c",
        f"Bearer glk.{workspace}.{key_id}.{SECRET}",
        f"Bearer glk.{workspace}.none.{SECRET}",
        f"Bearer glk.no-such-workspace.{key_id}.{SECRET}",
        "Bearer glk.too.short",
    ]


def addresses(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Method and path of everything that OpenAPI lists; and some that nobody answers."""
    for path, operations in document["paths"].items():
        for method in operations:
            if path not in OPEN:
                yield method.upper(), re.sub(r"{\w+}", "shop", path)
    yield from (
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/units"),
        ("HEAD", "/v1/log"),
        ("GET", "/v1/objectives/"),
    )


async def assert_strangers_learn_nothing(
    http: httpx2.AsyncClient, document: Mapping[str, Any], workspace: str, key_id: str
) -> int:
    """How many requests were refused, all in the same words."""
    told: set[str] = set()
    asked = 0
    for method, path in addresses(document):
        for credential in credentials(workspace, key_id):
            for way in WAYS.values():
                answer = await asyncio.wait_for(_send(http, method, path, credential, way), PATIENCE_S)
                asked += 1
                assert answer.status_code == 401, (method, path, credential, way, answer.text)
                assert answer.headers["www-authenticate"].startswith("Bearer")
                if method != "HEAD":
                    told.add(re.sub(r'"correlation_id":"\w+"', "", answer.text))
    assert len(told) == 1, told
    return asked


async def _send(
    http: httpx2.AsyncClient, method: str, path: str, credential: str | None, way: Mapping[str, Any]
) -> httpx2.Response:
    sent = dict(way)
    headers = dict(sent.pop("headers", {}))
    if credential is not None:
        headers["authorization"] = credential
    if sent.pop("slash", False):
        path += "%2factivate"
    return await http.request(method, path, headers=headers, **sent)
