"""A series holds every change or says how many it left out, and begins with what was in force at its left edge."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.feed import FeedRegistered, ReadingRecorded
from goal_ledger_contracts.measures import Aligned, Increase, Window
from goal_ledger_contracts.objective import (
    CheckInCorrected,
    KeyResultAdded,
    ObjectiveActivated,
    ObjectiveAligned,
    ObjectiveArchived,
    ObjectiveClosed,
    ObjectiveReopened,
    PartBound,
    PartValue,
)
from goal_ledger_projection.history import progress_times
from projection.query.story import START, TEN, Story, d
from projection.query.test_brought_up_to_date import Chance

NOVEMBER = datetime(2026, 11, 30, tzinfo=UTC)


def at(day: int, hour: int = 0, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def read(story: Story, *many: tuple[datetime, str]) -> None:
    for time, value in many:
        data = ReadingRecorded("shop", f"r{len(story.facts)}", time, d(value), "absolute")
        story.tell("feed/f", data, at=time)


def a_fed_key_result(story: Story) -> None:
    story.tell("feed/f", FeedRegistered("webshop", "gauge"))
    story.goal("o", ("kr", TEN))
    story.tell("objective/o", PartBound("kr", "value", "f", "last"))
    story.later(at(7))


async def series(story: Story, id: str = "kr", **params: Any) -> dict[str, Any]:
    await story.arrive()
    return await story.ask(f"/v1/key-results/{id}/progress", **params)


def values(answer: dict[str, Any]) -> list[Any]:
    return [point["values"]["value"] for point in answer["points"]]


PEAKS = ((at(5), "10"), (at(5, 8), "90"), (at(5, 15), "20"), (at(6, 1), "95"), (at(6, 3), "30"))


@pytest.mark.parametrize("as_of", [at(1, month=3), NOVEMBER])
async def test_every_change_of_a_fed_key_result_has_a_point_whenever_it_is_asked_for(
    story: Story, as_of: datetime
) -> None:
    a_fed_key_result(story)
    read(story, *PEAKS)
    answer = await series(story, as_of=as_of.isoformat())
    assert values(answer)[-6:] == ["10", "90", "20", "95", "30", "30"]
    assert (answer["thinned"], answer["left_out"]) == (False, 0)


@pytest.mark.parametrize("points", [2, 3, 12, 250])
async def test_of_many_readings_the_last_of_each_step_of_time_has_a_point(
    story: Story, monkeypatch: pytest.MonkeyPatch, points: int
) -> None:
    monkeypatch.setattr(progress_times, "EACH_MAX", 50)
    a_fed_key_result(story)
    times = [at(2) + timedelta(minutes=17 * n) for n in range(300)]
    read(story, *((time, str(n)) for n, time in enumerate(times)))
    period = {"from": at(1).isoformat(), "to": at(6).isoformat()}
    answer = await series(story, points=points, **period)
    shown = [datetime.fromisoformat(point["at"]) for point in answer["points"]]
    assert (shown[0], shown[-1]) == (at(1), at(6)) and len(set(shown)) == len(shown) <= points
    inner = set(shown[1:-1])
    assert inner <= set(times) and answer["left_out"] == len(times) - len(inner)
    assert values(answer) == [None, *(str(times.index(one)) for one in shown[1:-1]), "299"]
    assert points < 3 or times[0] in inner
    assert points < 4 or times[-1] in inner
    longest = (at(6) - times[0]) / max(points - 3, 1) + timedelta(hours=2)
    assert points < 4 or all(b - a <= longest for a, b in pairwise(shown[1:-1]))


async def test_a_period_that_is_over_is_the_same_whenever_it_is_asked_for(story: Story) -> None:
    a_fed_key_result(story)
    read(story, *((at(5) + timedelta(minutes=n), str(n % 7)) for n in range(300)))
    period = {"from": at(5, 1).isoformat(), "to": at(5, 4).isoformat()}
    asked = [
        await series(story, points=points, as_of=as_of.isoformat(), **period)
        for points in (40, 1000)
        for as_of in (at(1, month=3), NOVEMBER)
    ]
    assert asked[0]["points"] == asked[1]["points"] and asked[2]["points"] == asked[3]["points"]
    # 179 readings lie between the edges, which have points of their own
    assert [(len(one["points"]), one["thinned"], one["left_out"]) for one in asked[1:3]] == [
        (40, True, 141),
        (181, False, 0),
    ]


async def test_a_series_begins_with_the_value_in_force_at_its_left_edge(story: Story) -> None:
    a_fed_key_result(story)
    read(story, *PEAKS)
    of_a_day = await series(story, **{"from": at(5, 12).isoformat(), "to": at(6).isoformat()})
    assert [(p["at"][8:13], p["values"]["value"]) for p in of_a_day["points"]] == [
        ("05T12", "90"),
        ("05T15", "20"),
        ("06T00", "20"),
    ]
    quiet = await series(story, **{"from": at(5, 9).isoformat(), "to": at(5, 14).isoformat()})
    assert values(quiet) == ["90", "90"]
    instant = await series(story, **{"from": at(5, 9).isoformat(), "to": at(5, 9).isoformat()})
    assert values(instant) == ["90"]
    early = await series(story, **{"from": at(1, month=1).isoformat(), "to": at(2, month=1).isoformat()})
    assert [(p["state"], p["score"]) for p in early["points"]] == [("not_defined_yet", None)] * 2
    edges_alone = await series(story, points=2, **{"from": at(5, 9).isoformat(), "to": at(7).isoformat()})
    assert (values(edges_alone), edges_alone["left_out"]) == (["90", "30"], 3)


async def test_a_period_that_ends_before_it_begins_is_refused(story: Story) -> None:
    a_fed_key_result(story)
    await story.arrive()
    path = "/v1/key-results/kr/progress"
    reversed_ = {"from": at(9).isoformat(), "to": at(8).isoformat()}
    beyond = {"from": at(9).isoformat(), "as_of": at(8).isoformat()}
    for params in (reversed_, beyond):
        refused = await story.get(path, **params)
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
            422,
            "dates_reversed",
            "from",
        )


async def test_a_key_result_measured_by_others_has_a_point_wherever_one_of_those_changed(
    story: Story,
) -> None:
    story.goal("top", ("sum", Aligned()))
    story.goal("low", ("kr", TEN), active=False)
    story.tell("objective/low", ObjectiveAligned("l", "key-result/sum", "contributes"), ObjectiveActivated())
    story.later(at(20))
    for day, value in ((5, "1"), (6, "9"), (7, "2")):
        story.check_in("low", "kr", value, at=at(day))
    answer = await series(story, "sum")
    assert [point["score"] for point in answer["points"]][-4:] == ["0.1", "0.9", "0.2", "0.2"]
    assert (answer["thinned"], answer["left_out"]) == (False, 0)
    for day in range(8, 20):
        for hour in (1, 2, 3):
            story.check_in("low", "kr", str(hour), at=at(day, hour))
    answer = await series(story, "sum")
    assert (answer["thinned"], len(answer["points"])) == (True, 30)
    assert answer["left_out"] == 2 + 4 + 3 + 36 - 29


@pytest.mark.parametrize("seed", range(3))
async def test_between_two_points_of_a_series_nothing_changes(story: Story, seed: int) -> None:
    chance = Chance(story, 300 + seed)
    while len(story.facts) < 200:
        chance.step()
    await story.arrive()
    end = story.recorded_at + timedelta(minutes=5)
    for id in chance.random.sample(sorted({one for many in chance.key_results.values() for one in many}), 5):
        points = (await series(story, id, points=1000, **{"from": START.isoformat(), "to": end.isoformat()}))[
            "points"
        ]
        for _ in range(12):
            asked = START + (end - START) * chance.random.random()
            last = [one for one in points if datetime.fromisoformat(one["at"]) <= asked][-1]
            then = (await story.ask(f"/v1/key-results/{id}", as_of=asked.isoformat()))["key_result"]
            for member in ("raw", "score", "score_committed", "state"):
                assert last[member] == then[member], (id, asked, last["at"])


async def test_progress_keeps_the_score_of_each_closing_while_it_lasts_and_restates_what_was_before(
    story: Story,
) -> None:
    window = Window(start=START + timedelta(hours=1), end=START + timedelta(days=30))
    story.goal("o", ("k", Increase(d("10"), d("0"), window=window)))
    checked = story.check_in("o", "k", "2", at=START + timedelta(hours=2))
    story.later(START + timedelta(days=2))
    story.tell("objective/o", ObjectiveClosed("partial"))
    story.later(START + timedelta(days=4))
    corrected = CheckInCorrected("ci-7", "k", (PartValue("value", d("5")),))
    assert checked.data.check_in == corrected.check_in
    story.tell("objective/o", corrected, at=checked.effective_at, reason="Misread")
    story.tell("objective/o", ObjectiveReopened(), reason="Too soon")
    story.later(START + timedelta(days=6))
    story.check_in("o", "k", "7")
    story.tell("objective/o", ObjectiveClosed("partial"), reason="Done")
    story.later(START + timedelta(days=8))
    story.tell("objective/o", ObjectiveArchived())
    await story.arrive()
    points = (await story.ask("/v1/key-results/k/progress"))["points"]
    assert [p["score"] for p in points] == [None, None, "0.5", "0.2", "0.5", "0.7", "0.7", "0.7", "0.7"]
    for point in points:
        then = (await story.ask("/v1/key-results/k", as_of=point["at"]))["key_result"]
        for member in ("raw", "score", "score_committed", "expected", "state"):
            assert point[member] == then[member], (point["at"], member)


async def test_progress_before_a_key_result_existed_is_what_the_same_question_answers_too(
    story: Story,
) -> None:
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.goal("o", cycle="q1")
    story.later(START + timedelta(days=9))
    story.tell("objective/o", KeyResultAdded("k", "Late", TEN), reason="Thought of later")
    for day, value in ((-3, "1"), (4, "2"), (10, "3")):
        story.check_in("o", "k", value, at=START + timedelta(days=day))
    await story.arrive()
    points = (await story.ask("/v1/key-results/k/progress"))["points"]
    assert [one["values"]["value"] for one in points] == ["1", "2", "2", "3", "3"]
    for point in points:
        then = (await story.ask("/v1/key-results/k", as_of=point["at"]))["key_result"]
        for member in ("raw", "score", "score_committed", "expected", "state"):
            assert point[member] == then[member], (point["at"], member)
