"""A sequence number that has not arrived shows as a gap of its feed, until it arrives."""

from __future__ import annotations

from typing import Any

import pytest
from goal_ledger_contracts.feed import FeedRegistered, ReadingQuarantined, ReadingRecorded, ReadingRetracted
from projection.query.scored import at
from projection.query.story import Story, d


def numbered(id: str, sequence: str | None, source: str = "shop") -> ReadingRecorded:
    return ReadingRecorded(source, id, at(2), d("1"), "absolute", sequence=sequence)


def send(story: Story, *sequences: str | None, source: str = "shop") -> None:
    for sequence in sequences:
        story.tell("feed/f", numbered(f"{source}-{len(story.facts)}", sequence, source), at=at(2))


async def gaps(story: Story, **clocks: Any) -> dict[str, Any]:
    await story.arrive()
    found: dict[str, Any] = (await story.ask("/v1/feeds/f", **clocks))["feed"]["sequence_gaps"]
    return found


@pytest.fixture
def feed(story: Story) -> Story:
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.later(at(10))
    return story


async def test_missing_numbers_are_open_gaps_with_their_bounds_closed_by_late_arrivals(feed: Story) -> None:
    send(feed, "7", "8", "11", "15")
    before = f"1-{len(feed.facts)}"
    open_gaps = {
        "gaps": 2,
        "missing": "5",
        "items": [
            {"source": "shop", "after": "11", "before": "15"},
            {"source": "shop", "after": "8", "before": "11"},
        ],
    }
    assert await gaps(feed) == open_gaps
    send(feed, "9", "13")
    assert await gaps(feed) == {
        "gaps": 3,
        "missing": "3",
        "items": [
            {"source": "shop", "after": "13", "before": "15"},
            {"source": "shop", "after": "11", "before": "13"},
            {"source": "shop", "after": "9", "before": "11"},
        ],
    }
    send(feed, "10", "12", "14")
    assert await gaps(feed) == {"gaps": 0, "missing": "0", "items": []}
    assert await gaps(feed, known_at=before) == open_gaps


async def test_each_source_counts_for_itself_and_what_is_no_whole_number_not_at_all(feed: Story) -> None:
    send(feed, "1", "3", None, "x", "1.5", "-4", "0004")
    send(feed, "100", "9" * 64, source="till")
    found = await gaps(feed)
    assert found["gaps"] == 2
    assert found["items"] == [
        {"source": "shop", "after": "1", "before": "3"},
        {"source": "till", "after": "100", "before": "9" * 64},
    ]
    assert found["missing"] == str(1 + int("9" * 64) - 101)


async def test_a_number_that_came_is_no_gap_whatever_became_of_its_reading(feed: Story) -> None:
    send(feed, "1")
    held = ReadingQuarantined("shop", "q", at(3), d("8"), "absolute", "out_of_limits", sequence="2")
    feed.tell("feed/f", held, at=at(3))
    feed.tell("feed/f", numbered("r", "3"), at=at(2))
    feed.tell("feed/f", ReadingRetracted("shop", "r"), reason="Not ours")
    send(feed, "4", "4")
    assert (await gaps(feed))["gaps"] == 0


async def test_of_many_gaps_the_newest_are_shown_and_all_are_counted(feed: Story) -> None:
    send(feed, *(str(2 * n) for n in range(60)))
    found = await gaps(feed)
    assert (found["gaps"], found["missing"], len(found["items"])) == (59, "59", 20)
    assert found["items"][0] == {"source": "shop", "after": "116", "before": "118"}
