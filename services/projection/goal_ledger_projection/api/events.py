"""`GET /v1/events`: facts as they are recorded, as server-sent events, for those who do not read Kafka.

Each event's id is its fact's position; whoever comes back with the last one in `Last-Event-ID` misses nothing and gets
nothing twice. Nothing is held between two events, neither a snapshot nor a connection to the database: a listener waits
for the workspace's position to move, as questions do, and then asks for what is new, signed in anew. So rights that end
end the stream with the fact that ended them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from goal_ledger_contracts.position import Position
from goal_ledger_edge.openapi import POSITION_PATTERN
from goal_ledger_edge.positions import HEADER
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.request_context import is_head
from goal_ledger_edge.routing import Gives
from goal_ledger_edge.visits import note
from starlette.responses import Response

from goal_ledger_projection.api.answers import text
from goal_ledger_projection.api.facts import Actor, FactFilter, Stream, Type, opened
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import RecordRequest, View, Views
from goal_ledger_projection.read_models.facts import SINCE

PAGE_FACTS = 500
LOOK_AGAIN_MS = 1000
"""How long a listener waits at a time: it sees by then that the process is to stop."""
TOGETHER_S = 0.05
"""Facts that come within so long are asked for together."""
RETRY_MS = 2000
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Authorization"}

_EVENT = {
    "type": "object",
    "description": "One event; the body is a stream of them",
    "properties": {
        "id": {"type": "string", "pattern": POSITION_PATTERN, "examples": ["1-151"]},
        "event": {"type": "string", "examples": ["CheckedIn", "closed"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer", "description": "Milliseconds"},
    },
}


class EventsRoute(QuestionRoute):
    """A stream has no clocks: it goes on."""

    parameters: ClassVar = {}
    headers: ClassVar = {"X-Correlation-Id": {"schema": {"type": "string"}}}
    besides: ClassVar[tuple[Gives, ...]] = ()


routes = APIRouter(tags=["facts"], route_class=EventsRoute)
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that came: what follows it is sent, then what is recorded from now on",
        json_schema_extra={"pattern": POSITION_PATTERN},
    ),
]
AfterPosition = Annotated[
    str | None,
    Query(
        description="The same, for a first request: `1-0` begins with the first fact. Without both: from now on",
        json_schema_extra={"pattern": POSITION_PATTERN},
    ),
]


@routes.get("/v1/events", summary="Facts as they are recorded")
async def events(
    request: RecordRequest,
    stream: Stream = None,
    type: Type = None,
    actor: Actor = None,
    after: AfterPosition = None,
    last_event_id: LastEventId = None,
) -> Annotated[Response, Gives("Server-sent events, without end", content={MEDIA_TYPE: _EVENT})]:
    """Server-sent events without end: `event` is the fact's type, `id` its position, `data` the fact as in `/v1/facts`. An
    id without data says how far the log was looked through. `event: closed` is the last one: its data is the problem
    that ended the stream. Reads are noted in the access log as the stream begins."""
    views: Views = request.app.state.views
    stated, field = (after, "after") if last_event_id is None else (last_event_id, "Last-Event-ID")
    wanted = _position(stated, field)
    try:
        async with views.view(request, include=wanted) as view:
            only = await FactFilter.of(view, stream, type, actor)
            begin = view.clocks.newest if wanted is None else Position(view.clocks.newest.epoch, wanted.seq)
            note(request, view.reader.workspace, after=str(begin))
    except Problem as refused:
        refused.field = field if refused.field == HEADER else refused.field
        raise
    if is_head(request.scope):
        return Response(media_type=MEDIA_TYPE, headers=HEADERS)
    tail = _Tail(request, views, view.reader.workspace, only, begin)
    return EventSourceResponse(tail.events(), headers=HEADERS)


def _position(stated: str | None, field: str) -> Position | None:
    """Problem 400 `bad_position`."""
    try:
        return None if stated is None else Position.parse(stated)
    except ValueError:
        sentence = "The id of an event is a position: <epoch>-<seq>, such as 1-151."
        raise Problem(400, "bad_position", sentence, field=field) from None


@dataclass(slots=True)
class _Tail:
    """One listener: what was sent up to `at`."""

    request: Request
    views: Views
    workspace: str
    only: FactFilter
    at: Position

    async def events(self) -> AsyncIterator[bytes]:
        """Until the listener hangs up, may no longer listen, or the process stops."""
        yield format_sse_event(id=str(self.at), retry=RETRY_MS)
        said = time.monotonic()
        while not self.views.stopping.is_set():
            moved = await self._moved()
            alive = time.monotonic() - said >= self.views.settings.event_heartbeat_s
            if not (moved or alive):
                continue
            said = time.monotonic()
            try:
                async for event in self._new():
                    yield event
            except Problem as ended:
                if ended.status != 503:
                    yield format_sse_event(event="closed", data_str=text(ended.document()))
                    return
                yield format_sse_event(comment=ended.code)
                await asyncio.sleep(LOOK_AGAIN_MS / 1000)

    async def _moved(self) -> bool:
        following = Position(self.at.epoch, self.at.seq + 1)
        return await self.views.waiting.until(self.workspace, following, LOOK_AGAIN_MS)

    async def _new(self) -> AsyncIterator[bytes]:
        """What was recorded since; an id alone where nothing of it is asked for. Problems as of any question."""
        await self.views.verify(self.request)
        more = True
        while more:
            async with self.views.view(self.request, include=self.at) as view:
                found, more = await self._page(view)
            for event in found:
                yield event
        await asyncio.sleep(TOGETHER_S)

    async def _page(self, view: View) -> tuple[list[bytes], bool]:
        newest = view.clocks.newest
        question = self.only.question(SINCE, newest.seq, self.at.seq)
        rows = await view.snapshot.fetch(question.statement(False, PAGE_FACTS + 1), *question.values)
        more, rows = len(rows) > PAGE_FACTS, rows[:PAGE_FACTS]
        facts = await opened(view, [json.loads(row["bytes"]) for row in rows])
        self.at = Position(newest.epoch, facts[-1]["seq"]) if more else newest
        said = [_event(newest.epoch, fact) for fact in facts]
        if not facts or facts[-1]["seq"] < self.at.seq:
            said.append(format_sse_event(id=str(self.at)))
        return said, more


def _event(epoch: int, fact: dict[str, Any]) -> bytes:
    return format_sse_event(event=fact["type"], id=str(Position(epoch, fact["seq"])), data_str=text(fact))
