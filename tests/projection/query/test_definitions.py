"""Definitions as questions show them: descriptions, what was dropped and taken up, restarts, people who left."""

from __future__ import annotations

from goal_ledger_contracts.measures import Ranged, Zones
from goal_ledger_contracts.objective import KeyResultAdded, KeyResultReworded
from projection.query.story import Story, d


async def test_a_key_result_shows_its_description_and_the_texts_of_its_zones(story: Story) -> None:
    zones = Zones(target="Most know us")
    measure = Ranged(d("0"), d("3"), d("7"), d("10"), zones=zones)
    story.goal("shop")
    story.tell("objective/shop", KeyResultAdded("known", "Known", measure, description="By the agency"))
    before = str(await story.arrive())
    story.tell("objective/shop", KeyResultReworded("known", "Known in town"))
    await story.arrive()
    shown = await story.ask("/v1/key-results/known", known_at=before)
    assert shown["key_result"]["description"] == "By the agency"
    assert shown["key_result"]["measure"]["zones"] == {"target": "Most know us"}
    now = await story.ask("/v1/key-results/known")
    assert (now["key_result"]["text"], now["key_result"]["description"]) == ("Known in town", None)
    timeline = await story.ask("/v1/objectives/shop/timeline")
    assert timeline["items"][-1]["changes"] == [
        {"field": "key_results/known/description", "before": "By the agency", "after": None},
        {"field": "key_results/known/text", "before": "Known", "after": "Known in town"},
    ]
