"""Without a credential that counts one learns nothing of a workspace, and holds no wait."""

from __future__ import annotations

from projection.query.story import Story
from support.strangers import SECRET, assert_strangers_learn_nothing


async def test_every_address_refuses_strangers_in_the_same_words(story: Story) -> None:
    await story.arrive()
    document = (await story.client.get("/openapi.json")).json()
    assert await assert_strangers_learn_nothing(story.client, document, story.workspace, "k1") > 1000


async def test_a_key_that_is_none_holds_no_wait(story: Story) -> None:
    await story.arrive()
    for workspace in (story.workspace, "no-such"):
        headers = {
            "Authorization": f"Bearer glk.{workspace}.k1.{SECRET}",
            "Goal-Ledger-Position": "1-99999",
        }
        answer = await story.client.get("/v1/objectives?wait_ms=5000", headers=headers)
        assert answer.status_code == 401
