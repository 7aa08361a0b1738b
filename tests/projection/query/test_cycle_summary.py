"""SPEC 9 over HTTP: what a cycle came to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.objective import ObjectiveCarriedOver, ObjectiveClosed
from projection.query.story import TEN, Story, d


def at(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


def quarters(story: Story) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.tell("cycle/q2", CyclePlanned("Q2", date(2026, 4, 1), date(2026, 6, 30)))


async def summary(story: Story, id: str, **asked: Any) -> dict[str, Any]:
    await story.arrive()
    found: dict[str, Any] = (await story.ask(f"/v1/cycles/{id}/summary", **asked))["summary"]
    return found


async def test_outcomes_grades_and_scores_of_the_goals_in_the_cycle(story: Story) -> None:
    quarters(story)
    for id, value in (("full", "10"), ("third", "3"), ("silent", None)):
        story.goal(id, (f"kr-{id}", TEN), cycle="q1")
        if value is not None:
            story.check_in(id, f"kr-{id}", value, at=at(6))
    story.goal("elsewhere", ("kr-e", TEN), cycle="q2")
    story.goal("draft", cycle="q1", active=False)
    story.later(at(20))
    story.tell("objective/full", ObjectiveClosed("achieved", grade=d("0.9"), suggested=d("1")))
    story.tell("objective/third", ObjectiveClosed("postponed", grade=d("0.3"), suggested=d("0.3")))
    found = await summary(story, "q1", as_of="2026-01-20T20:00:00Z")
    assert (found["name"], found["stage"], found["objectives"]) == ("Q1", "planned", 4)
    assert found["states"] == {"draft": 1, "active": 1, "closed": 2, "archived": 0}
    assert found["outcomes"] == {"achieved": 1, "partial": 0, "missed": 0, "dropped": 0, "postponed": 1}
    assert found["statuses"]["achieved"] == 1
    assert found["scores"] == {"many": 2, "mean": "0.65", "bands": [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]}
    assert found["grades"] == {"many": 2, "mean": "0.6", "bands": [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]}
    counts = {name: found["participation"][name] for name in ("on_time", "missed", "owners")}
    assert counts == {"on_time": 2, "missed": 4, "owners": 1}


async def test_what_was_carried_over_and_what_is_not_there_yet(story: Story) -> None:
    quarters(story)
    story.goal("old", ("kr-old", TEN), cycle="q1")
    before = story.recorded_at.isoformat()
    story.goal("new", ("kr-new", TEN), cycle="q2", carried_from="old")
    story.tell("objective/old", ObjectiveClosed("postponed"))
    story.tell("objective/old", ObjectiveCarriedOver("new", "q2"))
    old, new = await summary(story, "q1"), await summary(story, "q2")
    assert old["carried_over"] == [{"objective": "old", "into": "new", "cycle": "q2"}]
    assert (old["carried_in"], new["carried_in"], new["carried_over"]) == (0, 1, [])
    then = await summary(story, "q1", as_of=before)
    assert (then["carried_over"], then["states"]["active"], then["scores"]["mean"]) == ([], 1, None)
    empty = await story.get("/v1/cycles/nowhere/summary")
    assert (empty.status_code, empty.json()["code"]) == (404, "not_found")
