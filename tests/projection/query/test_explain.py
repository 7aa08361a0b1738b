"""Why a number is what it is: `…/explain`, down to the facts. That it adds up for whole random lives: `tests/reading`."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.feed import FeedRegistered, ReadingQuarantined, ReadingRecorded, ReadingReleased
from goal_ledger_contracts.measures import Aligned, Increase
from goal_ledger_contracts.objective import (
    KeyResultDropped,
    KeyResultWeightChanged,
    MeasureChanged,
    ObjectiveAligned,
    ObjectiveClosed,
    PartBound,
)
from goal_ledger_contracts.workspace import Policy, PolicySet
from goal_ledger_history import explain
from projection.query.story import START, TEN, Story, d

Json = dict[str, Any]
VISITS = Increase(target=d("3"), baseline=d("0"))


def by_event(told: Json) -> dict[str, Json]:
    return {fact["event_id"]: fact for fact in told["facts"]}


async def test_a_score_is_explained_down_to_who_said_it_and_when(story: Story) -> None:
    story.goal("shop", ("visits", VISITS))
    story.check_in("shop", "visits", "1", at=START)
    await story.arrive()

    told = await story.ask("/v1/key-results/visits/explain")

    node = told["nodes"][told["amended"]]
    assert told["committed"] == told["amended"], "nothing was amended: one derivation is both"
    assert (node["formula"], told["formulas"]) == ("increase", told["calculation"].partition("-")[0])
    part = node["parts"][0]
    assert (part["value"], part["raw"]) == ("1", "0.333333333333")
    assert part["quotient"] == {"numerator": "1", "denominator": "3", "rounded": True}
    said = by_event(told)[part["said_by"][0]]
    assert (said["type"], said["actor"], said["effective_at"]) == (
        "CheckInRecorded",
        "person/ada",
        "2026-01-05T08:00:00.000000Z",
    )
    assert by_event(told)[node["measure_by"]]["type"] == "KeyResultAdded"


async def test_a_roll_up_names_weights_policy_and_what_is_left_out(story: Story) -> None:
    story.goal("top", ("a", TEN), ("b", TEN), ("c", TEN))
    story.goal("sub", ("visits", VISITS))
    story.tell("objective/sub", ObjectiveAligned("l", "objective/top", "contributes", d("2")))
    story.check_in("sub", "visits", "1")
    story.check_in("top", "a", "4")
    weight = story.tell("objective/top", KeyResultWeightChanged("a", d("3")), reason="It matters")
    dropped = story.tell("objective/top", KeyResultDropped("b"), reason="No need")
    policy = story.tell(f"workspace/{story.workspace}", PolicySet("workspace", 1, Policy(roll_up="both")))
    await story.arrive()

    told = await story.ask("/v1/objectives/top/explain")

    node = told["nodes"][told["amended"]]
    assert (node["score"], told["score"]) == ("0.373333333333", "0.373333333333")
    assert node["quotient"] == {"numerator": "1.866666666666", "denominator": "5", "rounded": True}
    counted = {one["ref"]: one for one in node["counted"]}
    assert {ref: (one["weight"], one["score"]) for ref, one in counted.items()} == {
        "key-result/a": ("3", "0.4"),
        "objective/sub": ("2", "0.333333333333"),
    }
    assert counted["key-result/a"]["weight_by"] == str(weight.event_id)
    assert told["nodes"][counted["objective/sub"]["node"]]["counted"][0]["ref"] == "key-result/visits"
    left = {one["ref"]: (one["why"], one["because"]) for one in node["left_out"]}
    assert left == {
        "key-result/b": ("dropped", str(dropped.event_id)),
        "key-result/c": ("not_measured", None),
    }
    assert (node["roll_up"], node["policies"]) == (
        "both",
        [{"scope": "workspace", "set_by": str(policy.event_id)}],
    )
    assert by_event(told)[str(weight.event_id)]["reason"] == "It matters"


async def test_only_so_many_levels_beneath_are_derived_as_are_asked_for(story: Story) -> None:
    _goals_in_a_row(story, "top", "middle", "low")
    await story.arrive()
    whole = await story.ask("/v1/objectives/top/explain")

    told = await story.ask("/v1/objectives/top/explain", depth="1")
    alone = await story.ask("/v1/objectives/top/explain", depth="0")
    of_key_result = await story.ask("/v1/key-results/of-top/explain", depth="0")

    assert _derived(whole) == {"top", "middle", "low"}
    assert (_derived(told), _derived(alone)) == ({"top", "middle"}, {"top"})
    middle = next(one for one in told["nodes"] if one.get("key_result") == "of-middle")
    assert [(one["ref"], one["score"], one["node"]) for one in middle["counted"]] == [
        ("objective/low", "0.5", None)
    ]
    assert of_key_result["nodes"][of_key_result["amended"]]["counted"][0]["node"] is None
    assert told["score"] == alone["score"] == whole["score"] == "0.5"


async def test_more_objectives_than_are_told_of_are_refused_and_a_depth_helps(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    _goals_in_a_row(story, "top", "middle", "low")
    await story.arrive()
    monkeypatch.setattr(explain, "GOALS_MAX", 2)

    answer = await story.get("/v1/objectives/top/explain")

    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_goals")
    assert _derived(await story.ask("/v1/objectives/top/explain", depth="1")) == {"top", "middle"}


def _goals_in_a_row(story: Story, *ids: str) -> None:
    """Each but the last is measured by the next one, and the last by a value of 5 of 10."""
    for id in ids[:-1]:
        story.goal(id, (f"of-{id}", Aligned()))
    story.goal(ids[-1], ("value", TEN))
    for above, id in pairwise(ids):
        story.tell(f"objective/{id}", ObjectiveAligned(f"l-{id}", f"key-result/of-{above}", "contributes"))
    story.check_in(ids[-1], "value", "5")


def _derived(told: Json) -> set[str]:
    return {one["objective"] for one in told["nodes"] if one["kind"] == "objective"}


async def test_as_committed_is_explained_by_the_definition_of_the_activation(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    story.check_in("shop", "visits", "5")
    lower = story.tell(
        "objective/shop",
        MeasureChanged("visits", Increase(target=d("5"), baseline=d("0"))),
        reason="Too far",
    )
    await story.arrive()

    told = await story.ask("/v1/objectives/shop/explain")

    amended, committed = told["nodes"][told["amended"]], told["nodes"][told["committed"]]
    assert (amended["score"], committed["score"], told["score_difference"]) == ("1", "0.5", "0.5")
    now, then = (told["nodes"][one["counted"][0]["node"]] for one in (amended, committed))
    assert now["measure_by"] == str(lower.event_id) != then["measure_by"]
    assert (now["measure"]["target"], then["measure"]["target"]) == ("5", "10")


async def test_a_fed_value_names_its_readings_and_what_released_them(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("shop", "gauge", interval="P1D"))
    story.goal("shop", ("visits", TEN))
    bound = story.tell("objective/shop", PartBound("visits", "value", "f", "last"))
    story.tell("feed/f", ReadingRecorded("s", "r1", START, d("2"), "absolute"), at=START)
    at = START + timedelta(minutes=1)
    held = story.tell("feed/f", ReadingQuarantined("s", "r2", at, d("7"), "absolute", "out_of_limits"), at=at)
    released = story.tell("feed/f", ReadingReleased("s", "r2"), reason="It was so")
    await story.arrive()

    told = await story.ask("/v1/key-results/visits/explain")

    fed = told["nodes"][told["amended"]]["parts"][0]["fed"]
    assert (fed["feed"], fed["aggregation"], fed["bound_by"]) == ("f", "last", str(bound.event_id))
    assert fed["stretches"][0]["readings"] == [
        {
            "role": "last",
            "time": "2026-01-05T08:01:00.000000Z",
            "value": "7",
            "recorded_by": str(held.event_id),
            "counts_from": str(released.event_id),
        }
    ]


async def test_a_status_is_explained_by_the_rule_that_held_first(story: Story) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.goal("shop", ("visits", TEN), cycle="q1")
    stated = story.check_in("shop", "visits", "1", status="behind")
    at = stated.effective_at.isoformat()
    await story.arrive()

    told = (await story.ask("/v1/key-results/visits/explain", as_of=at))["status"]
    assert (told["shown"], told["decided_by"], told["stated_by"]) == (
        "behind",
        "stated",
        str(stated.event_id),
    )
    whole = (await story.ask("/v1/objectives/shop/explain", as_of=at))["status"]
    assert (whole["shown"], whole["decided_by"]) == ("behind", "worst_of_key_results")
    assert whole["key_results"] == [{"ref": "key-result/visits", "status": "behind"}]
    late = (await story.ask("/v1/key-results/visits/explain"))["status"]
    assert (late["shown"], late["decided_by"], late["outdated"]) == ("outdated", "outdated", True)


async def test_a_closed_goal_is_explained_at_its_closing_also_above(story: Story) -> None:
    story.goal("top")
    story.goal("sub", ("visits", VISITS))
    story.goal("leaf", ("deep", TEN))
    for child, parent in (("sub", "top"), ("leaf", "sub")):
        story.tell(f"objective/{child}", ObjectiveAligned(f"l-{child}", f"objective/{parent}", "contributes"))
    story.tell(f"workspace/{story.workspace}", PolicySet("workspace", 1, Policy(roll_up="both")))
    story.check_in("leaf", "deep", "3")
    closing = story.tell("objective/sub", ObjectiveClosed("achieved", d("1"), d("1")))
    story.check_in("leaf", "deep", "9")
    await story.arrive()

    told = await story.ask("/v1/objectives/top/explain")

    top = told["nodes"][told["amended"]]
    sub = told["nodes"][top["counted"][0]["node"]]
    leaf = told["nodes"][sub["counted"][0]["node"]]
    assert (sub["score"], sub["kept_by"]) == ("0.3", str(closing.event_id))
    assert (leaf["score"], leaf["known_to"]) == ("0.3", f"1-{closing.seq}")
    assert (await story.ask("/v1/objectives/leaf/explain"))["score"] == "0.9"


async def test_an_explanation_has_clocks_token_and_etag_like_any_answer(story: Story) -> None:
    story.goal("shop", ("visits", TEN))
    story.check_in("shop", "visits", "1", at=START)
    before = await story.arrive()
    story.check_in("shop", "visits", "2")
    await story.arrive()

    then = await story.get("/v1/key-results/visits/explain", known_at=before)
    again = await story.get("/v1/key-results/visits/explain", token=then.json()["token"])
    assert (then.json()["score"], again.content) == ("0.1", then.content)
    known = await story.get(
        "/v1/key-results/visits/explain",
        headers={"If-None-Match": then.headers["etag"]},
        token=then.json()["token"],
    )
    assert known.status_code == 304
    for path in ("/v1/key-results/none/explain", "/v1/objectives/none/explain"):
        assert (await story.get(path)).json()["code"] == "not_found"
    refused = await story.get("/v1/objectives/shop/explain", levels="1")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parameter")
