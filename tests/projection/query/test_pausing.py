"""What is paused owes nothing: goals, and people on leave (SPEC 6). Due dates are Fridays in Oslo, with two days of grace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from goal_ledger_contracts.objective import ObjectiveClosed, ObjectivePaused, ObjectiveResumed
from goal_ledger_contracts.person import LeaveBegun, LeaveEnded, PersonAdded
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import LeadNamed, UnitCreated
from projection.query.story import TEN, Story

NAME = Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")
JANUARY = {"from": "2026-01-05", "to": "2026-02-01", "as_of": "2026-02-04T12:00:00Z"}


def noon(day: int, month: int = 1) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def begin(story: Story) -> None:
    """Bo leads the shop and owns a goal; the shop owns another."""
    story.tell("person/bo", PersonAdded(NAME))
    story.tell("unit/shop", UnitCreated("Shop"), LeadNamed("bo"))
    story.goal("of-bo", ("a", TEN), owner="person/bo")
    story.goal("of-shop", ("b", TEN), owner="unit/shop")


async def owed(story: Story, as_of: datetime) -> dict[str, dict[str, Any]]:
    await story.arrive()
    told = await story.ask("/v1/owed", as_of=as_of.isoformat(), by="person/bo")
    return {one["objective"]: one for one in told["items"]}


async def silent(story: Story, as_of: datetime) -> dict[str, dict[str, Any]]:
    await story.arrive()
    told = await story.ask("/v1/silent", as_of=as_of.isoformat())
    return {one["objective"]: one for one in told["items"]}


async def missed_by_week(story: Story) -> list[int]:
    await story.arrive()
    return [one["missed"] for one in (await story.ask("/v1/participation", **JANUARY))["all"]]


async def test_a_paused_goal_owes_nothing_until_it_is_resumed(story: Story) -> None:
    begin(story)
    story.later(noon(13))
    story.tell("objective/of-shop", ObjectivePaused(), reason="The shop is shut")
    during = (await owed(story, noon(19)))["of-shop"]
    assert (during["paused"], during["owed"], during["overdue"]) == (True, False, False)
    assert (during["last"]["state"], during["next"]["state"]) == ("paused", "paused")
    story.later(noon(20))
    story.tell("objective/of-shop", ObjectiveResumed())
    after = (await owed(story, noon(26)))["of-shop"]
    assert (after["paused"], after["overdue"], after["last"]["state"]) == (False, True, "missed")
    assert await missed_by_week(story) == [2, 1, 2, 2]


async def test_who_is_on_leave_owes_nothing_nor_do_the_goals_that_the_person_owns(story: Story) -> None:
    begin(story)
    story.later(noon(13))
    story.tell("person/bo", LeaveBegun(), reason="Parental leave")
    during = await owed(story, noon(19))
    assert {id: (one["paused"], one["owed"]) for id, one in during.items()} == {
        "of-bo": (True, False),
        "of-shop": (True, False),
    }
    of_shop = (await silent(story, noon(19)))["of-shop"]
    assert (of_shop["paused"], of_shop["silent"]) == (False, True)
    story.later(noon(27))
    story.tell("person/bo", LeaveEnded())
    assert await missed_by_week(story) == [2, 1, 1, 2]
    bo = (await story.ask("/v1/people/bo"))["person"]
    then = (await story.ask("/v1/people/bo", as_of=noon(14).isoformat()))["person"]
    assert bo["on_leave_since"] is None
    assert then["on_leave_since"] == "2026-01-13T12:01:00.000000Z"


async def test_a_pause_is_no_silence_and_what_was_missed_before_it_is(story: Story) -> None:
    begin(story)
    story.later(noon(20))
    story.tell("objective/of-shop", ObjectivePaused(), reason="The shop is shut")
    story.later(noon(3, 2))
    story.tell("objective/of-shop", ObjectiveResumed())
    assert (await silent(story, noon(19)))["of-shop"]["missed_in_a_row"] == 2
    assert (await silent(story, noon(26)))["of-shop"]["missed_in_a_row"] == 0
    after = await silent(story, noon(4, 2))
    assert (after["of-shop"]["missed_in_a_row"], after["of-bo"]["missed_in_a_row"]) == (2, 4)


async def test_silence_in_a_pause_makes_no_status_outdated(story: Story) -> None:
    begin(story)
    story.later(noon(7))
    story.tell("objective/of-shop", ObjectivePaused(), reason="The shop is shut")
    await story.arrive()

    async def status(id: str) -> str:
        told = await story.ask(f"/v1/objectives/{id}", as_of=noon(14).isoformat())
        return str(told["objective"]["status"])

    assert (await status("of-bo"), await status("of-shop")) == ("outdated", "pending")
    tree = await story.ask("/v1/alignment", as_of=noon(14).isoformat())
    assert {one["id"]: one["status"] for one in tree["nodes"]} == {"of-bo": "outdated", "of-shop": "pending"}
    why = await story.ask("/v1/objectives/of-shop/explain", as_of=noon(14).isoformat())
    assert why["status"]["outdated"] is False


async def test_a_pause_is_seen_in_the_timeline_and_ends_with_a_closing(story: Story) -> None:
    begin(story)
    story.tell("objective/of-shop", ObjectivePaused(), reason="The shop is shut")
    await story.arrive()
    paused = (await story.ask("/v1/objectives/of-shop"))["objective"]
    assert paused["paused_since"] == story.facts[-1].effective_at.isoformat(timespec="microseconds").replace(
        "+00:00", "Z"
    )
    entry = (await story.ask("/v1/objectives/of-shop/timeline"))["items"][-1]
    assert entry["changes"] == [{"field": "paused", "before": None, "after": True}]
    assert (await story.ask("/v1/amendments"))["items"] == []
    story.tell("objective/of-shop", ObjectiveClosed("missed"))
    await story.arrive()
    assert (await story.ask("/v1/objectives/of-shop"))["objective"]["paused_since"] is None
