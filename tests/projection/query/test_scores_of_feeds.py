"""Scores through the API by what machines report: feeds, their readings, units, windows and freshness."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.feed import (
    FeedRedefined,
    FeedRegistered,
    ReadingCorrected,
    ReadingQuarantined,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_contracts.measures import Checklist, Compound, Increase, Part, Step, Window
from goal_ledger_contracts.objective import (
    CheckInRecorded,
    KeyResultWeightChanged,
    ObjectiveAligned,
    ObjectiveClosed,
    PartBound,
    PartUnbound,
    PartValue,
)
from goal_ledger_contracts.workspace import MomentCorrected, MomentRecorded, Policy, PolicySet
from projection.query.scored import at, key_result, objective, reading
from projection.query.story import TEN, Story, d


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
