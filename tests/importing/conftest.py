"""The command service of tests/command, and organisations whose *ada* may import."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest_asyncio
from command.conftest import service as service
from command.service import JSON, Organisation, Service


@pytest_asyncio.fixture
async def org(service: Service) -> Organisation:
    """A workspace with the admin and importer *ada*."""
    made = await service.organisation()
    await made.given(("/v1/roles/grant", {"holder": "person/ada", "role": "importer"}))
    return made


async def imported(org: Organisation, body: Any, *, dry_run: bool = False, **headers: str) -> dict[str, Any]:
    """The answer to an import; a string is CSV, a list JSON Lines."""
    kind = JSON
    raw = json.dumps(body).encode()
    if isinstance(body, str):
        kind, raw = {"content-type": "text/csv"}, body.encode()
    if isinstance(body, list):
        kind, raw = (
            {"content-type": "application/jsonl"},
            b"\n".join(json.dumps(one).encode() for one in body),
        )
    answer = await org.http.post(
        "/v1/imports",
        content=raw,
        params={"dry_run": dry_run},
        headers={**kind, **org.bearer("ada"), **headers},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    return read(answer)


def read(answer: httpx2.Response) -> dict[str, Any]:
    if answer.headers["content-type"].startswith("application/jsonl"):
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert "summary" in lines[-1], lines[-1]
        return {"expected": lines[0]["rows"], "rows": lines[1:-1], **lines[-1]["summary"]}
    body: dict[str, Any] = answer.json()
    return body


def outcomes(answer: dict[str, Any]) -> dict[str, str]:
    return {one["row"]: one["outcome"] for one in answer["rows"]}
