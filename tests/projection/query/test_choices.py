"""What was chosen where more than one could be meant: docs/guide/scoring.md."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.feed import FeedRedefined, FeedRegistered, ReadingRecorded
from goal_ledger_contracts.measures import Aligned, Decrease, Increase
from goal_ledger_contracts.objective import (
    KeyResultDropped,
    KeyResultWeightChanged,
    MeasureChanged,
    ObjectiveActivated,
    ObjectiveAligned,
    ObjectiveClosed,
    PartBound,
)
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_contracts.workspace import Policy, PolicySet
from projection.query.story import TEN, Story, d

PAGE = Path(__file__).parents[3] / "docs/guide/scoring.md"


def at(day: int) -> datetime:
    return datetime(2026, 2, day, 12, tzinfo=UTC)


async def objective(story: Story, id: str, **clocks: Any) -> dict[str, Any]:
    await story.arrive()
    found: dict[str, Any] = (await story.ask(f"/v1/objectives/{id}", **clocks))["objective"]
    return found


def policy(story: Story, scope: str, **set_: Any) -> None:
    story.tell(f"workspace/{story.workspace}", PolicySet(scope, 1, Policy(**set_)), reason="Chosen")


def test_each_test_that_the_page_names_is_here() -> None:
    named = re.findall(r"`(test_\w+)`", PAGE.read_text())
    assert len(named) == 9
    assert all(callable(getattr(sys.modules[__name__], name, None)) for name in named)


async def test_a_persons_goal_takes_no_units_policy(story: Story) -> None:
    story.tell("unit/sales", UnitCreated("Sales"))
    sealed = Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")
    story.tell("person/bo", PersonAdded(sealed), UnitJoined("sales"))
    policy(story, "unit/sales", behind_points=d("50"))
    story.goal("of-unit", ("a", TEN), owner="unit/sales")
    story.goal("of-person", ("b", TEN), owner="person/bo")
    behind = [(await objective(story, id))["policy"]["behind_points"] for id in ("of-unit", "of-person")]
    assert behind == ["50", "25"]


async def test_the_policy_of_the_asked_moment_counts_for_the_committed_score(story: Story) -> None:
    story.goal("top", ("a", TEN), active=False)
    story.goal("low", ("b", TEN), active=False)
    story.tell("objective/low", ObjectiveAligned("l", "objective/top", "contributes"), ObjectiveActivated())
    story.tell("objective/top", ObjectiveActivated())
    story.check_in("top", "a", "2")
    story.check_in("low", "b", "8")
    before = story.recorded_at.isoformat()
    policy(story, "workspace", roll_up="both")
    assert (await objective(story, "top"))["score_committed"] == "0.5"
    assert (await objective(story, "top", as_of=before))["score_committed"] == "0.2"


async def test_a_units_time_zone_is_that_of_its_goals_cycle_bounds(story: Story) -> None:
    story.tell("unit/sales", UnitCreated("Sales"))
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    policy(story, "unit/sales", time_zone="America/New_York")
    story.goal("o", ("kr", TEN), owner="unit/sales", cycle="q1")
    found = await objective(story, "o")
    (cycle,) = (await story.ask("/v1/cycles"))["items"]
    assert (found["cycle_start"], cycle["starts_at"]) == (
        "2026-01-01T05:00:00.000000Z",
        "2025-12-31T23:00:00.000000Z",
    )
    assert found["policy"]["time_zone"] == "America/New_York"


async def test_a_parents_committed_score_counts_its_childrens_committed_scores(story: Story) -> None:
    story.goal("top", ("sum", Aligned()), active=False)
    story.goal("low", ("a", TEN), ("b", TEN), active=False)
    story.tell("objective/low", ObjectiveAligned("l", "key-result/sum", "contributes"), ObjectiveActivated())
    story.tell("objective/top", ObjectiveActivated())
    story.check_in("low", "a", "8")
    story.check_in("low", "b", "2")
    story.tell("objective/low", KeyResultWeightChanged("a", d("3")), reason="Matters more")
    found = await objective(story, "top")
    assert (found["score"], found["score_committed"]) == ("0.65", "0.5")


async def test_a_dropped_key_result_that_is_fed_moves_on_in_the_committed_score(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("kr", TEN), ("other", TEN), active=False)
    story.tell("objective/o", PartBound("kr", "value", "f", "last"), ObjectiveActivated())
    story.later(at(2))
    story.tell("feed/f", ReadingRecorded("shop", "r1", at(1), d("2"), "absolute"), at=at(1))
    story.tell("objective/o", KeyResultDropped("kr"), reason="No longer")
    assert (await objective(story, "o"))["score_committed"] == "0.2"
    story.later(at(4))
    story.tell("feed/f", ReadingRecorded("shop", "r2", at(3), d("6"), "absolute"), at=at(3))
    found = await objective(story, "o")
    assert (found["score"], found["score_committed"]) == (None, "0.6")


async def test_a_later_baseline_that_reverses_the_committed_direction_completes_nothing(story: Story) -> None:
    story.goal("o", ("kr", Increase(d("10"))))
    story.check_in("o", "kr", "15")
    turned = Decrease(d("10"), d("20"))
    story.tell("objective/o", MeasureChanged("kr", Increase(d("40"), d("20"))), reason="Found, and raised")
    story.tell("objective/o", MeasureChanged("kr", turned), reason="Turned round")
    found = await objective(story, "o")
    assert (found["score"], found["score_committed"]) == (None, None)
    assert found["key_results"][0]["committed"]["state"] == "baseline_to_be_found"


async def test_a_key_result_under_a_closed_objective_shows_its_own_status_of_the_closing(
    story: Story,
) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge", interval="P7D"))
    story.goal("o", ("fed", TEN), ("said", TEN), ("silent", TEN))
    story.tell("objective/o", PartBound("fed", "value", "f", "last"), reason="Fed")
    story.later(at(2))
    story.tell("feed/f", ReadingRecorded("shop", "r1", at(2), d("9"), "absolute"), at=at(2))
    story.check_in("o", "said", "1", status="at_risk")
    story.later(at(4))
    closed = story.tell("objective/o", ObjectiveClosed("missed", d("0.3")), reason="Late")
    own = {"fed": "pending", "said": "at_risk", "silent": "outdated"}
    clocks = {"as_of": at(20).isoformat()}

    async def listed(**filters: str) -> dict[str, Any]:
        found = await story.ask("/v1/key-results", **clocks, **filters)
        return {one["id"]: one["status"] for one in found["items"]}

    whole = await objective(story, "o", **clocks)
    assert (whole["status"], {one["id"]: one["status"] for one in whole["key_results"]}) == ("missed", own)
    (node,) = (await story.ask("/v1/alignment", **clocks))["nodes"]
    assert {one["id"]: one["status"] for one in node["key_results"]} == own
    then = await objective(story, "o", as_of=closed.effective_at.isoformat(), known_at=f"1-{closed.seq - 1}")
    assert {one["id"]: one["status"] for one in then["key_results"]} == own
    assert await listed() == own
    assert await listed(status="outdated") == {"silent": "outdated"}
    refused = await story.get("/v1/key-results", status="missed")
    assert (refused.status_code, refused.json()["code"]) == (422, "choice_unknown")


async def test_a_feed_without_an_interval_is_fresh_within_the_cadence_in_both_places(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("kr", TEN))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"), reason="Fed")
    story.later(at(2))
    story.tell("feed/f", ReadingRecorded("shop", "r1", at(2), d("4"), "absolute"), at=at(2))

    async def fresh(day: int) -> set[bool]:
        clocks = {"as_of": at(day).isoformat()}
        await story.arrive()
        kr = (await story.ask("/v1/key-results/kr", **clocks))["key_result"]
        return {kr["fresh"], (await story.ask("/v1/feeds/f", **clocks))["feed"]["fresh"]}

    assert [await fresh(day) for day in (9, 10)] == [{True}, {False}]
    policy(story, "workspace", cadence_weeks=2)
    assert await fresh(16) == {True}
    assert await fresh(17) == {False}


async def test_a_later_reading_that_does_not_compare_is_said_to_stand_aside(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge", "kg"))
    story.goal("o", ("kr", Increase(d("10"), d("0"), unit="kg")))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"), reason="Fed")
    story.later(at(2))
    story.tell("feed/f", ReadingRecorded("shop", "r1", at(2), d("5"), "absolute"), at=at(2))
    story.later(at(3))
    story.tell("feed/f", FeedRedefined("gauge", "g"), reason="New scales")

    async def part() -> tuple[Any, Any]:
        (one,) = (await objective(story, "o"))["key_results"][0]["parts"]
        return one["value"], one["later_value_not_comparable"]

    assert await part() == ("5", False)
    story.tell("feed/f", ReadingRecorded("shop", "r2", at(4), d("6000"), "absolute"), at=at(4))
    assert await part() == ("5", True)
