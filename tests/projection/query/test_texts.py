"""Personal texts: opened when asked, `[sealed]` without a key, `[erased]` once shredded, `[withheld]` when so decided."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from goal_ledger_contracts.objective import CheckInRecorded, ObjectiveClosed
from goal_ledger_contracts.person import PersonAdded, PersonShredded
from goal_ledger_contracts.workspace import TextWithheld
from goal_ledger_edge.server import Listener, serve
from goal_ledger_ledger.sealing import TextKey, TextPlace, seal_fact_data
from goal_ledger_projection.api.text_keys import KeyShelf
from goal_ledger_projection.query_settings import QuerySettings
from projection.query.conftest import Reading
from projection.query.story import TEN, Story
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass
class Keys:
    """What stands in for the command service's `GET /v1/keys`: the same answer, over HTTP."""

    held: dict[str, bytes | None] = field(default_factory=dict)
    asked: int = 0
    url: str = ""

    async def answer(self, _: Request) -> JSONResponse:
        self.asked += 1
        keys = [
            {"subject": id, "key": None if k is None else base64.urlsafe_b64encode(k).rstrip(b"=").decode()}
            for id, k in sorted(self.held.items())
        ]
        return JSONResponse({"keys": keys, "next": None})


@pytest.fixture
async def keys(reading: Reading) -> AsyncIterator[Keys]:

    made, stop, started = Keys(), asyncio.Event(), asyncio.get_running_loop().create_future()
    app = Starlette(routes=[Route("/v1/keys", made.answer)])
    listening = asyncio.create_task(
        serve(
            [Listener(app, "127.0.0.1", 0)], on_started=lambda ports: started.set_result(ports[0]), stop=stop
        )
    )
    made.url = f"http://127.0.0.1:{await started}"
    before = reading.views.shelf
    settings = reading.views.settings.model_copy(update={"command_url": made.url, "text_keys_pause_s": 0.0})
    assert isinstance(settings, QuerySettings)
    reading.views.shelf = KeyShelf(settings)
    yield made
    await reading.views.shelf.close()
    reading.views.shelf = before
    stop.set()
    await listening


def sealed(story: Story, keys: Keys, stream: str, data: Any, actor: str = "person/ada") -> None:
    """A fact whose texts are sealed with real keys, as the ledger seals them."""
    raw = {id: TextKey(k) for id, k in keys.held.items() if k is not None}
    fact = story.tell(stream, data, actor=actor)
    place = TextPlace(story.workspace, fact.event_id, stream, actor)
    object.__setattr__(fact, "data", seal_fact_data(data, place, raw))


async def texts(story: Story, who: str = "ada", **clocks: str) -> tuple[str, str, str]:
    """Ada's name, the note of her check-in, the retrospective."""
    name = (await story.ask("/v1/people", who, **clocks))["items"][0]["display_name"]
    items = (await story.ask("/v1/objectives/o/timeline", who, **clocks))["items"]
    note = next(one["data"]["note"] for one in items if one["type"] == "CheckInRecorded")
    closing = (await story.ask("/v1/objectives/o", who, **clocks))["objective"]["closings"][0]
    return name, note, closing["retrospective"]


@pytest.fixture
def told(story: Story, keys: Keys) -> Story:
    keys.held = {"person/ada": bytes(range(32))}
    sealed(story, keys, "person/ada", PersonAdded("Ada Lovelace"))
    story.goal("o", ("kr", TEN))
    sealed(story, keys, "objective/o", CheckInRecorded("c", "kr", note="Blåbær"))
    sealed(story, keys, "objective/o", ObjectiveClosed("partial", retrospective="It went well"))
    return story


async def test_texts_are_opened_when_asked(told: Story, keys: Keys) -> None:
    await told.arrive()
    assert await texts(told) == ("Ada Lovelace", "Blåbær", "It went well")
    asked = keys.asked
    assert await texts(told) == ("Ada Lovelace", "Blåbær", "It went well")
    assert keys.asked == asked
    facts = (await told.ask("/v1/facts", type="PersonAdded"))["items"]
    assert facts[0]["data"]["display_name"] == "Ada Lovelace"
    assert "Ada" not in (await told.get("/v1/facts", format="jsonl")).text


async def test_a_key_out_of_reach_leaves_texts_sealed(told: Story, keys: Keys) -> None:
    keys.held = {}
    await told.arrive()
    assert await texts(told) == ("[sealed]", "[sealed]", "[sealed]")


async def test_shredding_erases_texts_in_every_answer_old_tokens_too(told: Story, keys: Keys) -> None:
    told.person("bob")
    await told.arrive()
    assert (await texts(told))[0] == "Ada Lovelace"
    token = (await told.ask("/v1/cycles"))["token"]
    told.tell("person/ada", PersonShredded(), reason="Asked for it")
    await told.arrive()
    assert await texts(told, "bob") == ("[erased]", "[erased]", "[erased]")
    assert await texts(told, "bob", token=token) == ("[erased]", "[erased]", "[erased]")


async def test_one_text_can_be_withheld(told: Story, keys: Keys) -> None:
    await told.arrive()
    note = next(fact for fact in told.facts if fact.type == "CheckInRecorded")
    told.tell(f"workspace/{told.workspace}", TextWithheld(note.event_id, "/note"), reason="Not for all")
    await told.arrive()
    assert await texts(told) == ("Ada Lovelace", "[withheld]", "It went well")
