"""Both clocks, late reports, corrections, retractions; and a token that gives the same bytes again (SPEC 7)."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.objective import CheckInCorrected, CheckInRetracted, PartValue
from goal_ledger_contracts.position import Position
from projection.query.conftest import Reading
from projection.query.story import START, TEN, Story, d


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 2, day, hour, tzinfo=UTC)


async def score(story: Story, **clocks: str) -> str | None:
    body = await story.ask("/v1/key-results/kr", **clocks)
    found: str | None = body["key_result"]["score"]
    return found


async def test_a_late_report_slots_in_where_it_belongs(story: Story) -> None:
    story.goal("o", ("kr", TEN))
    story.later(at(10))
    story.check_in("o", "kr", "6", at=at(9))
    before = await story.arrive()
    story.check_in("o", "kr", "2", at=at(5))
    await story.arrive()
    assert await score(story) == "0.6"
    assert await score(story, as_of=at(6).isoformat()) == "0.2"
    assert await score(story, as_of=at(6).isoformat(), known_at=before) is None
    assert await score(story, as_of=at(4).isoformat()) is None


async def test_a_correction_restates_what_followed_and_the_old_answer_can_still_be_had(story: Story) -> None:
    story.goal("o", ("kr", TEN))
    story.later(at(10))
    story.check_in("o", "kr", "6", at=at(9), id="ci")
    before = await story.arrive()
    corrected = CheckInCorrected("ci", "kr", (PartValue("value", d("3")),))
    story.tell("objective/o", corrected, at=at(7), reason="Mistyped")
    await story.arrive()
    assert await score(story) == "0.3"
    assert await score(story, as_of=at(8).isoformat()) == "0.3"
    assert await score(story, known_at=before) == "0.6"
    story.tell("objective/o", CheckInRetracted("ci", "kr"), reason="Never happened")
    await story.arrive()
    assert await score(story) is None
    assert await score(story, known_at=before) == "0.6"


async def test_a_later_recorded_value_wins_at_the_same_time(story: Story) -> None:
    story.goal("o", ("kr", TEN))
    story.later(at(10))
    story.check_in("o", "kr", "6", at=at(9))
    story.check_in("o", "kr", "7", at=at(9))
    await story.arrive()
    assert await score(story) == "0.7"


async def test_a_token_gives_the_same_bytes_after_later_facts(story: Story, reading: Reading) -> None:
    story.goal("o", ("kr", TEN))
    story.check_in("o", "kr", "6")
    await story.arrive()
    paths = ("/v1/objectives/o", "/v1/key-results/kr", "/v1/alignment", "/v1/objectives", "/v1/facts")
    first = {path: (await story.get(path)).content for path in paths}
    tokens = {path: (await story.ask(path))["token"] for path in paths}
    story.check_in("o", "kr", "9")
    story.goal("p", ("kr-p", TEN))
    await story.arrive()
    reading.clock.now += timedelta(days=40)
    for path in paths:
        assert (await story.get(path)).content != first[path]
        assert (await story.get(path, token=tokens[path])).content == first[path]


async def test_within_some_seconds_and_without_new_facts_an_answer_is_the_same_bytes(
    story: Story, reading: Reading
) -> None:
    story.goal("o", ("kr", TEN))
    await story.arrive()
    one = await story.get("/v1/alignment")
    reading.clock.now += timedelta(seconds=9)
    again = await story.get("/v1/alignment", headers={"If-None-Match": one.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    reading.clock.now += timedelta(seconds=2)
    assert (await story.get("/v1/alignment")).json()["as_of"] == "2026-06-01T00:00:10.000000Z"


async def test_now_is_never_before_the_last_fact(story: Story, reading: Reading) -> None:
    story.goal("o", ("kr", TEN))
    story.later(datetime(2026, 6, 1, 0, 0, 5, tzinfo=UTC))
    story.check_in("o", "kr", "6")
    await story.arrive()
    reading.clock.now = datetime(2026, 6, 1, 0, 1, 4, tzinfo=UTC)
    assert await score(story) == "0.6"


async def test_a_known_at_given_as_a_time_is_resolved_to_the_highest_position_recorded_by_then(
    story: Story,
) -> None:
    story.goal("o", ("kr", TEN))
    await story.arrive()
    third = story.facts[2].recorded_at
    answer = await story.ask("/v1/facts", known_at=third.isoformat())
    assert (answer["position"], len(answer["items"])) == ("1-3", 3)
    just_before = (third - timedelta(microseconds=1)).isoformat()
    assert (await story.ask("/v1/facts", known_at=just_before))["position"] == "1-2"
    assert (await story.ask("/v1/facts", known_at=(START - timedelta(1)).isoformat()))["position"] == "1-0"


async def test_a_known_at_in_the_future_or_too_recent_is_refused_unless_it_is_a_position(
    story: Story, reading: Reading
) -> None:
    position = await story.arrive()
    for ahead in (timedelta(seconds=5), timedelta(seconds=-9), timedelta(days=3)):
        answer = await story.get("/v1/cycles", known_at=(reading.clock.now + ahead).isoformat())
        assert (answer.status_code, answer.json()["code"]) == (422, "known_at_too_recent")
    assert (await story.ask("/v1/cycles", known_at=position))["position"] == position


async def test_what_is_not_folded_yet_is_waited_for_or_refused_with_how_far_behind(story: Story) -> None:
    await story.arrive()
    newest = len(story.facts)
    ahead = str(Position(1, newest + 2))
    answer = await story.get("/v1/cycles", headers={"Goal-Ledger-Position": ahead})
    assert (answer.status_code, answer.json()["code"], answer.json()["behind"]) == (503, "not_yet", 2)
    assert answer.headers["Retry-After"] == "1"
    story.goal("o", ("kr", TEN))
    waiting = story.get("/v1/cycles", headers={"Goal-Ledger-Position": ahead}, wait_ms=5000)

    asked = asyncio.create_task(waiting)
    await asyncio.sleep(0)
    await story.arrive()
    answer = await asked
    assert answer.status_code == 200
    assert answer.headers["Goal-Ledger-Position"] == f"1-{len(story.facts)}"


async def test_clocks_that_cannot_be_read_are_refused(story: Story) -> None:
    await story.arrive()
    for params in (
        {"as_of": "yesterday"},
        {"as_of": "2026-01-01T00:00:00"},
        {"known_at": "1"},
        {"token": "abc"},
        {"token": "1-1_20260101T000000000000Z_1", "as_of": "2026-01-01T00:00:00Z"},
        {"asof": "2026-01-01T00:00:00Z"},
    ):
        answer = await story.get("/v1/cycles", **params)
        assert answer.status_code == 422, (params, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
async def spring(story: Story) -> Story:
    """Oslo: a goal with a check-in on 1 March at 23:30 local time, in a cycle of its own."""
    story.tell("cycle/spring", CyclePlanned("Spring", date(2026, 3, 1), date(2026, 4, 30)))
    story.goal("o", ("kr", TEN), cycle="spring")
    story.later(datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
    story.check_in("o", "kr", "6")
    await story.arrive()
    return story


@pytest.mark.parametrize(
    ("as_of", "comes_to"),
    [
        ("2026-03-01", "2026-03-01T22:59:59.999999Z"),
        ("2026-03-29", "2026-03-29T21:59:59.999999Z"),
        ("spring.start", "2026-02-28T23:00:00.000000Z"),
        ("spring.end", "2026-04-30T21:59:59.999999Z"),
        ("-P1W", "2026-05-25T00:00:00.000000Z"),
        ("-P3M", "2026-03-01T01:00:00.000000Z"),
    ],
)
async def test_as_of_may_be_written_by_the_calendar_and_says_what_it_came_to(
    spring: Story, as_of: str, comes_to: str
) -> None:
    """The clock stands at 2026-06-01 02:00 in Oslo, in summer time."""
    said = await spring.ask("/v1/objectives/o", as_of=as_of)
    assert said["as_of"] == comes_to
    assert (await spring.ask("/v1/objectives/o", as_of=comes_to)) == said
    assert (await spring.ask("/v1/objectives/o", token=said["token"])) == said


async def test_the_end_of_a_day_holds_what_was_said_on_it(spring: Story) -> None:
    assert await score(spring, as_of="2026-03-01") == "0.6"
    assert await score(spring, as_of="2026-02-28") is None


async def test_known_at_may_be_written_by_the_calendar(spring: Story) -> None:
    everything = f"1-{len(spring.facts)}"
    for known_at, position in (("2026-03-01", everything), ("2026-02-28", f"1-{len(spring.facts) - 1}")):
        assert (await spring.ask("/v1/objectives/o", known_at=known_at))["position"] == position
    assert (await spring.ask("/v1/facts", known_at="-P1D"))["position"] == everything
    assert (await spring.ask("/v1/facts", known_at="spring.start"))[
        "position"
    ] == f"1-{len(spring.facts) - 1}"
    ahead = await spring.get("/v1/objectives/o", known_at="2026-06-01")
    assert (ahead.status_code, ahead.json()["code"]) == (422, "known_at_too_recent")


async def test_pages_hold_together_at_clocks_written_by_the_calendar(spring: Story) -> None:
    first = await spring.ask("/v1/facts", as_of="-P1W", limit=2)
    second = await spring.ask("/v1/facts", as_of="-P1W", limit=2, cursor=first["next_cursor"])
    assert (second["as_of"], second["items"][0]["seq"]) == (first["as_of"], 3)
    other = await spring.get("/v1/facts", as_of="-P2W", limit=2, cursor=first["next_cursor"])
    assert (other.status_code, other.json()["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize(
    ("as_of", "code"),
    [
        ("2026-02-30", "bad_instant"),
        ("-P", "bad_instant"),
        ("-1W", "bad_instant"),
        ("-P9000Y", "bad_instant"),
        ("-P9999999999D", "bad_instant"),
        ("0001-01-01", "bad_instant"),
        ("autumn.end", "choice_unknown"),
        ("spring.middle", "bad_instant"),
    ],
)
async def test_what_the_calendar_does_not_hold_is_refused(spring: Story, as_of: str, code: str) -> None:
    answer = await spring.get("/v1/objectives/o", as_of=as_of)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, "as_of")
