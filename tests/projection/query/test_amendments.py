"""Every change of goals after their activation, and the amendment dividend: `GET /v1/amendments`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from goal_ledger_contracts.cycle import CycleDatesMoved, CyclePlanned
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import (
    KeyResultAdded,
    KeyResultDropped,
    KeyResultWeightChanged,
    MeasureChanged,
    MovedToCycle,
    ObjectiveAligned,
    ObjectiveReworded,
    ObjectiveUnaligned,
)
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_projection.api import amendments
from projection.query.story import TEN, Story, d

PATH = "/v1/amendments"
FIVE = Increase(target=d("5"), baseline=d("0"))
NAME = Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")


def units(story: Story) -> None:
    """Bo sits in the shop, beneath all."""
    story.tell("unit/all", UnitCreated("All"))
    story.tell("unit/shop", UnitCreated("Shop", "all"))
    story.tell("person/bo", PersonAdded(NAME), UnitJoined("shop"))
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.tell("cycle/q2", CyclePlanned("Q2", date(2026, 4, 1), date(2026, 6, 30)))


async def found(story: Story, path: str = PATH, **asked: Any) -> list[tuple[str, str]]:
    await story.arrive()
    return [(one["type"], one["objective"]) for one in (await story.ask(path, **asked))["items"]]


async def test_words_are_amendments_too_and_move_no_goalpost(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    story.tell("objective/shop", ObjectiveReworded("A better title"), reason="Clearer")
    await story.arrive()

    (one,) = (await story.ask(PATH))["items"]

    assert (one["goalpost"], one["direction"], one["effect"]) == (False, "neutral", None)
    (change,) = one["changes"]
    assert (change["field"], change["before"], change["after"]) == (
        "title",
        "Title of shop",
        "A better title",
    )
    assert await found(story, "/v1/goalpost-moves") == []


async def test_a_baseline_that_was_still_to_be_found_completes_the_commitment(story: Story) -> None:
    story.goal("shop", ("visits", Increase(target=d("10"))))
    story.tell("objective/shop", MeasureChanged("visits", TEN), reason="Counted")
    story.tell("objective/shop", MeasureChanged("visits", FIVE), reason="Too far")

    assert await found(story) == [("MeasureChanged", "shop")]
    assert await found(story, "/v1/goalpost-moves") == [("MeasureChanged", "shop")]


async def test_what_begins_or_ceases_to_contribute_changes_the_parent(story: Story) -> None:
    story.goal("top", ("visits", TEN))
    story.check_in("top", "visits", "10")
    story.goal("child", ("sales", TEN))
    story.tell("objective/child", ObjectiveAligned("l1", "objective/top", "supports"), reason="Fits")
    story.tell("objective/child", ObjectiveUnaligned("l1", "objective/top"), reason="Does not fit")
    story.tell("objective/child", ObjectiveAligned("l2", "objective/top", "contributes"), reason="Fits")
    await story.arrive()

    moves = (await story.ask("/v1/goalpost-moves"))["items"]

    (move,) = moves
    assert (move["objective"], move["key_result"], move["reason"]) == ("top", None, "Fits")
    (change,) = move["changes"]
    assert (change["field"], change["before"]) == ("children/child", None)
    assert change["after"] == {"mode": "contributes", "weight": "1", "link": "l2"}
    assert await found(story, objective="child") == [
        ("ObjectiveAligned", "child"),
        ("ObjectiveUnaligned", "child"),
        ("ObjectiveAligned", "child"),
    ]


async def test_moved_dates_of_a_cycle_move_the_deadline_of_its_active_goals(story: Story) -> None:
    units(story)
    story.goal("shop", ("visits", TEN), cycle="q1")
    story.goal("idle", ("idle-1", TEN), cycle="q1", active=False)
    story.goal("other", ("other-1", TEN), cycle="q2")
    story.tell("cycle/q1", CycleDatesMoved(date(2026, 1, 1), date(2026, 4, 30)), reason="Easter")
    await story.arrive()

    (move,) = (await story.ask("/v1/goalpost-moves"))["items"]

    assert (move["objective"], move["direction"]) == ("shop", "eased")
    assert move["flags"] == ["self_approved", "deadline_extended"]
    assert move["changes"] == [{"field": "cycle/end", "before": "2026-03-31", "after": "2026-04-30"}]


async def test_changes_of_a_period_come_by_effect_the_largest_first(story: Story) -> None:
    story.goal("shop", ("visits", TEN), ("sales", TEN))
    story.check_in("shop", "visits", "2")
    story.check_in("shop", "sales", "8")
    story.later(datetime(2026, 2, 1, tzinfo=UTC))
    story.tell("objective/shop", KeyResultAdded("new", "New", TEN), reason="More")
    story.tell("objective/shop", MeasureChanged("visits", FIVE), reason="Too far")
    story.tell("objective/shop", KeyResultDropped("sales"), reason="No use")
    story.later(datetime(2026, 3, 1, tzinfo=UTC))
    story.tell("objective/shop", KeyResultWeightChanged("visits", d("2")), reason="Matters")
    await story.arrive()
    february = {"from": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}

    by_effect = (await story.ask(PATH, sort="effect", **february))["items"]

    assert [(one["type"], one["effect"]) for one in by_effect] == [
        ("KeyResultDropped", "-0.2"),
        ("MeasureChanged", "0.1"),
        ("KeyResultAdded", "0"),
    ]
    assert len(await found(story)) == 4
    first = await story.ask(PATH, sort="effect", limit=2)
    second = await story.ask(PATH, sort="effect", limit=2, cursor=first["next_cursor"])
    assert [one["effect"] for one in (*first["items"], *second["items"])] == ["-0.2", "0.1", "0", "0"]


async def test_what_amendments_added_to_scores_by_unit_cycle_and_owner(story: Story) -> None:
    units(story)
    story.goal("of-bo", ("visits", TEN), owner="person/bo", cycle="q1")
    story.goal("of-all", ("sales", TEN), owner="unit/all", cycle="q1")
    story.goal("unmeasured", ("none", TEN), owner="unit/all")
    story.check_in("of-bo", "visits", "2")
    story.check_in("of-all", "sales", "5")
    story.tell("objective/of-bo", MeasureChanged("visits", FIVE), reason="Too far")
    await story.arrive()

    told = (await story.ask(PATH))["dividend"]

    counted = {"goals": 3, "measured": 2, "raised": 1, "lowered": 0, "dividend": "0.1"}
    assert told["all"] == counted
    by_unit = {one["unit"]: (one["name"], one["goals"], one["dividend"]) for one in told["units"]}
    assert by_unit == {"all": ("All", 3, "0.1"), "shop": ("Shop", 1, "0.2")}
    assert {one["cycle"]: one["dividend"] for one in told["cycles"]} == {"q1": "0.1"}
    assert {one["owner"]: one["dividend"] for one in told["owners"]} == {"person/bo": "0.2", "unit/all": "0"}
    of_shop = await story.ask(PATH, unit="shop")
    assert (of_shop["dividend"]["all"]["dividend"], of_shop["total"]) == ("0.2", 1)


async def test_a_goal_that_left_a_cycle_is_found_by_it_too(story: Story) -> None:
    units(story)
    story.goal("shop", ("visits", TEN), owner="person/bo", cycle="q1")
    story.tell("objective/shop", MovedToCycle("q2"), reason="Later")

    expected = [("MovedToCycle", "shop")]
    assert await found(story, cycle="q1") == await found(story, cycle="q2") == expected
    assert await found(story, owner="person/bo") == await found(story, unit="all") == expected


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"objective": "none"}, "choice_unknown", "objective"),
        ({"unit": "none"}, "choice_unknown", "unit"),
        ({"owner": "bo"}, "choice_unknown", "owner"),
        ({"cycle": "none"}, "choice_unknown", "cycle"),
        ({"sort": "size"}, "choice_unknown", "sort"),
        ({"from": "yesterday"}, "bad_instant", "from"),
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "dates_reversed", "from"),
    ],
)
async def test_what_cannot_be_is_refused(story: Story, asked: dict[str, str], code: str, field: str) -> None:
    await story.arrive()
    refused = await story.get(PATH, **asked)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, code, field)


async def test_more_changes_than_are_sorted_by_effect_are_refused_with_the_limit(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amendments, "SORTED_BY_EFFECT_MAX", 1)
    story.goal("shop", ("visits", TEN))
    story.tell("objective/shop", ObjectiveReworded("One"), ObjectiveReworded("Two"))
    await story.arrive()
    problem = (await story.get(PATH, sort="effect")).json()
    assert (problem["code"], problem["limit"]) == ("too_many_changes", 1)
