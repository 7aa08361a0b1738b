"""The two clients: the same three calls (command, query, bulk readings), waiting for the connection or awaiting it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2

from goal_ledger_client import exchange
from goal_ledger_client.exchange import Answer, Unavailable

TIMEOUT_S = 30.0
JSON = {"Content-Type": "application/json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def _unreachable(url: str, why: Exception) -> Unavailable:
    return Unavailable(0, {"code": "unreachable", "title": f"{url} cannot be reached: {why}"})


class GoalLedger:
    """The synchronous client. ``token`` is a JWT or an API key; the workspace comes from it."""

    def __init__(self, command_url: str, query_url: str, token: str, timeout_s: float = TIMEOUT_S) -> None:
        self._command_url, self._query_url, self._token = (
            command_url.rstrip("/"),
            query_url.rstrip("/"),
            token,
        )
        self._http = httpx2.Client(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @property
    def command_url(self) -> str:
        return self._command_url

    @property
    def token(self) -> str:
        return self._token

    @property
    def http(self) -> httpx2.Client:
        """The connection, for what streams (``transfer.py``)."""
        return self._http

    def close(self) -> None:
        self._http.close()

    def command(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        if_match: int | None = None,
    ) -> Answer:
        """Sends one command. Raises :class:`Problem` if it is refused, :class:`Unavailable` if that cannot be learnt."""
        sent = exchange.headers(self._token, key or exchange.new_key(), if_match) | JSON
        response = self._send("POST", self._command_url + path, sent, exchange.body_bytes(body))
        return exchange.answer(response.content, response.headers)

    def query(
        self,
        path: str,
        *,
        after: str | None = None,
        wait_ms: int = 5000,
        asked_of: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> Any:
        """One read; ``after`` waits until the answer includes that position. Raises :class:`Problem`.

        ``asked_of``: parameters whose names are taken here, such as the ``after`` of ``/v1/facts``.
        """
        asked = {name: value for name, value in ({**params, **(asked_of or {})}).items() if value is not None}
        if after is not None:
            asked["wait_ms"] = wait_ms
        response = self._send(
            "GET", self._query_url + path, exchange.headers(self._token, after=after), params=asked
        )
        return response.json()

    def send(
        self, method: str, path: str, content: bytes | None = None, media_type: str | None = None
    ) -> httpx2.Response:
        """A request of the command service that may be repeated as it is. Raises :class:`Problem`."""
        sent = exchange.headers(self._token) | ({"Content-Type": media_type} if media_type else {})
        return self._send(method, self._command_url + path, sent, content)

    def readings(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Sends CloudEvents in one batch; the receipts, one per event, in order."""
        sent = exchange.headers(self._token) | BATCH
        response = self._send(
            "POST", f"{self._command_url}/v1/readings", sent, exchange.body_bytes(list(events))
        )
        body = response.json()
        receipts: list[dict[str, Any]] = body["receipts"]
        return receipts

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> httpx2.Response:
        for attempt in range(exchange.MAX_ATTEMPTS):
            last = attempt == exchange.MAX_ATTEMPTS - 1
            try:
                response = self._http.request(
                    method, url, headers=dict(headers), content=content, params=params
                )
            except httpx2.TransportError as why:
                if last:
                    raise _unreachable(url, why) from why
                time.sleep(exchange.pause_s(attempt, None))
                continue
            if response.status_code < 400:
                return response
            if response.status_code not in exchange.RETRY_STATUSES or last:
                raise exchange.problem(response.status_code, response.content, exhausted=last)
            time.sleep(exchange.pause_s(attempt, response.headers.get("Retry-After")))
        raise AssertionError("unreachable")


class AsyncGoalLedger:
    """The asynchronous client; the same calls as :class:`GoalLedger`."""

    def __init__(self, command_url: str, query_url: str, token: str, timeout_s: float = TIMEOUT_S) -> None:
        self._command_url, self._query_url, self._token = (
            command_url.rstrip("/"),
            query_url.rstrip("/"),
            token,
        )
        self._http = httpx2.AsyncClient(timeout=timeout_s, limits=httpx2.Limits(max_connections=128))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def command(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        if_match: int | None = None,
    ) -> Answer:
        """See :meth:`GoalLedger.command`."""
        sent = exchange.headers(self._token, key or exchange.new_key(), if_match) | JSON
        response = await self._send("POST", self._command_url + path, sent, exchange.body_bytes(body))
        return exchange.answer(response.content, response.headers)

    async def query(self, path: str, *, after: str | None = None, wait_ms: int = 5000, **params: Any) -> Any:
        """See :meth:`GoalLedger.query`."""
        asked = {name: value for name, value in params.items() if value is not None}
        if after is not None:
            asked["wait_ms"] = wait_ms
        sent = exchange.headers(self._token, after=after)
        response = await self._send("GET", self._query_url + path, sent, params=asked)
        return response.json()

    async def readings(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """See :meth:`GoalLedger.readings`."""
        sent = exchange.headers(self._token) | BATCH
        response = await self._send(
            "POST", f"{self._command_url}/v1/readings", sent, exchange.body_bytes(list(events))
        )
        receipts: list[dict[str, Any]] = response.json()["receipts"]
        return receipts

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> httpx2.Response:
        for attempt in range(exchange.MAX_ATTEMPTS):
            last = attempt == exchange.MAX_ATTEMPTS - 1
            try:
                response = await self._http.request(
                    method, url, headers=dict(headers), content=content, params=params
                )
            except httpx2.TransportError as why:
                if last:
                    raise _unreachable(url, why) from why
                await asyncio.sleep(exchange.pause_s(attempt, None))
                continue
            if response.status_code < 400:
                return response
            if response.status_code not in exchange.RETRY_STATUSES or last:
                raise exchange.problem(response.status_code, response.content, exhausted=last)
            await asyncio.sleep(exchange.pause_s(attempt, response.headers.get("Retry-After")))
        raise AssertionError("unreachable")
