"""Scores through the API: measures, windows, feeds, both definitions, closings, roll-up; given facts, when asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from goal_ledger_contracts.cycle import CycleDatesMoved, CyclePlanned
from goal_ledger_contracts.feed import (
    FeedRedefined,
    FeedRegistered,
    ReadingCorrected,
    ReadingQuarantined,
    ReadingRecorded,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_contracts.measures import Aligned, Checklist, Compound, Increase, Part, Step, Window
from goal_ledger_contracts.objective import (
    CheckInRecorded,
    KeyResultAdded,
    KeyResultDropped,
    KeyResultWeightChanged,
    MeasureChanged,
    ObjectiveActivated,
    ObjectiveAligned,
    ObjectiveClosed,
    ObjectiveReopened,
    ObjectiveUnaligned,
    PartBound,
    PartUnbound,
    PartValue,
)
from goal_ledger_contracts.workspace import MomentCorrected, MomentRecorded, Policy, PolicySet
from projection.query.story import TEN, Story, d


def at(day: int, hour: int = 12, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def reading(id: str, time: datetime, value: str, mode: str = "absolute", **more: Any) -> ReadingRecorded:
    return ReadingRecorded("shop", id, time, d(value), mode, **more)


async def objective(story: Story, id: str, **clocks: Any) -> dict[str, Any]:
    await story.arrive()
    found: dict[str, Any] = (await story.ask(f"/v1/objectives/{id}", **clocks))["objective"]
    return found


async def key_result(story: Story, id: str, **clocks: Any) -> dict[str, Any]:
    await story.arrive()
    found: dict[str, Any] = (await story.ask(f"/v1/key-results/{id}", **clocks))["key_result"]
    return found


def the_running_example(story: Story) -> None:
    """SPEC 2: a checklist, and two measures in one key result in a window that opens with the launch."""
    month = Window(moment="launch", duration="P1M")
    steps = tuple(Step(id, id.capitalize()) for id in ("design", "logistics", "payment"))
    visitors = Part("visitors", Increase(d("1000"), d("0"), window=month))
    sales = Part("sales", Increase(d("10"), d("0"), window=month))
    story.tell("feed/webshop.visitors", FeedRegistered("webshop", "counter", interval="P1D"))
    story.tell("feed/webshop.sales", FeedRegistered("webshop", "event_count", interval="P7D"))
    story.goal("shop", ("open", Checklist(steps)), ("month", Compound("all", (visitors, sales))))
    story.tell("objective/shop", PartBound("month", "visitors", "webshop.visitors", "increase"))
    story.tell("objective/shop", PartBound("month", "sales", "webshop.sales", "sum"))


async def test_the_running_example_waits_for_its_launch_and_then_counts_what_the_machines_report(
    story: Story,
) -> None:
    the_running_example(story)
    story.tell("feed/webshop.visitors", reading("v1", at(1), "500"), at=at(1))
    waiting = await key_result(story, "month")
    assert (waiting["state"], waiting["waiting_for"], waiting["score"]) == ("waiting", "launch", None)
    story.later(at(10))
    story.tell(
        "objective/shop", CheckInRecorded("c", "open", (PartValue("value", done=("design", "payment")),))
    )
    story.tell("feed/webshop.visitors", reading("v2", at(4), "900"), at=at(4))
    story.tell("feed/webshop.visitors", reading("v3", at(9), "1500"), at=at(9))
    for n in range(4):
        story.tell("feed/webshop.sales", reading(f"s{n}", at(4 + n), "1", "increment"), at=at(4 + n))
    story.tell("feed/webshop.sales", reading("early", at(2), "50", "increment"), at=at(2))
    story.tell(f"workspace/{story.workspace}", MomentRecorded("launch", at(3, 9)), at=at(3, 9))
    found = await key_result(story, "month")
    parts = {part["part"]: part for part in found["parts"]}
    assert (parts["visitors"]["value"], parts["sales"]["value"]) == ("1000", "4")
    assert (found["score"], found["mean"], found["bottleneck"], found["reached"]) == (
        "0.4",
        "0.7",
        "sales",
        False,
    )
    assert parts["sales"]["window_end"] == "2026-03-03T09:00:00.000000Z"
    assert (await objective(story, "shop"))["score"] == "0.533333333334"
    story.tell(
        f"workspace/{story.workspace}", MomentCorrected("launch", at(8, 9)), at=at(8, 9), reason="Later"
    )
    assert (await key_result(story, "month"))["parts"][0]["value"] == "600"
    assert (await key_result(story, "month", as_of=at(7).isoformat()))["state"] == "waiting"


async def test_what_comes_after_the_window_does_not_count_and_the_value_stays(story: Story) -> None:
    window = Window(start=at(1), end=at(5))
    story.goal("o", ("kr", Increase(d("10"), d("0"), window=window)))
    story.later(at(20))
    story.check_in("o", "kr", "1", at=at(1, 0) - timedelta(days=1))
    assert (await key_result(story, "kr"))["score"] is None
    story.check_in("o", "kr", "4", at=at(4))
    story.check_in("o", "kr", "9", at=at(5))
    assert (await key_result(story, "kr"))["score"] == "0.4"


async def test_readings_in_quarantine_count_once_released_and_corrected_ones_by_their_new_content(
    story: Story,
) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("kr", Increase(d("10"), d("0"))))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"))
    story.later(at(10))
    story.tell("feed/f", reading("a", at(2), "3"), at=at(2))
    story.tell(
        "feed/f", ReadingQuarantined("shop", "b", at(3), d("8"), "absolute", "out_of_limits"), at=at(3)
    )
    before = f"1-{len(story.facts)}"
    assert (await key_result(story, "kr"))["score"] == "0.3"
    story.tell("feed/f", ReadingReleased("shop", "b"), reason="It is right")
    assert (await key_result(story, "kr"))["score"] == "0.8"
    story.tell("feed/f", ReadingCorrected("shop", "b", at(3), d("5"), "absolute"), at=at(3), reason="Typo")
    assert (await key_result(story, "kr"))["score"] == "0.5"
    story.tell("feed/f", ReadingRetracted("shop", "b"), reason="Not ours")
    assert (await key_result(story, "kr"))["score"] == "0.3"
    assert (await key_result(story, "kr", known_at=before))["score"] == "0.3"


async def test_a_gauges_mean_enters_unrounded_and_its_cycle_is_the_window(story: Story) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 2, 1), date(2026, 2, 28)))
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("kr", Increase(d("1"), d("0"))), cycle="q1")
    story.tell("objective/o", PartBound("kr", "value", "f", "mean"))
    story.later(at(20))
    for n, value in enumerate(("9", "1", "1", "0")):
        moment = at(1, 12) + timedelta(days=n - 1)
        story.tell("feed/f", reading(f"r{n}", moment, value), at=moment)
    found = await key_result(story, "kr")
    assert (found["parts"][0]["value"], found["raw"]) == ("0.666667", "0.666666666667")
    assert found["expected"] == "1"


async def test_a_redefinition_breaks_a_counter_and_the_segments_add_up(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "counter"))
    story.goal("o", ("kr", Increase(d("100"), d("0"), window=Window(start=at(1, 0)))))
    story.tell("objective/o", PartBound("kr", "value", "f", "increase"))
    for n, value in enumerate(("100", "150")):
        story.tell("feed/f", reading(f"r{n}", at(2 + n), value), at=at(2 + n))
    story.later(at(5))
    story.tell("feed/f", FeedRedefined("counter"), reason="New counter")
    for n, value in enumerate(("5", "25")):
        story.tell("feed/f", reading(f"s{n}", at(6 + n), value), at=at(6 + n))
    assert (await key_result(story, "kr"))["score"] == "0.7"


async def test_a_part_without_a_unit_takes_its_feeds_at_the_binding_and_unlike_units_never_meet(
    story: Story,
) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 2, 1), date(2026, 2, 28)))
    story.tell("feed/f", FeedRegistered("webshop", "gauge", "kg"))
    story.goal("o", ("mean", TEN), ("last", TEN), ("fixed", Increase(d("10"), d("0"), unit="g")), cycle="q1")
    for name, how in (("mean", "mean"), ("last", "last"), ("fixed", "mean")):
        story.tell("objective/o", PartBound(name, "value", "f", how), reason="Fed")
    story.later(at(2))
    story.tell("feed/f", reading("r1", at(2), "5", unit="kg"), at=at(2))
    story.later(at(3))
    story.tell("feed/f", FeedRedefined("gauge", "g"), reason="New scales")
    story.tell("feed/f", reading("r2", at(4), "5000", unit="g"), at=at(4))
    story.later(at(5))

    async def part(id: str) -> tuple[Any, Any, Any]:
        one = (await key_result(story, id))["parts"][0]
        return one["value"], one["unit"], one["later_value_not_comparable"]

    in_kg = ("5", "kg", True)
    assert [await part(id) for id in ("mean", "last", "fixed")] == [in_kg, in_kg, ("5000", "g", False)]
    story.tell("objective/o", PartUnbound("mean", "value"), reason="To take the new unit")
    story.tell("objective/o", PartBound("mean", "value", "f", "mean"), reason="To take the new unit")
    assert await part("mean") == ("5000", "g", False)
    committed = (await key_result(story, "mean"))["committed"]["parts"][0]
    assert (committed["value"], committed["later_value_not_comparable"]) == (None, False)


async def test_a_later_reading_of_another_kind_or_unit_is_said_to_stand_aside_within_the_window_alone(
    story: Story,
) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge", "kg"))
    window = Window(start=at(1, 0), end=at(10, 0))
    story.goal("o", ("kr", Increase(d("10"), d("0"), unit="kg", window=window)))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"))
    story.tell("feed/f", reading("r1", at(2), "5"), at=at(2))
    story.later(at(4))
    story.tell("feed/f", FeedRedefined("counter", "kg"), reason="Another meter")
    story.tell("feed/f", reading("r2", at(5), "7"), at=at(5))
    story.later(at(12))
    story.tell("feed/f", FeedRedefined("gauge", "kg"), reason="The old meter again")
    story.tell("feed/f", reading("r3", at(12), "9"), at=at(12))

    async def part(day: int) -> tuple[Any, Any]:
        one = (await key_result(story, "kr", as_of=at(day, 12).isoformat()))["parts"][0]
        return one["value"], one["later_value_not_comparable"]

    assert [await part(day) for day in (3, 6, 13)] == [("5", False), ("5", True), ("5", True)]
    wrong = ReadingQuarantined("shop", "r4", at(6), d("8"), "absolute", "wrong_unit", unit="g")
    story.later(at(14))
    story.tell("feed/f", ReadingRetracted("shop", "r2"), reason="Never was")
    assert await part(13) == ("5", False)
    story.tell("feed/f", wrong, at=at(6))
    assert await part(13) == ("5", False)
    story.tell("feed/f", ReadingReleased("shop", "r4"), reason="In grams, and so it stands")
    assert await part(13) == ("5", True)


async def test_released_readings_in_another_unit_than_the_feeds_do_not_count(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("kr", TEN))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"), reason="Fed")
    story.tell("feed/f", reading("a", at(2), "3"), at=at(2))
    wrong = ReadingQuarantined("shop", "b", at(3), d("8"), "absolute", "wrong_unit", unit="kg")
    story.tell("feed/f", wrong, at=at(3))
    story.tell("feed/f", ReadingReleased("shop", "b"), reason="Counts elsewhere")
    assert (await key_result(story, "kr"))["score"] == "0.3"


async def test_key_results_that_a_roll_up_of_aligned_goals_leaves_out_are_said_to_be(story: Story) -> None:
    story.tell(f"workspace/{story.workspace}", PolicySet("objective/top", 1, Policy(roll_up="aligned")))
    story.goal("top", ("a", TEN), ("b", TEN))
    story.tell("objective/top", KeyResultDropped("b"), reason="No longer")
    story.check_in("top", "a", "5")
    found = await objective(story, "top")
    assert (found["score"], found["counted"]) == (None, [])
    assert {one["ref"]: one["why"] for one in found["left_out"]} == {
        "key-result/a": "by_policy",
        "key-result/b": "dropped",
    }
    (node,) = (await story.ask("/v1/alignment"))["nodes"]
    assert node["left_out"] == found["left_out"]


async def test_a_feed_of_which_nothing_is_counted_is_not_counted_twice(story: Story) -> None:
    pair = (Part("x", TEN), Part("y", Increase(d("10"))))
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("a", TEN), ("two", Compound("any", pair)), ("open", Increase(d("10"))))
    for name, part in (("a", "value"), ("two", "y"), ("open", "value")):
        story.tell("objective/o", PartBound(name, part, "f", "last"), reason="Fed")
    values = (PartValue("x", d("5")),)
    story.tell("objective/o", CheckInRecorded("c", "two", values))
    story.later(at(2))
    story.tell("feed/f", reading("r", at(1), "5"), at=at(1))
    # the baselines of both other parts are still to be found
    assert (await objective(story, "o"))["feeds_counted_twice"] == []


async def test_a_key_result_is_not_fresh_by_a_feed_that_was_never_read(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge", interval="P1D"))
    story.goal("o", ("kr", TEN), ("said", TEN))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"), reason="Fed")
    for name in ("kr", "said"):
        story.tell("objective/o", CheckInRecorded(f"c-{name}", name, confidence=d("0.5")))

    async def fresh(id: str) -> bool:
        found: bool = (await key_result(story, id, as_of=at(7, 9, month=1).isoformat()))["fresh"]
        return found

    assert (await fresh("kr"), await fresh("said")) == (False, True)
    read_at = at(5, 9, month=1)
    story.tell("feed/f", reading("r", read_at, "4"), at=read_at)
    assert await fresh("kr") is True


async def test_an_amendment_moves_the_amended_score_alone(story: Story) -> None:
    story.goal("o", ("a", TEN), ("b", TEN))
    story.later(at(10))
    story.check_in("o", "a", "5")
    story.check_in("o", "b", "1")
    before = await objective(story, "o")
    assert (before["score"], before["score_committed"], before["score_difference"]) == ("0.3", "0.3", "0")
    story.tell("objective/o", MeasureChanged("b", Increase(d("2"), d("0"))), reason="Too high")
    story.tell("objective/o", KeyResultDropped("a"), reason="No longer")
    story.tell("objective/o", KeyResultAdded("c", "New", TEN), reason="More")
    story.tell("objective/o", KeyResultWeightChanged("b", d("3")), reason="Matters")
    story.check_in("o", "c", "9")
    after = await objective(story, "o")
    assert (after["score"], after["score_committed"], after["score_difference"]) == ("0.6", "0.3", "0.3")
    assert {one["ref"]: one["why"] for one in after["left_out"]} == {"key-result/a": "dropped"}
    added = next(one for one in after["key_results"] if one["id"] == "c")
    assert (added["score"], added["score_committed"], added["committed"]) == ("0.9", None, None)


async def test_a_draft_has_no_committed_score(story: Story) -> None:
    story.goal("o", ("a", TEN), active=False)
    assert (await objective(story, "o"))["score_committed"] is None


async def test_a_value_under_another_unit_stands_aside_and_the_last_comparable_one_stays(
    story: Story,
) -> None:
    story.goal("o", ("kr", Increase(d("10"), d("0"), unit="t")))
    story.later(at(10))
    story.check_in("o", "kr", "4")
    story.tell(
        "objective/o", MeasureChanged("kr", Increase(d("10000"), d("0"), unit="kg")), reason="Kilograms"
    )
    found = await key_result(story, "kr")
    assert (found["score"], found["parts"][0]["later_value_not_comparable"]) == (None, True)
    assert found["score_committed"] == "0.4"
    story.check_in("o", "kr", "6000")
    found = await key_result(story, "kr")
    assert (found["score"], found["score_committed"]) == ("0.6", "0.4")
    assert found["committed"]["parts"][0]["later_value_not_comparable"] is True


async def test_the_last_comparable_value_is_found_however_much_was_said_since(story: Story) -> None:
    story.goal("o", ("kr", Increase(d("10"), d("0"), unit="t")))
    story.check_in("o", "kr", "4")
    for unit in ("kg", "lb"):
        other = Increase(d("10000"), d("0"), unit=unit)
        story.tell("objective/o", MeasureChanged("kr", other), reason="x")
        for n in range(1100):
            story.check_in("o", "kr", str(n))
    found = await key_result(story, "kr")
    assert (found["score"], found["score_committed"]) == ("0.1099", "0.4")
    assert found["committed"]["parts"][0]["later_value_not_comparable"] is True


async def test_a_closed_objective_keeps_its_score_in_its_parents_too_and_restated_stands_beside_it(
    story: Story,
) -> None:
    story.goal("top")
    story.tell(f"workspace/{story.workspace}", PolicySet("workspace", 1, Policy(roll_up="aligned")))
    story.goal("o", ("kr", TEN), active=False)
    story.tell("objective/o", ObjectiveAligned("l", "objective/top", "contributes"))
    story.tell(f"workspace/{story.workspace}", PolicySet("objective/o", 1, Policy(roll_up="key_results")))
    story.tell("objective/o", ObjectiveActivated())
    story.later(at(10))
    story.check_in("o", "kr", "4", at=at(9), id="ci")
    story.tell(
        "objective/o", ObjectiveClosed("partial", d("0.5"), d("0.4"), retrospective="Well"), reason="Grade up"
    )
    found = await objective(story, "o")
    assert (found["status"], found["score"], found["grade"]) == ("partial", "0.4", "0.5")
    story.later(at(12))
    story.check_in("o", "kr", "8", at=at(10, 1), after_closing=True)
    found = await objective(story, "o")
    assert (found["score"], found["restated"]["score"]) == ("0.4", "0.8")
    assert (await objective(story, "top"))["score"] == "0.4"
    story.tell("objective/o", ObjectiveReopened(), reason="Not over")
    assert (await objective(story, "o"))["score"] == "0.8"
    assert (await objective(story, "o"))["closings"][0]["reopened"] is True
    assert (await objective(story, "top"))["score"] == "0.8"
    closed_then = await story.ask("/v1/objectives/o", as_of=at(11).isoformat())
    assert closed_then["objective"]["score"] == "0.4"


async def test_a_closed_parent_keeps_the_scores_its_children_had_then(story: Story) -> None:
    story.goal("top", ("sum", Aligned()))
    story.goal("o", ("kr", TEN), active=False)
    story.tell("objective/o", ObjectiveAligned("l", "key-result/sum", "contributes"))
    story.tell("objective/o", ObjectiveActivated())
    story.later(at(10))
    story.check_in("o", "kr", "4")
    assert (await objective(story, "top"))["score"] == "0.4"
    story.tell("objective/top", ObjectiveClosed("partial"))
    story.check_in("o", "kr", "9")
    assert (await objective(story, "top"))["score"] == "0.4"
    assert (await objective(story, "o"))["score"] == "0.9"


async def test_links_count_as_committed_as_they_were_at_the_activation(story: Story) -> None:
    story.tell(f"workspace/{story.workspace}", PolicySet("objective/top", 1, Policy(roll_up="aligned")))
    story.goal("x", ("kx", TEN))
    story.goal("y", ("ky", TEN))
    story.goal("top", active=False)
    story.tell("objective/x", ObjectiveAligned("lx", "objective/top", "contributes"), reason="Fits")
    story.tell("objective/top", ObjectiveActivated())
    story.later(at(10))
    story.check_in("x", "kx", "2")
    story.check_in("y", "ky", "8")
    story.tell("objective/x", ObjectiveUnaligned("lx", "objective/top"), reason="Does not fit")
    story.tell(
        "objective/y", ObjectiveAligned("ly", "objective/top", "contributes", d("2")), reason="Fits better"
    )
    found = await objective(story, "top")
    assert (found["score"], found["score_committed"]) == ("0.8", "0.2")
    assert [link["child"] for link in found["children"]] == ["y"]


async def test_the_cycles_dates_move_the_expected_score_and_the_status_follows(story: Story) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 2, 1), date(2026, 2, 28)))
    story.goal("o", ("kr", TEN), cycle="q1")
    story.later(at(14, 0))
    story.check_in("o", "kr", "4", status="at_risk", confidence=d("0.3"))
    middle = datetime(2026, 2, 14, 23, tzinfo=UTC).isoformat()
    found = await objective(story, "o", as_of=middle)
    assert (found["expected"], found["gap"], found["status_computed"]) == ("0.5", "10", "behind")
    one = found["key_results"][0]
    assert (one["status"], one["status_stated"], one["confidence"]) == ("at_risk", "at_risk", "0.3")
    story.tell(
        "cycle/q1", CycleDatesMoved(date(2026, 2, 1), date(2026, 3, 28)), reason="Extended", at=at(14, 1)
    )
    found = await objective(story, "o", as_of=middle)
    assert (found["expected"], found["status_computed"]) == ("0.25", "on_track")
    assert found["status"] == "at_risk"
    assert (await objective(story, "o"))["status"] == "outdated"


async def test_a_feed_is_fresh_by_the_interval_that_it_had_then(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge", interval="P1D"))
    story.goal("o", ("kr", TEN))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"))
    story.tell("feed/f", reading("r", at(1), "4"), at=at(1))
    story.later(at(20))
    story.tell("feed/f", FeedRedefined("gauge", interval="P30D"), reason="Slower")
    assert (await key_result(story, "kr", as_of=at(3).isoformat()))["fresh"] is False
    assert (await key_result(story, "kr", as_of=at(21).isoformat()))["fresh"] is True


async def test_a_feed_that_counts_twice_under_one_ancestor_is_flagged(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("a", TEN), ("b", TEN))
    for part in ("a", "b"):
        story.tell("objective/o", PartBound(part, "value", "f", "last"))
    assert (await objective(story, "o"))["feeds_counted_twice"] == []
    story.later(at(2))
    story.tell("feed/f", reading("r", at(1), "5"), at=at(1))
    assert (await objective(story, "o"))["feeds_counted_twice"] == ["f"]
    story.tell("objective/o", KeyResultWeightChanged("b", d("0")), reason="Shown only")
    assert (await objective(story, "o"))["feeds_counted_twice"] == []


async def test_a_feed_that_counts_twice_is_flagged_through_closed_objectives_too(story: Story) -> None:
    story.tell(f"workspace/{story.workspace}", PolicySet("workspace", 1, Policy(roll_up="both")))
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    for id, parent in (("top", None), ("middle", "top"), ("low", "middle")):
        story.goal(id, (f"k-{id}", TEN))
        if parent is not None:
            story.tell(f"objective/{id}", ObjectiveAligned(f"l-{id}", f"objective/{parent}", "contributes"))
    for id in ("top", "low"):
        story.tell(f"objective/{id}", PartBound(f"k-{id}", "value", "f", "last"))
    story.later(at(2))
    story.tell("feed/f", reading("r", at(1), "5"), at=at(1))
    story.tell("objective/middle", ObjectiveClosed("partial"))
    assert (await objective(story, "top"))["feeds_counted_twice"] == ["f"]
    assert (await objective(story, "middle"))["feeds_counted_twice"] == []


async def test_a_baseline_found_after_the_activation_completes_the_commitment(story: Story) -> None:
    story.goal("o", ("kr", Increase(d("100"))))
    story.later(at(2))
    story.check_in("o", "kr", "60")
    assert (await objective(story, "o"))["score_committed"] is None
    story.later(at(3))
    story.tell("objective/o", MeasureChanged("kr", Increase(d("100"), d("20"))), reason="Found")
    found = await objective(story, "o")
    assert (found["score"], found["score_committed"], found["score_difference"]) == ("0.5", "0.5", "0")
    story.later(at(4))
    story.tell("objective/o", MeasureChanged("kr", Increase(d("60"), d("40"))), reason="Eased")
    found = await objective(story, "o")
    assert (found["score"], found["score_committed"]) == ("1", "0.5")
    assert found["key_results"][0]["committed"]["measure"]["baseline"] == "20"
    assert (await objective(story, "o", as_of=at(2, 23).isoformat()))["score_committed"] is None
    points = (await story.ask("/v1/key-results/kr/progress"))["points"]
    assert [point["score_committed"] for point in points][-2:] == ["0.5", "0.5"]
    assert points[0]["score_committed"] is None


async def test_a_baseline_found_with_another_target_completes_the_commitment_by_the_baseline_alone(
    story: Story,
) -> None:
    pair = (Part("a", Increase(d("100"))), Part("b", TEN))
    story.goal("o", ("kr", Increase(d("100"))), ("two", Compound("weighted", pair)))
    story.later(at(2))
    story.check_in("o", "kr", "60")
    values = (PartValue("a", d("50")), PartValue("b", d("5")))
    story.tell("objective/o", CheckInRecorded("c", "two", values))
    story.tell("objective/o", MeasureChanged("kr", Increase(d("220"), d("20"))), reason="Found, and raised")
    moved = (Part("a", Increase(d("200"), d("0"))), Part("b", TEN))
    story.tell("objective/o", MeasureChanged("two", Compound("weighted", moved)), reason="Likewise")
    kr, two = (await objective(story, "o"))["key_results"]
    assert (kr["score"], kr["score_committed"]) == ("0.2", "0.5")
    assert (two["score"], two["score_committed"]) == ("0.375", "0.5")


async def test_a_cycles_instants_are_those_of_its_goals_also_under_a_policys_time_zone(story: Story) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.goal("o", ("kr", TEN), cycle="q1")
    set_ = PolicySet("workspace", 1, Policy(time_zone="America/New_York"))
    story.tell(f"workspace/{story.workspace}", set_, reason="Moved")
    goal = await objective(story, "o")
    (cycle,) = (await story.ask("/v1/cycles"))["items"]
    instants = ("2026-01-01T05:00:00.000000Z", "2026-04-01T04:00:00.000000Z")
    assert (cycle["starts_at"], cycle["ends_at"]) == instants
    assert (goal["cycle_start"], goal["cycle_end"]) == instants


async def test_links_of_different_moments_close_no_loop(story: Story) -> None:
    both = PolicySet("workspace", 1, Policy(roll_up="both"))
    story.tell(f"workspace/{story.workspace}", both)
    story.goal("a", ("ka", TEN), active=False)
    story.goal("b", ("kb", TEN), active=False)
    story.tell("objective/b", ObjectiveAligned("l1", "objective/a", "contributes", d("1")))
    story.tell("objective/a", ObjectiveActivated())
    story.check_in("a", "ka", "2")
    story.tell("objective/b", ObjectiveUnaligned("l1", "objective/a"))
    story.tell("objective/a", ObjectiveAligned("l2", "objective/b", "contributes", d("1")), reason="x")
    story.tell("objective/b", ObjectiveActivated())
    story.check_in("b", "kb", "4")
    await story.arrive()

    nodes = {one["id"]: one for one in (await story.ask("/v1/alignment"))["nodes"]}
    assert [nodes[id]["score"] for id in "ab"] == ["0.2", "0.3"]
    # a is committed with b beneath it; b, activated later, cannot be committed with a beneath it as well
    assert [nodes[id]["score_committed"] for id in "ab"] == ["0.3", "0.4"]
    for id in "ab":
        one = (await story.ask(f"/v1/objectives/{id}"))["objective"]
        assert one["score_committed"] == nodes[id]["score_committed"]
    assert one["left_out_committed"] == [{"ref": "objective/a", "why": "loop"}]


async def test_a_closed_goal_under_which_another_once_was_closes_no_loop(story: Story) -> None:
    for id in "abc":
        story.goal(id, (f"k{id}", TEN))
    story.tell("objective/b", ObjectiveAligned("l1", "objective/a", "contributes", d("1")), reason="x")
    story.tell("objective/a", ObjectiveAligned("l2", "objective/c", "contributes", d("1")), reason="x")
    story.tell("objective/a", ObjectiveClosed("partial"))
    story.tell("objective/b", ObjectiveUnaligned("l1", "objective/a"), reason="x")
    story.tell("objective/c", ObjectiveAligned("l3", "objective/b", "contributes", d("1")), reason="x")
    await story.arrive()
    assert len((await story.ask("/v1/alignment"))["nodes"]) == 3
