"""What moved a score between two answers: `…/attribution`. That it adds up on whole random lives: `tests/history`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.feed import FeedRegistered, ReadingQuarantined, ReadingReleased
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import (
    CheckInCorrected,
    MeasureChanged,
    ObjectiveAligned,
    PartBound,
    PartValue,
)
from goal_ledger_contracts.workspace import Policy, PolicySet
from goal_ledger_projection.history import facts_behind
from projection.query.story import START, TEN, Story, d

Json = dict[str, Any]


def causes(told: Json) -> list[tuple[str, str]]:
    return [(one["cause"], one["change"]) for one in told["parts"]]


def add_up(told: Json) -> None:
    change = Decimal(told["change"])
    assert sum(Decimal(one["change"]) for one in told["parts"]) == change
    assert sum(Decimal(one["change"]) for one in told["by_cause"]) == change
    before, after = (Decimal(told[side]["score"] or 0) for side in ("from", "to"))
    assert after - before == change


async def test_up_18_points_7_earned_11_from_a_lower_target(story: Story) -> None:
    story.goal("shop", ("visits", Increase(target=d("100"), baseline=d("0"))))
    story.check_in("shop", "visits", "15")
    before = story.recorded_at.isoformat()
    earned = story.check_in("shop", "visits", "22")
    lower = story.tell(
        "objective/shop",
        MeasureChanged("visits", Increase(target=d("66.666667"), baseline=d("0"))),
        reason="Too far",
    )
    await story.arrive()

    told = await story.ask("/v1/objectives/shop/attribution", from_as_of=before)

    add_up(told)
    assert causes(told) == [("value", "0.07"), ("target_moved", "0.10999999835")]
    assert [one["event_id"] for one in told["parts"]] == [str(earned.event_id), str(lower.event_id)]
    assert [one["along"] for one in told["parts"]] == ["as_of", "as_of"]
    assert {one["subject"] for one in told["parts"]} == {"key-result/visits"}
    assert told["by_child"] == [{"ref": "key-result/visits", "change": told["change"]}]
    assert (told["to"]["score_committed"], told["change_committed"]) == ("0.22", "0.07")
    assert told["facts"][1]["reason"] == "Too far"
    plain = await story.ask("/v1/objectives/shop", token=told["from"]["token"])
    assert plain["objective"]["score"] == told["from"]["score"] == "0.15"


async def test_the_earlier_answer_is_stated_by_the_calendar_counted_from_the_later(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    story.check_in("shop", "visits", "4")
    await story.arrive()
    last = story.recorded_at

    told = await story.ask("/v1/key-results/visits/attribution", as_of=last.isoformat(), from_as_of="-P1W")

    assert told["from"]["as_of"] == instant_text(last - timedelta(weeks=1))
    again = await story.get("/v1/key-results/visits/attribution", token=told["token"], from_as_of="-P1W")
    assert again.json() == told
    long_ago = {"from_known_at": "2025-01-01", "as_of": last.isoformat()}
    since = await story.ask("/v1/key-results/visits/attribution", **long_ago)
    assert (since["from"]["position"], since["from"]["score"]) == ("1-0", None)


async def test_what_was_learnt_later_comes_before_what_took_effect_later(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    first = story.check_in("shop", "visits", "1", id="one")
    position = await story.arrive()
    as_of = story.recorded_at.isoformat()
    story.check_in("shop", "visits", "4")
    corrected = CheckInCorrected("one", "visits", (PartValue("value", d("2")),))
    story.tell("objective/shop", corrected, at=first.effective_at, reason="Misread")
    await story.arrive()

    told = await story.ask("/v1/key-results/visits/attribution", from_as_of=as_of, from_known_at=position)

    add_up(told)
    assert causes(told) == [("correction", "0.1"), ("value", "0.2")]
    assert [one["along"] for one in told["parts"]] == ["known_at", "as_of"]
    restated = await story.ask("/v1/key-results/visits/attribution", as_of=as_of, from_known_at=position)
    assert causes(restated) == [("correction", "0.1")], "only what is known moves: the same as_of"


async def test_of_a_tree_each_child_tells_what_it_moved_and_facts_of_one_instant_their_own(
    story: Story,
) -> None:
    story.goal("top", ("own", TEN))
    story.goal("sub", ("visits", TEN))
    story.tell("objective/sub", ObjectiveAligned("l", "objective/top", "contributes"))
    story.tell(f"workspace/{story.workspace}", PolicySet("workspace", 1, Policy(roll_up="both")))
    story.check_in("top", "own", "2")
    story.check_in("sub", "visits", "2")
    before, at = story.recorded_at, story.recorded_at + timedelta(minutes=2)
    story.check_in("top", "own", "4", at=at)
    story.check_in("sub", "visits", "8", at=at)
    await story.arrive()

    told = await story.ask("/v1/objectives/top/attribution", from_as_of=before.isoformat())

    add_up(told)
    assert causes(told) == [("value", "0.1"), ("value", "0.3")]
    assert told["by_child"] == [
        {"ref": "objective/sub", "change": "0.3"},
        {"ref": "key-result/own", "change": "0.1"},
    ]


async def test_a_release_is_the_cause_where_a_reading_was_held_back(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("shop", "gauge", interval="P1D"))
    story.goal("shop", ("visits", TEN))
    story.tell("objective/shop", PartBound("visits", "value", "f", "last"))
    held = ReadingQuarantined("s", "r1", START, d("7"), "absolute", "out_of_limits")
    story.tell("feed/f", held, at=START)
    position = await story.arrive()
    released = story.tell("feed/f", ReadingReleased("s", "r1"), reason="It was so")
    await story.arrive()

    told = await story.ask("/v1/objectives/shop/attribution", from_known_at=position)

    assert causes(told) == [("first_measured", "0.7")]
    assert (told["parts"][0]["seq"], told["parts"][0]["subject"]) == (released.seq, "feed/f")
    assert told["from"]["score"] is None


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({}, "invalid", "from_as_of"),
        ({"from_as_of": "yesterday"}, "bad_instant", "from_as_of"),
        ({"from_known_at": "1"}, "bad_instant", "from_known_at"),
        ({"from_token": "none"}, "bad_token", "from_token"),
        ({"from_as_of": "2026-05-31T00:00:00Z"}, "sides_reversed", "from_as_of"),
        ({"from_known_at": "1-12", "known_at": "1-9"}, "sides_reversed", "from_known_at"),
        ({"from_known_at": "3-1"}, "position_unknown", "from_known_at"),
    ],
)
async def test_sides_that_cannot_be_are_refused(
    story: Story, asked: dict[str, str], code: str, field: str
) -> None:
    story.goal("shop", ("visits", TEN))
    for _ in range(9):
        story.check_in("shop", "visits", "1", at=START)
    await story.arrive()

    answer = await story.get("/v1/objectives/shop/attribution", **({"as_of": "2026-05-30T00:00:00Z"} | asked))

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


async def test_the_earlier_side_may_be_a_token_and_the_answer_has_one_too(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    story.check_in("shop", "visits", "1")
    await story.arrive()
    before = (await story.ask("/v1/objectives/shop", as_of=story.recorded_at.isoformat()))["token"]
    story.check_in("shop", "visits", "3")
    await story.arrive()

    told = await story.get("/v1/objectives/shop/attribution", from_token=before)
    again = await story.get("/v1/objectives/shop/attribution", from_token=before, token=told.json()["token"])

    assert causes(told.json()) == [("value", "0.2")]
    assert again.content == told.content
    unknown = await story.get("/v1/objectives/none/attribution", from_token=before)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_more_facts_than_are_replayed_are_refused(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.goal("shop", ("visits", TEN))
    await story.arrive()
    monkeypatch.setattr(facts_behind, "FACTS_BEHIND_MAX", 3)

    answer = await story.get("/v1/objectives/shop/attribution", from_known_at="1-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_facts")
