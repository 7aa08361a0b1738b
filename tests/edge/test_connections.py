"""A request must come in time and within bounds; half ones are closed, on a real listener."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from goal_ledger_edge.connections import Limits
from goal_ledger_edge.server import Listener, serve

PATIENCE_S = 30
SOON = Limits(
    header_timeout_seconds=0.3,
    body_timeout_seconds=0.3,
    body_min_bytes_per_second=1000,
    send_timeout_seconds=0.3,
    keep_alive_seconds=2,
    max_target_bytes=500,
    max_headers=20,
    max_header_bytes=2000,
)
LONG = 50 * 1024 * 1024


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Says how large the body was; ``/long`` answers 50 MiB, ``/late`` looks at its body after a second,
    ``/early`` never."""
    if scope["path"] == "/late":
        await asyncio.sleep(1)
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = b"x" * LONG if scope["path"] == "/long" else b"%d" % size
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


@dataclass
class Talk:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """All that comes until the other side closes."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    ports: list[int] = []
    stop, listening = asyncio.Event(), asyncio.Event()

    def started(found: list[int]) -> None:
        ports.extend(found)
        listening.set()

    listener = Listener(application, "127.0.0.1", 0, lifespan="off", limits=SOON)
    serving = asyncio.create_task(serve([listener], stop=stop, on_started=started, drain_seconds=1))
    await listening.wait()
    yield ports[0]
    stop.set()
    await serving


async def call(port: int) -> Talk:
    return Talk(*await asyncio.open_connection("127.0.0.1", port))


def assert_refused(answer: bytes, status: bytes, code: bytes) -> None:
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert b"application/problem+json" in answer and b'"code":"' + code in answer
    assert b"connection: close" in answer


async def test_a_connection_on_which_nothing_is_asked_is_closed(port: int) -> None:
    assert await (await call(port)).rest() == b""


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n",
    ],
    ids=["at the opening", "after a request", "after an answer that did not wait for the body"],
)
async def test_blank_lines_are_no_request_and_hold_no_connection(port: int, before: bytes) -> None:
    talk = await call(port)
    reading = asyncio.create_task(talk.rest())
    await talk.say(before)
    for _ in range(100):
        if reading.done():
            break
        await asyncio.sleep(0.1)
        talk.writer.write(b"\r\n" if b"POST" not in before else b"x")
        before = b""
    assert reading.done()
    assert (await reading).count(b"HTTP/1.1") <= 1


@pytest.mark.parametrize("half", [b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: 1"])
async def test_a_head_that_does_not_end_is_refused_and_closed(port: int, half: bytes) -> None:
    talk = await call(port)
    await talk.say(half)
    assert_refused(await talk.rest(), b"408", b"request_timeout")


async def test_a_head_that_trickles_in_is_refused_too(port: int) -> None:
    talk = await call(port)
    reading = asyncio.create_task(talk.rest())
    await talk.say(b"GET / HTTP/1.1\r\n")
    for number in range(200):
        if reading.done():
            break
        talk.writer.write(b"X-%d: 1\r\n" % (number % 5))
        await asyncio.sleep(0.05)
    assert_refused(await reading, b"408", b"request_timeout")


@pytest.mark.parametrize("some", [b"", b"abc"])
async def test_a_body_that_does_not_come_is_refused_and_closed(port: int, some: bytes) -> None:
    talk = await call(port)
    await talk.say(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + some)
    assert_refused(await talk.rest(), b"408", b"request_timeout")


async def test_a_body_that_gets_on_slowly_is_taken(port: int) -> None:
    talk = await call(port)
    await talk.say(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n")
    for _ in range(10):
        await talk.say(b"x" * 2000)
        await asyncio.sleep(0.1)
    answer = await talk.rest()
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"20000")


async def test_a_client_is_not_blamed_while_the_application_takes_its_time(port: int) -> None:
    talk = await call(port)
    await talk.say(b"POST /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n")
    await talk.say(b"x" * 1_000_000)
    assert (await talk.rest()).endswith(b"1000000")


async def test_a_client_that_does_not_read_its_answer_is_let_go(port: int) -> None:
    talk = await call(port)
    await talk.say(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(2)
    assert len(await talk.rest()) < LONG


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"GET /" + b"a" * 600 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414", b"address_too_long"),
        (b"GET /?" + b"a" * 600 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414", b"address_too_long"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 30 + b"\r\n", b"431", b"headers_too_large"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 3000 + b"\r\n\r\n", b"431", b"headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"b" * 3000 + b": a\r\n\r\n", b"431", b"headers_too_large"),
    ],
)
async def test_a_head_beyond_its_bounds_is_refused_and_closed(
    port: int, head: bytes, status: bytes, code: bytes
) -> None:
    talk = await call(port)
    await talk.say(head)
    assert_refused(await talk.rest(), status, code)


async def test_a_header_that_does_not_end_is_not_read_on(port: int) -> None:
    talk = await call(port)
    await talk.say(b"GET / HTTP/1.1\r\nA: ")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < LONG:
            await asyncio.wait_for(talk.say(b"b" * 100_000), PATIENCE_S)
            sent += 100_000
    assert sent < LONG


async def test_trailers_count_as_headers(port: int) -> None:
    talk = await call(port)
    await talk.say(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
    await talk.say(b"A: b\r\n" * 100 + b"\r\n")
    assert_refused(await talk.rest(), b"431", b"headers_too_large")


async def test_requests_within_the_bounds_follow_each_other_on_one_connection(port: int) -> None:
    talk = await call(port)
    for number in range(30):
        await talk.say(b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" % number)
        head = await talk.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert await talk.reader.readexactly(1) == b"5"
    await asyncio.sleep(0.6)  # longer than a head may take: between requests another time counts
    await talk.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await talk.rest()).startswith(b"HTTP/1.1 200")


async def test_who_asks_for_a_websocket_is_answered_over_http_and_writes_nothing_to_the_log(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    talk = await call(port)
    await talk.say(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    async with asyncio.timeout(PATIENCE_S):
        assert (await talk.reader.readline()).startswith(b"HTTP/1.1 200")
    talk.writer.close()
    assert "upgrade" not in caplog.text.lower()
