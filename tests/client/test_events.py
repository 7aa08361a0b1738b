"""The client listens on where a stream broke off; what ends a stream for good is raised."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from goal_ledger_client import AsyncGoalLedger, Event, GoalLedger, Problem

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
FIRST = (
    HEAD
    + b'id: 1-4\nretry: 1\n\nevent: CheckInRecorded\ndata: {"seq":5}\nid: 1-5\n\n: alive\n\nevent: CheckInRecorded\ndata: {"se'
)
SECOND = HEAD + b'event: ObjectiveDrafted\ndata: {"seq":6}\nid: 1-6\n\nid: 1-9\n\n'
CLOSED = (
    HEAD + b"event: closed\ndata: " + json.dumps({"status": 403, "code": "not_allowed"}).encode() + b"\n\n"
)


@asynccontextmanager
async def a_service(answers: Sequence[bytes]) -> AsyncIterator[tuple[str, list[str]]]:
    """Answers each request with the next of these, and closes. Its address, and the heads that were sent to it."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(answers[len(heads) - 1])
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}", heads


def last_of(head: str) -> str | None:
    found = [line.partition(": ")[2] for line in head.splitlines() if line.startswith("last-event-id")]
    return found[0] if found else None


HEARD = [Event("1-5", {"seq": 5}), Event("1-6", {"seq": 6})]


async def test_a_stream_that_breaks_off_is_gone_on_with_after_the_last_whole_event() -> None:
    async with (
        a_service([FIRST, BUSY, SECOND, CLOSED]) as (url, heads),
        AsyncGoalLedger(url, url, "t") as ledger,
    ):
        found = []
        with pytest.raises(Problem, match="not_allowed"):
            async for event in ledger.events(after="1-3", stream="objective/g"):
                found.append(event)
    assert found == HEARD
    assert [last_of(head) for head in heads] == ["1-3", "1-5", "1-5", "1-9"]
    assert all(head.startswith("get /v1/events?stream=objective%2fg ") for head in heads)


async def test_the_synchronous_client_listens_likewise() -> None:
    async with a_service([FIRST, SECOND, CLOSED]) as (url, heads):
        with GoalLedger(url, url, "t") as ledger:
            events = ledger.events()
            found = [await asyncio.to_thread(next, events) for _ in HEARD]
            with pytest.raises(Problem, match="not_allowed"):
                await asyncio.to_thread(next, events)
    assert found == HEARD
    assert [last_of(head) for head in heads] == [None, "1-5", "1-9"]
