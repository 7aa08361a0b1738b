"""Facts as server-sent events over a real connection: nothing missed or twice, rights that end, a quiet stop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from goal_ledger_client import AsyncGoalLedger
from goal_ledger_contracts.workspace import RoleRevoked
from goal_ledger_edge.server import Listener, serve
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.api.view import Views
from goal_ledger_projection.history.snapshots import ReadDatabase
from goal_ledger_projection.query import verifier
from projection.query.conftest import Reading
from projection.query.story import TEN, Story, d

SOON_S = 20
"""On a loaded machine; what is awaited comes within milliseconds."""
Json = dict[str, Any]


@dataclass
class Event:
    id: str | None = None
    event: str | None = None
    data: Json | None = None
    comments: list[str] = field(default_factory=list)


@dataclass
class Streams:
    """A query process's public listener."""

    client: httpx2.AsyncClient
    stop: asyncio.Event
    serving: asyncio.Task[None]

    @asynccontextmanager
    async def listen(
        self, token: str, last: str | None = None, **asked: Any
    ) -> AsyncIterator[AsyncIterator[Event]]:
        headers = {"Authorization": f"Bearer {token}"} | ({} if last is None else {"Last-Event-ID": last})
        async with self.client.stream("GET", "/v1/events", params=asked, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield _events(answer)


async def _events(answer: httpx2.Response) -> AsyncIterator[Event]:
    event = Event()
    async for line in answer.aiter_lines():
        if not line:
            yield event
            event = Event()
            continue
        name, _, value = line.partition(": ")
        match name:
            case "":
                event.comments.append(value)
            case "data":
                event.data = json.loads(value)
            case "id":
                event.id = value
            case "event":
                event.event = value


@pytest.fixture
async def streams(reading: Reading) -> AsyncIterator[Streams]:
    settings = reading.views.settings.model_copy(update={"event_heartbeat_s": 0.3})
    database = ReadDatabase(settings)
    await database.start()
    views = Views(settings, database, verifier(settings), reading.clock)
    ports: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
    listener = Listener(query_app(views, new_registry("query")), "127.0.0.1", 0)
    serving = asyncio.create_task(serve([listener], on_started=ports.set_result, stop=views.stopping))
    port = (await asyncio.wait_for(ports, SOON_S))[0]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=SOON_S) as client:
        yield Streams(client, views.stopping, serving)
    views.stopping.set()
    await asyncio.wait_for(serving, SOON_S)
    await views.close()
    await database.close()


@pytest.fixture
async def told(story: Story) -> Story:
    """An analyst, and a goal with a check-in."""
    story.person("ana", "analyst")
    story.goal("g", ("kr", TEN))
    story.check_in("g", "kr", "4")
    await story.arrive()
    return story


async def next_of(events: AsyncIterator[Event], count: int = 1) -> list[Event]:
    """So many events with data."""
    found: list[Event] = []
    async with asyncio.timeout(SOON_S):
        async for event in events:
            if event.data is not None:
                found.append(event)
            if len(found) == count:
                break
    return found


async def test_facts_come_as_they_are_recorded_each_with_its_position(streams: Streams, told: Story) -> None:
    before = len(told.facts)
    async with streams.listen(told.token("ana")) as events:
        assert (await anext(events)).id == f"1-{before}", "from now on"
        told.check_in("g", "kr", "5")
        told.check_in("g", "kr", "6", confidence=d("0.7"))
        await told.arrive()
        first, second = await next_of(events, 2)
        assert (first.id, first.event) == (f"1-{before + 1}", "CheckInRecorded")
        assert (second.id, second.event) == (f"1-{before + 2}", "CheckInRecorded")
        asked = await told.ask("/v1/facts", who="ana", after=before)
        assert [first.data, second.data] == asked["items"]


async def test_whoever_comes_back_misses_nothing_and_gets_nothing_twice(
    streams: Streams, told: Story
) -> None:
    whole = [f"1-{fact.seq}" for fact in told.facts]
    async with streams.listen(told.token("ana"), after="1-0") as events:
        first = await next_of(events, 4)
    async with streams.listen(told.token("ana"), last=first[-1].id) as events:
        rest = await next_of(events, len(whole) - 4)
    assert [one.id for one in first + rest] == whole
    async with streams.listen(told.token("ana"), last=whole[1], after="1-0") as events:
        assert [one.id for one in await next_of(events)] == [whole[2]], "what came last counts"


async def test_only_what_is_asked_for_comes_and_the_position_goes_on(streams: Streams, told: Story) -> None:
    asked = {"stream": "objective/g", "type": "CheckInRecorded,ObjectiveActivated", "after": "1-0"}
    async with streams.listen(told.token("ana"), **asked) as events:
        found = await next_of(events, 2)
        assert [one.event for one in found] == ["ObjectiveActivated", "CheckInRecorded"]
        told.goal("another")
        await told.arrive()
        async with asyncio.timeout(SOON_S):
            passed = [await anext(events)]
            while passed[-1].id != f"1-{len(told.facts)}":
                passed.append(await anext(events))
        assert {one.data for one in passed} == {None}, "what is not asked for moves the position alone"


async def test_a_listener_who_is_told_nothing_hears_that_the_stream_is_alive(
    streams: Streams, told: Story
) -> None:
    async with streams.listen(told.token("ana")) as events, asyncio.timeout(SOON_S):
        assert {(await anext(events)).id for _ in range(3)} == {f"1-{len(told.facts)}"}


async def test_rights_that_end_end_the_stream_before_anything_else_is_told(
    streams: Streams, told: Story
) -> None:
    async with streams.listen(told.token("ana")) as events:
        await anext(events)
        told.tell(f"workspace/{told.workspace}", RoleRevoked("person/ana", "analyst"), reason="left the team")
        told.check_in("g", "kr", "7")
        begun = time.monotonic()
        await told.arrive()
        [closed] = await next_of(events)
        assert closed.event == "closed" and closed.data is not None
        assert (closed.data["code"], closed.data["status"]) == ("not_allowed", 403)
        assert time.monotonic() - begun < SOON_S
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_listeners_do_not_hold_up_a_stop(streams: Streams, told: Story) -> None:
    async with streams.listen(told.token("ana")) as events:
        await anext(events)
        streams.stop.set()
        async with asyncio.timeout(SOON_S):
            async for _ in events:
                pass
            await streams.serving


@pytest.mark.parametrize(
    ("asked", "status", "code", "field"),
    [
        ({"after": "yesterday"}, 400, "bad_position", "after"),
        ({"after": "9-1"}, 422, "position_unknown", "after"),
        ({"as_of": "2026-01-01T00:00:00Z"}, 422, "unknown_parameter", "as_of"),
        ({"type": "Nothing"}, 422, "choice_unknown", "type"),
        ({"type": ""}, 422, "choice_unknown", "type"),
        ({"stream": "objective/none"}, 422, "choice_unknown", "stream"),
    ],
)
async def test_what_cannot_be_listened_to_is_refused(
    streams: Streams, told: Story, asked: Json, status: int, code: str, field: str
) -> None:
    headers = {"Authorization": f"Bearer {told.token('ana')}"}
    refused = await streams.client.get("/v1/events", params=asked, headers=headers)
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["field"]) == (status, code, field)


async def test_only_who_may_read_facts_may_listen(streams: Streams, told: Story) -> None:
    told.person("bo", "contributor")
    await told.arrive()
    headers = {"Authorization": f"Bearer {told.token('bo')}"}
    refused = await streams.client.get("/v1/events", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert (await streams.client.get("/v1/events")).status_code == 401


async def test_a_head_has_an_end(streams: Streams, told: Story) -> None:
    headers = {"Authorization": f"Bearer {told.token('ana')}"}
    answer = await streams.client.head("/v1/events", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_client_hears_what_is_recorded(streams: Streams, told: Story) -> None:
    url = str(streams.client.base_url)
    async with AsyncGoalLedger(url, url, told.token("ana")) as ledger:
        heard = ledger.events(after="1-0", type="CheckInRecorded")
        async with asyncio.timeout(SOON_S):
            first = await anext(heard)
            told.check_in("g", "kr", "8")
            await told.arrive()
            second = await anext(heard)
        assert [first.fact["data"]["values"][0]["value"], second.position] == ["4", f"1-{len(told.facts)}"]
        await heard.aclose()
