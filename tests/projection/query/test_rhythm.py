"""SPEC 6 over HTTP: what do I owe, who has gone silent. Due dates are Fridays in Oslo, with two days of grace."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.feed import FeedRegistered, ReadingRecorded
from goal_ledger_contracts.objective import (
    CheckInRecorded,
    CheckInRetracted,
    KeyResultOwnerChanged,
    ObjectiveActivated,
    ObjectiveClosed,
    PartBound,
)
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import LeadNamed, UnitCreated
from goal_ledger_contracts.workspace import Policy, PolicySet
from projection.query.story import TEN, Story, d

NAME = Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")


def noon(day: int, month: int = 1) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def begin(story: Story) -> None:
    """A unit that Ada leads, with Bo in the one beneath."""
    story.tell("unit/all", UnitCreated("All"), LeadNamed("ada"))
    story.tell("unit/shop", UnitCreated("Shop", "all"))
    story.tell("person/bo", PersonAdded(NAME), UnitJoined("shop"))
    story.tell("person/ada", PersonAdded(NAME))


async def owed(story: Story, as_of: datetime, **asked: Any) -> dict[str, Any]:
    await story.arrive()
    return await story.ask("/v1/owed", as_of=as_of.isoformat(), **asked)


async def silent(story: Story, as_of: datetime, **asked: Any) -> dict[str, Any]:
    await story.arrive()
    return await story.ask("/v1/silent", as_of=as_of.isoformat(), **asked)


async def test_a_due_date_ends_with_its_local_day_and_is_pending_until_its_grace_is_over(
    story: Story,
) -> None:
    begin(story)
    story.goal("o", ("kr", TEN), owner="person/bo")
    (item,) = (await owed(story, noon(8), by="person/bo"))["items"]
    assert (item["last"], item["next"]["day"], item["next"]["ends_at"]) == (
        None,
        "2026-01-09",
        "2026-01-09T23:00:00.000000Z",
    )
    assert (item["owed"], item["overdue"], item["next"]["state"]) == (True, False, "pending")
    (item,) = (await owed(story, noon(10), by="person/bo"))["items"]
    assert (item["last"]["state"], item["overdue"], item["owed"]) == ("pending", True, True)
    (item,) = (await owed(story, noon(12), by="person/bo"))["items"]
    assert (item["last"]["state"], item["last"]["met_at"], item["overdue"]) == ("missed", None, True)
    assert item["next"]["day"] == "2026-01-16"


async def test_word_is_on_time_late_or_missed_by_when_it_was_given(story: Story) -> None:
    begin(story)
    for id, day in (("early", 9), ("late", 10), ("after", 12)):
        story.goal(id, ("kr-" + id, TEN), owner="person/bo")
        story.check_in(id, f"kr-{id}", "1", at=noon(day))
    found = {one["objective"]: one for one in (await owed(story, noon(13), by="person/bo"))["items"]}
    assert {id: one["last"]["state"] for id, one in found.items()} == {
        "early": "on_time",
        "late": "late",
        "after": "missed",
    }
    assert {id: one["next"]["state"] for id, one in found.items()} == {
        "early": "pending",
        "late": "on_time",
        "after": "on_time",
    }
    body = await owed(story, noon(13), by="person/bo")
    assert (body["items"][0]["objective"], body["owed"]) == ("early", 1)


async def test_each_unfed_key_result_is_waited_for_or_the_objective_itself(story: Story) -> None:
    begin(story)
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("a", TEN), ("b", TEN), ("fed", TEN), owner="person/bo", active=False)
    story.tell("objective/o", PartBound("fed", "value", "f", "last"), ObjectiveActivated())
    story.check_in("o", "a", "1", at=noon(7))
    (item,) = (await owed(story, noon(8), by="person/bo"))["items"]
    assert item["next"]["state"] == "pending"
    assert {one["id"]: (one["waited_for"], one["fed"]) for one in item["key_results"]} == {
        "a": (True, False),
        "b": (True, False),
        "fed": (False, True),
    }
    story.check_in("o", "b", "1", at=noon(8))
    (item,) = (await owed(story, noon(8), by="person/bo"))["items"]
    assert (item["next"]["state"], item["next"]["met_at"]) == ("on_time", "2026-01-08T12:00:00.000000Z")
    (item,) = (await owed(story, noon(15), by="person/bo"))["items"]
    assert item["next"]["state"] == "pending"
    story.check_in("o", None, at=noon(14))
    (item,) = (await owed(story, noon(15), by="person/bo"))["items"]
    assert item["next"]["met_at"] == item["last_check_in_at"] == "2026-01-14T12:00:00.000000Z"


async def test_a_feeds_readings_are_word_only_where_the_policy_says_so(story: Story) -> None:
    begin(story)
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("fed", TEN), owner="person/bo", active=False)
    story.tell("objective/o", PartBound("fed", "value", "f", "last"), ObjectiveActivated())
    story.tell("feed/f", ReadingRecorded("shop", "r1", noon(7), d("2"), "absolute"), at=noon(7))
    (item,) = (await owed(story, noon(8), by="person/bo"))["items"]
    assert item["next"]["state"] == "pending"
    (item,) = (await silent(story, noon(12)))["items"]
    assert item["silent"]
    scope = PolicySet("workspace", 1, Policy(feeds_count_as_word=True))
    story.tell(f"workspace/{story.workspace}", scope, reason="Trusted")
    (item,) = (await owed(story, noon(8), by="person/bo"))["items"]
    assert (item["next"]["state"], item["next"]["met_at"]) == ("on_time", "2026-01-07T12:00:00.000000Z")
    (item,) = (await silent(story, noon(12)))["items"]
    assert (item["silent"], item["last_word_at"]) == (False, "2026-01-07T12:00:00.000000Z")


async def test_a_systems_or_a_retracted_check_in_is_no_word(story: Story) -> None:
    begin(story)
    story.goal("o", ("kr", TEN), owner="person/bo")
    story.check_in("o", "kr", "1", at=noon(7), id="mine")
    story.tell("objective/o", CheckInRecorded("its", "kr"), at=noon(7), actor="system/webshop")
    known = await story.arrive()
    story.tell("objective/o", CheckInRetracted("mine"), reason="Not so")
    (item,) = (await owed(story, noon(8), by="person/bo"))["items"]
    assert (item["next"]["state"], item["key_results"][0]["last_check_in_at"]) == ("pending", None)
    (item,) = (await owed(story, noon(8), by="person/bo", known_at=known))["items"]
    assert item["next"]["state"] == "on_time"


async def test_one_owes_for_own_goals_for_those_of_units_one_leads_and_for_own_key_results(
    story: Story,
) -> None:
    begin(story)
    story.goal("mine", ("a", TEN), owner="person/ada")
    story.goal("led", ("b", TEN), owner="unit/all")
    story.goal("other", ("c", TEN), ("of-ada", TEN), owner="person/bo")
    story.tell("objective/other", KeyResultOwnerChanged("of-ada", "person/ada"), reason="Hers")
    story.goal("not-hers", ("e", TEN), owner="unit/shop")
    body = await owed(story, noon(8))
    assert (body["by"], body["owed"]) == ("person/ada", 3)
    assert {one["objective"]: one["because"] for one in body["items"]} == {
        "mine": "owner",
        "led": "lead",
        "other": "key_result",
    }
    story.check_in("other", "of-ada", "1", at=noon(7))
    states = {one["objective"]: one["next"]["state"] for one in (await owed(story, noon(8)))["items"]}
    assert states == {"mine": "pending", "led": "pending", "other": "on_time"}
    (of_bo,) = (await owed(story, noon(8), by="person/bo"))["items"]
    assert of_bo["next"]["state"] == "pending"


async def test_drafts_and_closed_goals_owe_nothing_and_strangers_are_named(story: Story) -> None:
    begin(story)
    story.goal("draft", ("a", TEN), owner="person/bo", active=False)
    story.goal("done", ("b", TEN), owner="person/bo")
    story.tell("objective/done", ObjectiveClosed("achieved"))
    assert (await owed(story, noon(20), by="person/bo"))["items"] == []
    for by in ("person/nobody", "unit/all", "bo"):
        refused = await story.get("/v1/owed", by=by)
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
            422,
            "choice_unknown",
            "by",
        )


async def test_silent_ones_come_first_the_longest_silent_before_all(story: Story) -> None:
    begin(story)
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    for id, owner in (("never", "unit/shop"), ("spoke", "person/bo"), ("fresh", "unit/all")):
        story.goal(id, (f"kr-{id}", TEN), owner=owner, cycle="q1" if id != "fresh" else None)
    story.check_in("spoke", "kr-spoke", "1", at=noon(8))
    story.check_in("fresh", "kr-fresh", "1", at=noon(22))
    body = await silent(story, noon(26))
    assert (body["silent"], body["total"]) == (2, 3)
    assert [(one["objective"], one["silent"], one["missed_in_a_row"]) for one in body["items"]] == [
        ("never", True, 3),
        ("spoke", True, 2),
        ("fresh", False, 0),
    ]
    assert [one["ask"] for one in body["items"]] == [None, "person/bo", "person/ada"]
    assert body["items"][1]["last_word_at"] == body["items"][1]["since"] == "2026-01-08T12:00:00.000000Z"
    assert [one["objective"] for one in (await silent(story, noon(26), unit="shop"))["items"]] == [
        "never",
        "spoke",
    ]
    assert (await silent(story, noon(26), cycle="q1"))["total"] == 2
    page = await silent(story, noon(26), limit=2)
    rest = await story.ask("/v1/silent", limit=2, cursor=page["next_cursor"])
    assert [one["objective"] for one in rest["items"]] == ["fresh"]
    for name in ("unit", "cycle"):
        refused = await story.get("/v1/silent", **{name: "nowhere"})
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
            422,
            "choice_unknown",
            name,
        )
