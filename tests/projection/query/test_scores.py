"""Scores through the API: measures, both definitions, closings, roll-up; given facts, when asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from goal_ledger_contracts.cycle import CycleDatesMoved, CyclePlanned
from goal_ledger_contracts.measures import Aligned, Compound, Increase, Part, Window
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
    PartValue,
)
from goal_ledger_contracts.workspace import Policy, PolicySet
from projection.query.scored import at, key_result, objective
from projection.query.story import TEN, Story, d


async def test_what_comes_after_the_window_does_not_count_and_the_value_stays(story: Story) -> None:
    window = Window(start=at(1), end=at(5))
    story.goal("o", ("kr", Increase(d("10"), d("0"), window=window)))
    story.later(at(20))
    story.check_in("o", "kr", "1", at=at(1, 0) - timedelta(days=1))
    assert (await key_result(story, "kr"))["score"] is None
    story.check_in("o", "kr", "4", at=at(4))
    story.check_in("o", "kr", "9", at=at(5))
    assert (await key_result(story, "kr"))["score"] == "0.4"


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
