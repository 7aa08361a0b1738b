"""What changed since an earlier answer, and what that would read now: `GET /v1/changes-since`, `GET /v1/restatements`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import CheckInCorrected, MeasureChanged, ObjectiveAligned, PartValue
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import UnitCreated
from projection.query.story import TEN, Story, d

CHANGES, RESTATEMENTS = "/v1/changes-since", "/v1/restatements"
FIVE = Increase(target=d("5"), baseline=d("0"))
NAME = Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")


def day(number: int) -> datetime:
    return datetime(2026, 1, number, 12, tzinfo=UTC)


async def a_meeting(story: Story) -> dict[str, Any]:
    """On 9 January. Since then visits went from 2 to 4, with a lower target; sales, of 8 January, were corrected."""
    story.goal("shop", ("visits", TEN))
    story.goal("store", ("sales", TEN))
    story.goal("quiet", ("hours", TEN))
    story.check_in("shop", "visits", "2", at=story.recorded_at)
    story.later(day(8))
    story.check_in("store", "sales", "5", id="c1", status="on_track")
    story.later(day(9))
    await story.arrive()
    before = await story.ask("/v1/objectives", as_of=day(9).isoformat())
    story.check_in("shop", "visits", "4", status="at_risk")
    story.tell("objective/shop", MeasureChanged("visits", FIVE), reason="Too far")
    corrected = CheckInCorrected("c1", "sales", (PartValue("value", d("3")),), status="on_track")
    story.tell("objective/store", corrected, at=day(8), reason="Counted twice")
    await story.arrive()
    return before


def change(before: str | None, after: str | None, by: str | None) -> dict[str, Any]:
    return {"before": before, "after": after, "change": by}


async def test_values_risks_moved_goalposts_and_restatements_since_a_meeting(story: Story) -> None:
    before = await a_meeting(story)

    told = await story.ask(CHANGES, since=before["token"], as_of="2026-01-09T20:00:00Z")

    shop, store = told["items"]
    assert (shop["objective"], shop["risk"], shop["is_new"], shop["check_ins"]) == ("shop", "new", False, 1)
    assert shop["score"] == change("0.2", "0.8", "0.6")
    assert shop["restated"] == change("0.2", "0.2", "0")
    (visits,) = shop["key_results"]
    assert visits["values"] == [{"part": "value", "before": "2", "after": "4"}]
    (move,) = shop["goalpost_moves"]
    assert (move["type"], move["effect"]) == ("MeasureChanged", "0.4")
    assert (store["objective"], store["goalpost_moves"]) == ("store", [])
    assert store["restated"] == store["score"] == change("0.5", "0.3", "-0.2")
    assert (told["objectives"], told["risks"]) == (3, {"new": 1, "still": 0, "gone": 0})
    assert [one["id"] for one in told["said"]] != []
    assert told["from"]["token"] == before["token"]


async def test_only_what_is_known_differs_in_a_restatement(story: Story) -> None:
    before = await a_meeting(story)

    told = await story.ask(RESTATEMENTS, since=before["token"])

    (store,) = told["items"]
    assert (store["objective"], store["score"]) == ("store", change("0.5", "0.3", "-0.2"))
    assert store["key_results"][0]["values"] == [{"part": "value", "before": "5", "after": "3"}]
    assert told["from"]["as_of"] == told["to"]["as_of"] == before["as_of"]
    now = await story.ask("/v1/objectives/store", token=told["to"]["token"])
    assert now["objective"]["score"] == "0.3"
    assert told["objectives"] == 3


async def test_a_meeting_is_a_token_a_position_an_instant_or_a_distance_back(story: Story) -> None:
    before = await a_meeting(story)
    asked = {"as_of": day(11).isoformat()}
    found = [
        [one["objective"] for one in (await story.ask(CHANGES, since=since, **asked))["items"]]
        for since in (before["token"], before["position"], day(9).isoformat(), "2026-01-08", "-P2D")
    ]
    assert found[0] == found[1] == found[2] == found[4] == ["shop", "store"]
    assert found[3] == ["shop", "store"]
    again = await story.get(CHANGES, since="-P2D", **asked)
    story.check_in("shop", "visits", "5")
    await story.arrive()
    by_token = await story.get(CHANGES, since="-P2D", token=again.json()["token"])
    assert by_token.content == again.content


async def test_of_a_unit_a_tree_and_a_person(story: Story) -> None:
    story.tell("unit/all", UnitCreated("All"))
    story.tell("unit/web", UnitCreated("Web", "all"))
    story.tell("person/bo", PersonAdded(NAME), UnitJoined("web"))
    story.goal("top", ("a", TEN))
    story.goal("child", ("b", TEN), owner="person/bo")
    story.goal("other", ("c", TEN), owner="unit/all")
    story.tell("objective/child", ObjectiveAligned("l1", "key-result/a", "supports"), reason="Fits")
    since = await story.arrive()
    for objective, key_result in (("top", "a"), ("child", "b"), ("other", "c")):
        story.check_in(objective, key_result, "1")
    await story.arrive()

    async def of(**asked: Any) -> list[str]:
        told = await story.ask(CHANGES, since=since, **asked)
        assert {one["objective"] for one in told["said"]} == {one["objective"] for one in told["items"]}
        return sorted(one["objective"] for one in told["items"])

    assert await of(unit="web") == await of(person="person/bo") == await of(owner="person/bo") == ["child"]
    assert await of(root="top") == ["child", "top"]
    assert await of() == ["child", "other", "top"]
    first = await story.ask(CHANGES, since=since, limit=2)
    assert await of(limit=2, cursor=first["next_cursor"]) == ["top"]


@pytest.mark.parametrize("path", [CHANGES, RESTATEMENTS])
async def test_what_is_no_earlier_answer_is_refused(story: Story, path: str) -> None:
    story.goal("shop", ("visits", TEN))
    position = await story.arrive()
    for since, code in (
        ("yesterday", "bad_instant"),
        ("1-1_never", "bad_token"),
        ("1-999", "not_yet"),
        (position, "sides_reversed"),
    ):
        refused = (await story.get(path, since=since, known_at="1-2")).json()
        assert (refused["code"], refused.get("field", "since")) == (code, "since"), since
    assert (await story.get(path)).json()["code"] == "invalid"
    assert (await story.get(path, since=position, unit="none")).json()["code"] == "choice_unknown"
