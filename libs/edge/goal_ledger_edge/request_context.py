"""The outermost layer of both APIs: correlation id in and out, trace context, HEAD, metrics, the request's line and access
note, and the last line against errors.

It is plain ASGI, for it is on the path of every request: about 20 µs.
"""

from __future__ import annotations

import secrets
import time

from goal_ledger_observability.context import (
    correlation_id,
    traceparent,
    usable_correlation_id,
    usable_traceparent,
)
from goal_ledger_observability.metrics import HttpMetrics
from goal_ledger_observability.requests import write_request_line
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goal_ledger_edge.problems import internal_error
from goal_ledger_edge.visits import Visit, begin_visit, is_poll, write_access_note

CORRELATION_HEADER = b"x-correlation-id"
LOCAL_HEADER = (b"x-goal-ledger-local", b"this installation is open; its keys are for demonstration only")
_HEAD = "goal_ledger.head"
_PROBES = ("/health/live", "/health/ready", "/metrics")


class RequestContext:
    """Wraps an application. ``local`` adds the header that says loudly that the installation is open."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, *, local: bool = False) -> None:
        self._app, self._metrics = app, metrics
        self._extra = (LOCAL_HEADER,) if local else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        correlation = self._remember(scope)
        method: str = scope["method"]
        if method == "HEAD":  # RFC 9110: as GET, without the body; no route needs to know
            scope = {**scope, "method": "GET", _HEAD: True}
        visit = begin_visit(scope)
        status, complete = 0, False

        async def answer(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], (CORRELATION_HEADER, correlation.encode()), *self._extra]
                message["headers"] = headers if status != 405 else [_with_head(*one) for one in headers]
                write_access_note(scope, visit, status)
            else:
                complete = complete or not message.get("more_body", False)
                if method == "HEAD":
                    message["body"] = b""
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as exc:
            if complete:
                return  # the application's own handler has answered 500 and logged it
            if status:
                raise  # cut off in the middle: the connection must be closed
            await internal_error(exc).response()(scope, receive, answer)
        finally:
            self._tell(scope, visit, method, status, time.perf_counter() - started)

    def _tell(self, scope: Scope, visit: Visit, method: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None)
        self._metrics.observe(method, route, status, seconds)
        path: str = scope["path"]
        if status >= 400 or not (path in _PROBES or is_poll(visit, path)):
            write_request_line(method, route or "other", status, seconds * 1000, visit.actor, visit.workspace)

    @staticmethod
    def _remember(scope: Scope) -> str:
        found = trace = None
        for name, value in scope["headers"]:
            if name == CORRELATION_HEADER:
                found = value.decode("latin-1")
            elif name == b"traceparent":
                trace = value.decode("latin-1")
        if found is None or not usable_correlation_id(found):
            found = secrets.token_hex(16)
        correlation_id.set(found)
        traceparent.set(trace if trace is not None and usable_traceparent(trace) else None)
        return found


def is_head(scope: Scope) -> bool:
    """Whether only the head of the answer is wanted: what has no end must end itself."""
    return _HEAD in scope


def _with_head(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """``Allow`` names HEAD where it names GET."""
    taken = value.split(b", ")
    if name.lower() == b"allow" and b"GET" in taken and b"HEAD" not in taken:
        return name, value + b", HEAD"
    return name, value
