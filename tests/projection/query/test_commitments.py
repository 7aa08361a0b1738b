"""The register of commitments at a date: `GET /v1/commitments`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from goal_ledger_contracts.cycle import CycleDatesMoved, CyclePlanned
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import (
    KeyResultAdded,
    MeasureChanged,
    MovedToCycle,
    ObjectiveActivated,
    ObjectiveAligned,
    ObjectiveAssigned,
    ObjectiveClosed,
    ObjectiveReworded,
)
from goal_ledger_contracts.unit import UnitCreated
from projection.query.story import TEN, Story, d

PATH = "/v1/commitments"
FIVE = Increase(target=d("5"), baseline=d("0"))


def quarters(story: Story) -> None:
    story.tell("unit/all", UnitCreated("All"))
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.tell("cycle/q2", CyclePlanned("Q2", date(2026, 4, 1), date(2026, 6, 30)))


async def registered(story: Story, **asked: Any) -> list[str]:
    await story.arrive()
    return [one["objective"] for one in (await story.ask(PATH, **asked))["items"]]


async def test_what_was_committed_to_by_whom_and_when_stays_and_what_became_of_it_stands_beside(
    story: Story,
) -> None:
    quarters(story)
    story.goal("shop", ("visits", TEN), cycle="q1", kind="committed", active=False)
    story.tell("objective/shop", ObjectiveActivated(), actor="person/bo", reason="Agreed")
    committed = story.facts[-1]
    story.check_in("shop", "visits", "2")
    story.tell("objective/shop", ObjectiveReworded("Another title"), reason="Clearer")
    story.tell("objective/shop", MeasureChanged("visits", FIVE), reason="Too far")
    story.tell("cycle/q1", CycleDatesMoved(date(2026, 1, 1), date(2026, 4, 30)), reason="Easter")
    story.tell("objective/shop", ObjectiveClosed("partial", d("0.5"), d("0.4")))
    await story.arrive()

    (one,) = (await story.ask(PATH))["items"]

    assert (one["by"], one["reason"], one["event_id"]) == ("person/bo", "Agreed", str(committed.event_id))
    assert (one["title"], one["kind"], one["owner"]) == ("Title of shop", "committed", "unit/all")
    assert (one["cycle"], one["start"], one["end"]) == ("q1", "2026-01-01", "2026-03-31")
    (key_result,) = one["key_results"]
    assert (key_result["id"], key_result["weight"], key_result["measure"]["target"]) == ("visits", "1", "10")
    assert (one["state"], one["outcome"], one["grade"]) == ("closed", "partial", "0.5")
    assert (one["score"], one["score_committed"], one["score_difference"]) == ("0.4", "0.2", "0.2")
    assert (one["amendments"], one["goalpost_moves"]) == (3, 2)


async def test_a_draft_is_no_commitment_and_a_register_is_of_its_date(story: Story) -> None:
    story.goal("draft", ("a", TEN), active=False)
    story.goal("shop", ("visits", TEN))
    before = await story.arrive()
    story.later(datetime(2026, 2, 1, tzinfo=UTC))
    story.tell("objective/draft", ObjectiveActivated())

    assert await registered(story) == ["shop", "draft"]
    assert await registered(story, known_at=before) == ["shop"]
    assert await registered(story, as_of="2026-01-31T00:00:00Z") == ["shop"]


async def test_a_baseline_found_later_belongs_to_the_commitment_what_was_added_does_not(story: Story) -> None:
    story.goal("shop", ("visits", Increase(target=d("10"))))
    story.tell("objective/shop", MeasureChanged("visits", TEN), reason="Counted")
    story.tell("objective/shop", KeyResultAdded("sales", "Sales", TEN), reason="More")
    await story.arrive()

    (one,) = (await story.ask(PATH))["items"]

    assert [(each["id"], each["measure"]["baseline"]) for each in one["key_results"]] == [("visits", "0")]
    assert one["amendments"] == 1


async def test_what_counted_in_it_then_is_part_of_it(story: Story) -> None:
    story.goal("top", ("visits", TEN), active=False)
    story.goal("early", ("a", TEN))
    story.goal("late", ("b", TEN))
    story.tell("objective/early", ObjectiveAligned("l1", "objective/top", "contributes"), reason="Fits")
    story.tell("objective/top", ObjectiveActivated())
    story.tell("objective/late", ObjectiveAligned("l2", "objective/top", "contributes"), reason="Fits")
    await story.arrive()

    items = {one["objective"]: one for one in (await story.ask(PATH))["items"]}

    assert items["top"]["contributing"] == [{"objective": "early", "to": "objective/top", "weight": "1"}]


async def test_it_is_found_by_what_it_was_and_is_and_comes_page_by_page(story: Story) -> None:
    quarters(story)
    story.tell("unit/web", UnitCreated("Web"))
    story.goal("moved", ("a", TEN), cycle="q1")
    story.goal("stays", ("b", TEN), cycle="q1")
    story.goal("done", ("c", TEN))
    story.tell("objective/moved", MovedToCycle("q2"), ObjectiveAssigned("unit/web"), reason="Later")
    story.tell("objective/done", ObjectiveClosed("achieved"))

    assert await registered(story, cycle="q1") == ["moved", "stays"]
    assert await registered(story, cycle="q2") == await registered(story, unit="web") == ["moved"]
    assert await registered(story, owner="unit/all", state="active") == ["moved", "stays"]
    assert await registered(story, state="closed") == ["done"]
    first = await story.ask(PATH, limit=2)
    assert (first["total"], await registered(story, limit=2, cursor=first["next_cursor"])) == (3, ["done"])
    for asked in ({"state": "draft"}, {"cycle": "none"}, {"unit": "none"}, {"owner": "person/none"}):
        assert (await story.get(PATH, **asked)).json()["code"] == "choice_unknown"
