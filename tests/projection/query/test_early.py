"""Asked about a moment before it existed, a key result has values but no score (SPEC 7)."""

from __future__ import annotations

from datetime import UTC, datetime

from goal_ledger_contracts.objective import (
    KeyResultAdded,
    ObjectiveActivated,
    ObjectiveArchived,
    ObjectiveClosed,
    ObjectiveReopened,
)
from projection.query.story import TEN, Story


def at(day: int) -> datetime:
    return datetime(2026, 2, day, 12, tzinfo=UTC)


EARLY = at(3).isoformat()


async def test_before_a_key_result_existed_it_has_values_but_no_score(story: Story) -> None:
    story.goal("o", ("old", TEN))
    story.later(at(10))
    story.tell("objective/o", KeyResultAdded("kr", "Text of kr", TEN))
    before = await story.arrive()
    noted = story.check_in("o", "kr", "6", at=at(2))
    await story.arrive()

    one = (await story.ask("/v1/key-results/kr", as_of=EARLY))["key_result"]
    part = one["parts"][0]
    assert (part["value"], part["evidence"]) == ("6", [str(noted.event_id)])
    assert (one["state"], part["state"]) == ("not_defined_yet", "not_defined_yet")
    assert [one[name] for name in ("raw", "score", "score_committed", "reached", "gap")] == [None] * 5
    assert one["committed"] is None
    assert (await story.ask("/v1/key-results/kr"))["key_result"]["score"] == "0.6"

    then = (await story.ask("/v1/objectives/o", as_of=EARLY))["objective"]
    assert [(kr["id"], kr["score"], kr["parts"][0]["value"]) for kr in then["key_results"]] == [
        ("old", None, None),
        ("kr", None, "6"),
    ]
    assert (then["score"], then["counted"]) == (None, [])
    unnoted = (await story.ask("/v1/objectives/o", as_of=EARLY, known_at=before))["objective"]
    assert [kr["id"] for kr in unnoted["key_results"]] == ["old"]
    assert (await story.ask("/v1/key-results/kr", as_of=EARLY, known_at=before))["key_result"]["parts"][0][
        "value"
    ] is None


async def test_progress_begins_with_the_values_from_before_the_key_result_existed(story: Story) -> None:
    story.later(at(10))
    story.goal("o", ("kr", TEN))
    story.check_in("o", "kr", "2", at=at(2))
    story.check_in("o", "kr", "6", at=at(12))
    await story.arrive()
    points = (await story.ask("/v1/key-results/kr/progress"))["points"]
    assert [(one["values"]["value"], one["score"], one["state"]) for one in points[:2]] == [
        ("2", None, "not_defined_yet"),
        ("2", "0.2", "measured"),
    ]
    assert (points[-1]["values"]["value"], points[-1]["score"]) == ("6", "0.6")
    early = (await story.ask("/v1/key-results/kr/progress", as_of=EARLY))["points"]
    assert [(one["values"]["value"], one["score"]) for one in early] == [("2", None), ("2", None)]


async def test_a_key_result_that_was_added_after_a_closing_has_values_while_its_objective_was_closed(
    story: Story,
) -> None:
    def month(n: int, day: int = 1) -> datetime:
        return datetime(2026, n, day, 12, tzinfo=UTC)

    story.goal("o", ("old", TEN), active=False)
    story.tell("objective/o", ObjectiveClosed("dropped"), at=month(3))
    story.tell("objective/o", ObjectiveArchived(), at=month(4))
    story.tell("objective/o", ObjectiveReopened(), at=month(5), reason="Taken up again")
    story.tell("objective/o", ObjectiveActivated(), at=month(5))
    story.later(month(6))
    story.tell("objective/o", KeyResultAdded("kr", "Text of kr", TEN), reason="Thought of later")
    story.check_in("o", "kr", "4", at=month(2, 15))
    await story.arrive()

    for asked in (month(1), month(2, 20), month(3, 15), month(4, 15), month(5, 15)):
        one = (await story.ask("/v1/key-results/kr", as_of=asked.isoformat()))["key_result"]
        value = None if asked < month(2, 15) else "4"
        assert (one["parts"][0]["value"], one["score"], one["state"]) == (value, None, "not_defined_yet")
    closed = (await story.ask("/v1/objectives/o", as_of=month(3, 15).isoformat()))["objective"]
    assert [(kr["id"], kr["score"]) for kr in closed["key_results"]] == [("old", None), ("kr", None)]
    points = (await story.ask("/v1/key-results/kr/progress", **{"from": month(3, 15).isoformat()}))["points"]
    assert [(point["values"]["value"], point["score"]) for point in points] == [
        ("4", None),
        ("4", "0.4"),
        ("4", "0.4"),
    ]


async def test_before_an_objective_existed_it_is_shown_without_a_score(story: Story) -> None:
    story.later(at(10))
    before = await story.arrive()
    story.goal("o", ("kr", TEN), ("silent", TEN))
    story.check_in("o", "kr", "2", at=at(2))
    await story.arrive()
    one = (await story.ask("/v1/objectives/o", as_of=EARLY))["objective"]
    assert (one["title"], one["score"], one["score_committed"]) == ("Title of o", None, None)
    assert [(kr["id"], kr["score"], kr["parts"][0]["value"]) for kr in one["key_results"]] == [
        ("kr", None, "2")
    ]
    assert (await story.ask("/v1/objectives", as_of=EARLY))["items"] == []
    assert (await story.ask("/v1/alignment", as_of=EARLY))["nodes"] == []
    unknown = await story.get("/v1/objectives/o", known_at=before)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    unknown = await story.get("/v1/key-results/kr", known_at=before)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
