"""One connection: how long a request may take to come, how large its head may be, how long an answer may wait to be read.

uvicorn bounds none of these: a request that never ends holds its connection for ever, and a head is collected whatever its
size. The bounds are kept here, below the application, on the parser's own events. A request that comes in one piece, as
nearly all do, costs no timer.

A body may be slow, but must get on: it has ``body_timeout_seconds``, and a second more for every
``body_min_bytes_per_second`` that have come, as long as it is we who wait. What is refused here is told as a problem
document and the connection closed; a connection on which nothing was ever asked is closed without a word.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from goal_ledger_observability.requests import write_request_line
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from goal_ledger_edge.bodies import DISCARDED_MAX_BYTES
from goal_ledger_edge.problems import Problem

BETWEEN_BYTES = 4
"""What a header field's colon, space and line end take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of every connection to a listener."""

    header_timeout_seconds: float = 10
    """From a request's first byte, or the connection's opening, to the end of its head."""
    body_timeout_seconds: float = 20
    body_min_bytes_per_second: int = 1024
    send_timeout_seconds: float = 60
    """So long an answer waits for a client that does not read on."""
    keep_alive_seconds: int = 75
    """Between two requests of one connection."""
    max_target_bytes: int = 8 * 1024
    """Of path and query string."""
    max_headers: int = 100
    max_header_bytes: int = 32 * 1024
    """Of all headers of a request together."""


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's protocol within :class:`Limits`."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._refusal: Problem | None = None
        self._in_head, self._begun, self._receiving = True, False, False
        self._head_bytes = self._headers_seen = self._body_bytes = 0
        self._body_began = 0.0

    # The transport's events

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(self.limits.header_timeout_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        self._stop_sending_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        was_in_head = self._in_head and self._begun
        super().data_received(data)
        if was_in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.max_header_bytes + self.limits.max_target_bytes:
                self._refusal = self._too_many_headers()
        if self._refusal is not None:
            self._refuse(self._refusal)
        elif self._receiving:
            self._expect(self.limits.body_timeout_seconds)
        elif self._in_head and self._begun:
            self._expect(self.limits.header_timeout_seconds)
        elif self._is_idle:
            self._expect(self.limits.keep_alive_seconds)
        else:
            self._expect_nothing()

    @property
    def _is_idle(self) -> bool:
        """Bytes came, and no request: blank lines, or the end of a body that was answered before it came. uvicorn's own
        time between requests ended with them."""
        return self.cycle is None or self.cycle.response_complete

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_sending_timer()
        self._sending = self.loop.call_later(self.limits.send_timeout_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_sending_timer()
        super().resume_writing()

    def _unsupported_upgrade_warning(self) -> None:
        """A request for a WebSocket is answered as if it had not asked; the log is not the place to advise packages."""

    def _stop_sending_timer(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    # The parser's events

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_nothing()
        self._in_head, self._begun, self._receiving = True, True, False
        self._head_bytes = self._headers_seen = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.limits.max_target_bytes:
            sentence = f"Path and query string have at most {self.limits.max_target_bytes} bytes."
            self._refusal = Problem(414, "address_too_long", sentence)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Also of a trailer after the body."""
        super().on_header(name, value)
        self._headers_seen += 1
        self._head_bytes += len(name) + len(value) + BETWEEN_BYTES
        if self._headers_seen > self.limits.max_headers or self._head_bytes > self.limits.max_header_bytes:
            self._refusal = self._too_many_headers()

    def on_headers_complete(self) -> None:
        if self._refusal is None:
            self._in_head, self._receiving = False, True
            self._body_began = self.loop.time()
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._refusal is not None:
            return
        self._body_bytes += len(body)
        super().on_body(body)
        if self.cycle.response_complete and self._body_bytes > DISCARDED_MAX_BYTES:
            self.transport.close()

    def on_message_complete(self) -> None:
        if self._refusal is None:
            self._in_head, self._begun, self._receiving = True, False, False
            super().on_message_complete()

    # Time

    def _expect(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._look)

    def _expect_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        left_s = self._seconds_left() if self._receiving else 0.0
        if left_s > 0:
            self._expect(left_s)
            return
        what = "body" if self._receiving else "head"
        self._refusal = Problem(408, "request_timeout", f"The request's {what} did not come in time.")
        self._refuse(self._refusal)

    def _seconds_left(self) -> float:
        """Until the body must have got further. While the application takes its time, the client is not blamed."""
        limits, now = self.limits, self.loop.time()
        granted_s = self._body_bytes / limits.body_min_bytes_per_second
        if self.flow.read_paused:
            self._body_began = now - granted_s
        return self._body_began + limits.body_timeout_seconds + granted_s - now

    # Refusing

    def _too_many_headers(self) -> Problem:
        limits = self.limits
        sentence = f"A request has at most {limits.max_headers} headers of {limits.max_header_bytes} bytes."
        return Problem(431, "headers_too_large", sentence)

    def _refuse(self, problem: Problem) -> None:
        self._expect_nothing()
        cycle = self.cycle
        under_way = cycle is not None and not cycle.response_complete
        if self._begun or self._receiving:
            if not (under_way and (cycle.response_started or self._in_head)):
                self.transport.write(_written(problem))
            if not under_way:
                write_request_line("-", "other", problem.status, 0.0, None, None)
        if under_way:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()


def _written(problem: Problem) -> bytes:
    answer = problem.response()
    fields = [*answer.raw_headers, (b"connection", b"close")]
    head = b"".join([name + b": " + value + b"\r\n" for name, value in fields])
    return STATUS_LINE[problem.status] + head + b"\r\n" + bytes(answer.body)


def connections_within(limits: Limits) -> type[LimitedConnection]:
    """The protocol for a listener with these limits."""
    return type("ConnectionWithin", (LimitedConnection,), {"limits": limits})
