"""How a page asks: the query API in this process, and the command service over HTTP, both with the person's credential.

A page so shows what the API answers and nothing else: the same rights, the same refusals, the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
from goal_ledger_edge.positions import HEADER
from goal_ledger_edge.routing import is_noted
from starlette.types import ASGIApp, Message, Scope

from goal_ledger_projection.pages.session import BrowserSession

Json = dict[str, Any]
COMMAND_TIMEOUT_S = 15.0


class ApiRefusal(Exception):
    """The API said no: its problem document."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(document.get("detail") or document.get("title") or str(status))
        self.status, self.document = status, document

    @property
    def code(self) -> str:
        return str(self.document.get("code", "unknown"))

    @property
    def sentence(self) -> str:
        return str(self.document.get("detail") or self.document.get("title") or self.code)

    @property
    def field(self) -> str | None:
        found = self.document.get("field")
        return None if found is None else str(found)


class Questions:
    """Asks the query API of this process, on behalf of one request of a browser."""

    def __init__(self, api: ASGIApp, scope: Scope, session: BrowserSession) -> None:
        self._api, self._scope, self._session = api, scope, session

    async def ask(self, path: str, asked: Mapping[str, str], include: str | None = None) -> Json:
        """The answer's body. `include`: the position that it must include. Raises ApiRefusal."""
        headers = [(b"authorization", self._session.authorization.encode("latin-1", "replace"))]
        if include is not None:
            headers.append((HEADER.lower().encode(), include.encode("latin-1", "replace")))
        scope = {
            **self._scope,
            "method": "GET",
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": urlencode(asked).encode(),
            "headers": headers,
        }
        status, body = await _run(self._api, scope)
        if is_noted(scope):  # the request context notes reads of the record itself by the route
            self._scope["route"] = scope["route"]
        return _answer(status, body)


async def _run(api: ASGIApp, scope: Scope) -> tuple[int, bytes]:
    status, pieces = 500, []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            pieces.append(message.get("body", b""))

    await api(scope, receive, send)
    return status, b"".join(pieces)


def _answer(status: int, body: bytes) -> Json:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {"code": "unknown", "title": body[:200].decode("utf-8", "replace")}
    if status >= 400:
        raise ApiRefusal(status, answer)
    return dict(answer)


class Commands:
    """Sends commands to the command service, as any other client does."""

    def __init__(self, url: str | None) -> None:
        self._http = None if url is None else httpx2.AsyncClient(base_url=url, timeout=COMMAND_TIMEOUT_S)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def send(self, session: BrowserSession, path: str, body: Json, key: str) -> Json:
        """The command's answer. `key`: the same key again is the same command. Raises ApiRefusal."""
        headers = {"Authorization": session.authorization, "Idempotency-Key": key}
        answer = await self._request(
            "POST", path, headers | {"Content-Type": "application/json"}, json.dumps(body).encode()
        )
        return _answer(answer.status_code, answer.content)

    async def read(self, session: BrowserSession, path: str) -> str:
        """A text that the command service serves. Raises ApiRefusal."""
        answer = await self._request("GET", path, {"Authorization": session.authorization}, None)
        if answer.status_code >= 400:
            _answer(answer.status_code, answer.content)
        return answer.text

    async def _request(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None
    ) -> httpx2.Response:
        if self._http is None:
            raise _away()
        try:
            return await self._http.request(method, quote(path), headers=dict(headers), content=content)
        except httpx2.TransportError as why:
            raise _away() from why


def _away() -> ApiRefusal:
    sentence = "The command service cannot be reached now, and it is not known whether anything was recorded."
    return ApiRefusal(503, {"code": "outcome_unknown", "detail": sentence})
