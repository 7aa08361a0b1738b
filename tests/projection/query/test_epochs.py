"""After a restore: positions up to the fork mean the same, beyond it they are lost; until folded anew, `rebuilding`."""

from __future__ import annotations

from goal_ledger_contracts.workspace import StoreRestored
from projection.query.story import TEN, Story


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
