"""After a restore: positions up to the fork mean the same, beyond it they are lost; until folded anew, `rebuilding`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from goal_ledger_contracts.workspace import StoreRestored
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.api.view import Views
from goal_ledger_projection.query import verifier
from projection.query.conftest import Reading
from projection.query.story import TEN, Story
from projection.worker.given import Feed, Log, feed_server


async def test_positions_of_an_epoch_that_is_over(story: Story) -> None:
    story.goal("o", ("kr", TEN))
    await story.arrive()
    fork, lost = len(story.facts), f"1-{len(story.facts) + 1}"
    before = await story.ask("/v1/objectives/o")
    bytes_before = (await story.get("/v1/objectives/o", token=before["token"])).content
    story.check_in("o", "kr", "7")
    await story.arrive()
    assert (await story.ask("/v1/key-results/kr"))["key_result"]["score"] == "0.7"

    del story.facts[fork:]
    story.epoch, story._folded = 2, 0
    story.tell(f"workspace/{story.workspace}", StoreRestored(fork, 2), actor="operator", reason="Disk lost")
    restored = story.facts.pop()
    await story.arrive()
    answer = await story.get("/v1/objectives/o")
    assert (answer.status_code, answer.json()["code"]) == (503, "rebuilding")
    assert "Retry-After" in answer.headers

    story.facts.append(restored)
    assert await story.arrive() == f"2-{fork + 1}"
    assert (await story.ask("/v1/key-results/kr"))["key_result"]["score"] is None
    for question in ({"headers": {"Goal-Ledger-Position": lost}}, {"known_at": lost}):
        answer = await story.get("/v1/objectives/o", **question)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (410, "position_lost")
    kept = {"Goal-Ledger-Position": f"1-{fork}"}
    assert (await story.get("/v1/objectives/o", headers=kept)).status_code == 200
    assert (await story.get("/v1/objectives/o", token=before["token"])).content == bytes_before
    ahead = {"Goal-Ledger-Position": "3-1"}
    assert (await story.get("/v1/objectives/o", headers=ahead)).json()["code"] == "rebuilding"


@pytest.fixture
async def heads(reading: Reading, story: Story) -> AsyncIterator[Feed]:
    """The command service's log, which the story's client can ask for heads now."""
    async with feed_server() as feed:
        settings = reading.views.settings.model_copy(update={"command_url": feed.url})
        views = Views(settings, reading.views.database, verifier(settings), reading.clock)
        app = query_app(views, new_registry("query"))
        before = story.client
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://query"
        ) as story.client:
            yield feed
        story.client = before
        await views.close()


async def refusal(story: Story, position: str, **more: str) -> tuple[int, str]:
    asked = {"headers": {"Goal-Ledger-Position": position}, "wait_ms": "0"}
    by_header = await story.get("/v1/objectives", **asked, **more)  # type: ignore[arg-type]
    by_clock = await story.get("/v1/objectives", known_at=position, **more)
    by_token = await story.get("/v1/objectives", token=f"{position}_20260301T000000000000Z_1")
    answers = {(one.status_code, one.json()["code"]) for one in (by_header, by_clock, by_token)}
    assert len(answers) == 1
    return answers.pop()


async def test_an_epoch_that_nobody_knows_is_refused_and_one_that_has_begun_is_waited_for(
    story: Story, heads: Feed
) -> None:
    story.goal("o", ("kr", TEN))
    await story.arrive()
    log = Log(story.workspace, epoch=1)
    heads.serve(log)
    assert await refusal(story, "2-5") == (422, "position_unknown")
    answer = await story.get("/v1/objectives", known_at="2-5")
    assert (answer.json()["field"], "Retry-After" in answer.headers) == ("known_at", False)
    log.epoch = 3
    assert await refusal(story, "2-5") == (503, "rebuilding")
    assert await refusal(story, "3-5") == (503, "rebuilding")
    assert await refusal(story, "4-5") == (422, "position_unknown")
    heads.away = True
    assert await refusal(story, "2-5") == (503, "rebuilding")
    assert await refusal(story, "3-5") == (422, "position_unknown")


async def test_a_workspace_of_which_nothing_is_here_but_in_the_store_is_being_folded(
    story: Story, heads: Feed
) -> None:
    unknown = await story.get("/v1/objectives")
    assert (unknown.status_code, unknown.json()["code"]) == (403, "identity_not_linked")
    heads.serve(Log(story.workspace, epoch=1))
    answer = await story.get("/v1/objectives")
    assert (answer.status_code, answer.json()["code"]) == (503, "rebuilding")
    assert "Retry-After" in answer.headers
