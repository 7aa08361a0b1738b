"""The two clients: the same calls (command, query, readings, events), waiting for the connection or awaiting it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx2

from goal_ledger_client import exchange
from goal_ledger_client.datasets import table_of
from goal_ledger_client.events import Event, Heard
from goal_ledger_client.exchange import USUAL_RETRY, Answer, ClientRequest, Retry, Unavailable
from goal_ledger_client.values import Body

if TYPE_CHECKING:
    import pyarrow

TIMEOUT_S = 30.0
MAX_CONNECTIONS = 128
SIGNED_WITHIN_S = 60.0
"""Heads are signed some seconds after a fact; with witnesses, once these have seen them."""


class GoalLedger(exchange.Addresses):
    """The synchronous client. ``token`` is a JWT or an API key; the workspace comes from it."""

    def __init__(
        self,
        command_url: str,
        query_url: str,
        token: str,
        timeout_s: float = TIMEOUT_S,
        retry: Retry = USUAL_RETRY,
    ) -> None:
        super().__init__(command_url, query_url, token, retry)
        self._http = httpx2.Client(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @property
    def http(self) -> httpx2.Client:
        """The connection, for what streams (``transfer.py``)."""
        return self._http

    def close(self) -> None:
        self._http.close()

    def command(
        self,
        path: str,
        body: Body | None = None,
        *,
        key: str | None = None,
        if_match: int | None = None,
        receipt: bool = False,
    ) -> Answer:
        """Sends one command. Decimals as text, int or ``Decimal``, times as aware ``datetime`` or RFC 3339 text.
        ``receipt``: the answer's ``receipts`` say where the proof of each fact is, for :meth:`receipt`.

        Raises :class:`Problem` if it is refused; :class:`Unavailable` if that cannot be learnt, with the ``key`` to
        repeat it with; TypeError for a float, ValueError for a time without an offset: nothing is sent then.
        """
        response = self._send(self._command(path, body, key, if_match, receipt))
        return exchange.answer(response.content, response.headers)

    def receipt(self, address: str, wait_s: float = SIGNED_WITHIN_S) -> str:
        """The C2SP tlog-proof at one of an answer's ``receipts``, waited for until a signed head covers the fact: keep it,
        and whoever has the log checks it with ``goal-ledger-verify``.

        Raises :class:`Problem`; :class:`Unavailable` if no head covers it in so many seconds.
        """
        return self._patiently(self._query(address, None, 0, {}), wait_s).text

    def dossier(self, objective: str, *, bundle: bool = False, **clocks: Any) -> bytes:
        """An auditor's dossier of a goal: an HTML file, or with ``bundle`` a zip for ``goal-ledger-verify``, waited for until a
        signed head covers its facts. Raises as ``receipt``."""
        return self._patiently(self._dossier(objective, bundle, clocks), SIGNED_WITHIN_S).content

    def _patiently(self, request: ClientRequest, wait_s: float) -> httpx2.Response:
        until = time.monotonic() + wait_s
        while True:
            try:
                return self._send(request)
            except Unavailable:
                if time.monotonic() > until:
                    raise

    def query(
        self,
        path: str,
        *,
        after: str | None = None,
        wait_ms: int = 5000,
        asked_of: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> Any:
        """One read, of the service that answers it; ``after`` waits until the answer includes that position.

        ``asked_of``: parameters whose names are taken here, such as the ``after`` of ``/v1/facts``, or are no names in
        Python, such as ``from``. Raises :class:`Problem`, :class:`Unavailable`; TypeError, ValueError as ``command``.
        """
        asked = {**params, **(asked_of or {})}
        return self._send(self._query(path, after, wait_ms, asked)).json()

    def what_if(
        self,
        question: str,
        *,
        leave_out: Sequence[str] = (),
        policy: Body | None = None,
        scope: str = "workspace",
        **clocks: Any,
    ) -> Any:
        """How an objective, a key result or the alignment would stand without the facts of these event ids, or with these
        members of the policy in that scope at all times; marked by its member ``what_if``. Nothing is recorded.

        ``question``: its path, with its parameters. Raises as ``query``.
        """
        return self._send(self._what_if(question, leave_out, policy, scope, clocks)).json()

    def export(
        self, dataset: str, *, asked_of: Mapping[str, Any] | None = None, **params: Any
    ) -> pyarrow.Table:
        """A dataset (``scores``, ``check-ins`` …) as a pyarrow table, at any ``as_of`` and ``known_at``, or again by its
        ``token``, which stands in the schema's metadata; filters and ``asked_of`` as in ``query``.

        Needs the extra ``arrow``, else ImportError. Raises as ``query``. What does not fit in memory goes into a file:
        ``datasets.save``.
        """
        request = self.dataset_request(dataset, "arrow", {**params, **(asked_of or {})})
        return table_of(self._send(request).content)

    def send(
        self, method: str, path: str, content: bytes | None = None, media_type: str | None = None
    ) -> httpx2.Response:
        """A request of the command service that may be repeated as it is. Raises :class:`Problem`."""
        sent = exchange.headers(self._token) | ({"Content-Type": media_type} if media_type else {})
        return self._send(ClientRequest(method, self._command_url + path, sent, content))

    def readings(self, events: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> list[dict[str, Any]]:
        """Sends CloudEvents in one batch; the receipts, one per event, in order. Raises as ``command``; a batch may
        always be sent again: its readings are known by (source, id). ``dry_run``: says what would happen."""
        return exchange.receipts(self._send(self._readings(events, dry_run)).content)

    def events(self, *, after: str | None = None, **only: Any) -> Iterator[Event]:
        """Facts as they are recorded, without end: those after that position, else from now on. ``only``: ``stream``,
        ``type``, ``actor``, as ``/v1/facts`` takes them. A stream that breaks off is gone on with where it was.

        Raises :class:`Problem` when one may not, or no longer, listen; :class:`Unavailable` as ``command``.
        """
        heard = Heard(after)
        while True:
            response = self._send(self._events(heard.position, only), stream=True)
            with contextlib.closing(response), contextlib.suppress(httpx2.TransportError):
                for line in response.iter_lines():
                    if (event := heard.line(line)) is not None:
                        yield event
            heard.cut_off()
            time.sleep(heard.pause_s)

    def _send(self, request: ClientRequest, stream: bool = False) -> httpx2.Response:
        steps = exchange.attempts(request, self.retry)
        pause = next(steps)
        while True:
            time.sleep(pause)
            try:
                pause = steps.send(self._once(request, stream))
            except StopIteration as done:
                response: httpx2.Response = done.value
                return response

    def _once(self, one: ClientRequest, stream: bool) -> exchange.Attempt:
        try:
            response = self._http.send(_built(self._http, one), stream=stream)
            if response.status_code >= 400:
                response.read()
            return response
        except httpx2.TransportError as why:
            return why


class AsyncGoalLedger(exchange.Addresses):
    """The asynchronous client; the same calls as :class:`GoalLedger`."""

    def __init__(
        self,
        command_url: str,
        query_url: str,
        token: str,
        timeout_s: float = TIMEOUT_S,
        retry: Retry = USUAL_RETRY,
    ) -> None:
        super().__init__(command_url, query_url, token, retry)
        limits = httpx2.Limits(max_connections=MAX_CONNECTIONS)
        self._http = httpx2.AsyncClient(timeout=timeout_s, limits=limits)

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
        body: Body | None = None,
        *,
        key: str | None = None,
        if_match: int | None = None,
        receipt: bool = False,
    ) -> Answer:
        """See :meth:`GoalLedger.command`."""
        response = await self._send(self._command(path, body, key, if_match, receipt))
        return exchange.answer(response.content, response.headers)

    async def receipt(self, address: str, wait_s: float = SIGNED_WITHIN_S) -> str:
        """See :meth:`GoalLedger.receipt`."""
        return (await self._patiently(self._query(address, None, 0, {}), wait_s)).text

    async def dossier(self, objective: str, *, bundle: bool = False, **clocks: Any) -> bytes:
        """See :meth:`GoalLedger.dossier`."""
        return (await self._patiently(self._dossier(objective, bundle, clocks), SIGNED_WITHIN_S)).content

    async def _patiently(self, request: ClientRequest, wait_s: float) -> httpx2.Response:
        until = time.monotonic() + wait_s
        while True:
            try:
                return await self._send(request)
            except Unavailable:
                if time.monotonic() > until:
                    raise

    async def query(
        self,
        path: str,
        *,
        after: str | None = None,
        wait_ms: int = 5000,
        asked_of: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> Any:
        """See :meth:`GoalLedger.query`."""
        asked = {**params, **(asked_of or {})}
        return (await self._send(self._query(path, after, wait_ms, asked))).json()

    async def what_if(
        self,
        question: str,
        *,
        leave_out: Sequence[str] = (),
        policy: Body | None = None,
        scope: str = "workspace",
        **clocks: Any,
    ) -> Any:
        """See :meth:`GoalLedger.what_if`."""
        return (await self._send(self._what_if(question, leave_out, policy, scope, clocks))).json()

    async def export(
        self, dataset: str, *, asked_of: Mapping[str, Any] | None = None, **params: Any
    ) -> pyarrow.Table:
        """See :meth:`GoalLedger.export`."""
        request = self.dataset_request(dataset, "arrow", {**params, **(asked_of or {})})
        return table_of((await self._send(request)).content)

    async def readings(
        self, events: Sequence[Mapping[str, Any]], *, dry_run: bool = False
    ) -> list[dict[str, Any]]:
        """See :meth:`GoalLedger.readings`."""
        return exchange.receipts((await self._send(self._readings(events, dry_run))).content)

    async def events(self, *, after: str | None = None, **only: Any) -> AsyncGenerator[Event]:
        """See :meth:`GoalLedger.events`."""
        heard = Heard(after)
        while True:
            response = await self._send(self._events(heard.position, only), stream=True)
            async with contextlib.aclosing(response):
                with contextlib.suppress(httpx2.TransportError):
                    async for line in response.aiter_lines():
                        if (event := heard.line(line)) is not None:
                            yield event
            heard.cut_off()
            await asyncio.sleep(heard.pause_s)

    async def _send(self, request: ClientRequest, stream: bool = False) -> httpx2.Response:
        steps = exchange.attempts(request, self.retry)
        pause = next(steps)
        while True:
            await asyncio.sleep(pause)
            try:
                pause = steps.send(await self._once(request, stream))
            except StopIteration as done:
                response: httpx2.Response = done.value
                return response

    async def _once(self, one: ClientRequest, stream: bool) -> exchange.Attempt:
        try:
            response = await self._http.send(_built(self._http, one), stream=stream)
            if response.status_code >= 400:
                await response.aread()
            return response
        except httpx2.TransportError as why:
            return why


def _built(http: httpx2.Client | httpx2.AsyncClient, one: ClientRequest) -> httpx2.Request:
    return http.build_request(
        one.method, one.url, headers=dict(one.headers), content=one.content, params=one.params
    )
