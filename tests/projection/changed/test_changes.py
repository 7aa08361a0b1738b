"""What is told: the answers of the query API at each position, once, in order, with the cause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from goal_ledger_contracts.objective import ObjectiveAligned
from goal_ledger_contracts.workspace import Policy, PolicySet
from history.lives import Life
from projection.changed.conftest import Side
from projection.query.asked_lives import AskedWorkspace, told
from projection.query.story import TEN

TOLD = ("score", "score_committed", "status", "confidence")
Json = dict[str, Any]


async def standing(asked: AskedWorkspace, at: str, known: str) -> dict[str, Json]:
    """By goal, what the query API answers."""
    answer = await asked.get("/v1/objectives", as_of=at, known_at=known, limit=200)
    assert answer.status_code == 200, answer.text
    return {one["id"]: {name: one[name] for name in TOLD} for one in answer.json()["items"]}


@pytest.mark.parametrize("seed", range(3))
async def test_of_a_random_life_each_change_is_what_the_query_api_answers_there(
    side: Side, seed: int
) -> None:
    life = Life(seed, 60)
    asked = await told(side.reading, life)
    side.telling.now = side.reading.clock.now = life.now + timedelta(days=40)
    await side.telling.tell_all()
    changes = (await side.telling.told()).of(life.workspace)
    assert changes
    present: dict[str, Json] = {}
    for one in changes:
        assert one["before"] == present.get(one["goal"])
        present[one["goal"]] = one["after"]
        assert one["before"] != one["after"]
        assert (await standing(asked, one["at"], one["position"]))[one["goal"]] == one["after"]
    for fact in life.facts:
        upto = [one for one in changes if int(one["position"].partition("-")[2]) <= fact.seq]
        upto = [one for one in upto if one["at"] <= fact.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")]
        at = fact.recorded_at.isoformat().replace("+00:00", "Z")
        assert {one["goal"]: one["after"] for one in upto} == await standing(asked, at, f"1-{fact.seq}")


async def test_a_check_in_is_told_of_its_goal_and_of_those_above_with_its_cause(side: Side) -> None:
    story = side.story()
    story.tell(f"workspace/{story.workspace}", PolicySet("objective/top", 1, Policy(roll_up="aligned")))
    story.goal("top", ("t", TEN))
    story.goal("o", ("kr", TEN))
    story.tell("objective/o", ObjectiveAligned("l", "objective/top", "contributes"))
    story.goal("aside", ("a", TEN))
    fact = story.check_in("o", "kr", "4", confidence=None)
    position = await story.arrive()
    await side.telling.tell_all()
    last = [one for one in (await side.telling.told()).of(story.workspace) if one["position"] == position]
    assert [one["goal"] for one in last] == ["o", "top"]
    assert {one["cause"]["event_id"] for one in last} == {str(fact.event_id)}
    assert last[0]["cause"] | {"event_id": None} == {
        "kind": "fact",
        "seq": fact.seq,
        "type": "CheckInRecorded",
        "stream": "objective/o",
        "event_id": None,
    }
    assert (last[0]["before"]["score"], last[0]["after"]["score"]) == (None, "0.4")


async def test_that_time_alone_changes_an_answer_is_told_at_a_whole_minute(side: Side) -> None:
    story = side.story()
    story.goal("o", ("kr", TEN))
    story.check_in("o", "kr", "4")
    await story.arrive()
    side.telling.now = story.recorded_at + timedelta(minutes=2)
    await side.telling.tell_all()
    assert (await side.telling.told()).of(story.workspace)[-1]["cause"]["kind"] == "fact"
    side.telling.now = story.recorded_at + timedelta(days=30)
    await side.telling.tell_all()
    last = (await side.telling.told()).of(story.workspace)[-1]
    assert (last["cause"], last["after"]["status"]) == ({"kind": "time"}, "outdated")
    assert last["at"].endswith(":00.000000Z")
    count = len((await side.telling.told()).records)
    side.telling.now += timedelta(days=1)
    await side.telling.tell_all()
    assert len((await side.telling.told()).records) == count
