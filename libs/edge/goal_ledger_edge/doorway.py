"""The outermost layer of both APIs: correlation id in and out, trace context, metrics, and the last line against errors.

It is plain ASGI, for it is on the path of every request: about 10 µs.
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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goal_ledger_edge.problems import internal_error

CORRELATION_HEADER = b"x-correlation-id"
LOCAL_HEADER = (b"x-goal-ledger-local", b"this installation is open; its keys are for demonstration only")


class Doorway:
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
        status, complete = 0, False

        async def answer(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (CORRELATION_HEADER, correlation.encode()),
                    *self._extra,
                ]
            elif not message.get("more_body", False):
                complete = True
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
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.observe(scope["method"], route, status, time.perf_counter() - started)

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
