"""The grid: goals × dates in one answer, each cell what the questions answer at that date."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from goal_ledger_projection.api import grid
from projection.query.story import START, Story
from projection.query.test_lists import furnished

CELL = ("score", "score_committed", "score_difference", "expected", "status")


@pytest.mark.parametrize("known", ["now", "then"])
async def test_a_cell_is_what_is_answered_at_that_date(story: Story, known: str) -> None:
    furnished(story)
    await story.arrive()
    first = START + timedelta(minutes=20)
    asked = {"every": "P1D", "from": first.isoformat(), "to": (START + timedelta(days=6)).isoformat()}
    body = await story.ask("/v1/grid", known=known, **asked)
    assert [one["as_of"] for one in body["dates"]] == [
        f"{first + timedelta(days=n):%Y-%m-%dT%H:%M:%S.%fZ}" for n in range(6)
    ]
    for column, date in enumerate(body["dates"]):
        cells = {one["subject"]: one["cells"][column] for one in body["rows"]}
        answered = await _answered(story, date)
        assert answered and answered.keys() == {name for name, one in cells.items() if one is not None}
        for subject, answer in answered.items():
            assert {name: cells[subject][name] for name in CELL} == {name: answer[name] for name in CELL}
    raw = next(one for one in body["rows"] if one["subject"] == "key-result/visits")["cells"][-1]["raw"]
    whole = await story.ask(
        "/v1/key-results/visits", as_of=body["dates"][-1]["as_of"], known_at=body["dates"][-1]["known_at"]
    )
    assert raw == whole["key_result"]["raw"]


async def _answered(story: Story, clocks: dict[str, str]) -> dict[str, dict[str, Any]]:
    goals = (await story.ask("/v1/objectives", limit=200, **clocks))["items"]
    listed = (await story.ask("/v1/key-results", **clocks))["items"]
    return {f"objective/{one['id']}": one for one in goals} | {
        f"key-result/{one['id']}": one for one in listed
    }


async def test_rows_are_filtered_and_dates_may_be_named(story: Story) -> None:
    furnished(story)
    await story.arrive()
    dates = "2026-01-06T00:00:00Z,2026-02-01T00:00:00Z"
    body = await story.ask("/v1/grid", dates=dates, of="objectives", cycle="q1")
    assert len(body["dates"]) == 2 and {one["subject"] for one in body["rows"]} == {
        f"objective/{one['id']}" for one in (await story.ask("/v1/objectives", cycle="q1"))["items"]
    }
    again = await story.get("/v1/grid", token=body["token"], dates=dates, of="objectives", cycle="q1")
    assert again.json() == body


async def test_dates_may_be_written_by_the_calendar(story: Story) -> None:
    furnished(story)
    await story.arrive()
    dates = [one["as_of"] for one in (await story.ask("/v1/grid", dates="q1.start,2026-01-31,-P1D"))["dates"]]
    told = [
        (await story.ask("/v1/objectives", as_of=one))["as_of"] for one in ("q1.start", "2026-01-31", "-P1D")
    ]
    assert dates == sorted(told)
    weekly = await story.ask("/v1/grid", **{"every": "P1W", "from": "q1.start", "to": "2026-01-31"})
    assert weekly["dates"][0]["as_of"] == told[0]


async def test_months_are_counted_from_the_first_date(story: Story) -> None:
    await story.arrive()
    asked = {"every": "P1M", "from": "2026-01-31T12:00:00Z", "to": "2026-05-31T12:00:00Z"}
    days = [one["as_of"][5:10] for one in (await story.ask("/v1/grid", **asked))["dates"]]
    assert days == ["01-31", "02-28", "03-31", "04-30", "05-31"]


@pytest.mark.parametrize(
    "params, code",
    [
        ({}, "invalid"),
        ({"every": "P1W"}, "invalid"),
        ({"every": "P0D", "from": "2026-01-06T00:00:00Z"}, "invalid"),
        ({"every": "weekly", "from": "2026-01-06T00:00:00Z"}, "invalid"),
        ({"every": "P1W", "from": "2026-03-06T00:00:00Z", "to": "2026-01-06T00:00:00Z"}, "dates_reversed"),
        ({"every": "P1W", "from": "2026-03-06T00:00:00Z", "to": "2027-01-06T00:00:00Z"}, "invalid"),
        ({"every": "PT1S", "from": "2026-01-06T00:00:00Z"}, "too_many_cells"),
        ({"dates": "2026-01-06,tomorrow"}, "bad_instant"),
        ({"dates": "no-such-cycle.end"}, "choice_unknown"),
        ({"dates": "2026-01-06T00:00:00Z", "every": "P1W"}, "invalid"),
        ({"dates": "2026-01-06T00:00:00Z", "unit": "none"}, "choice_unknown"),
    ],
)
async def test_what_is_no_grid_is_refused(story: Story, params: dict[str, str], code: str) -> None:
    await story.arrive()
    answer = await story.get("/v1/grid", **params)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_too_many_cells_are_refused_with_the_limit(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished(story)
    await story.arrive()
    monkeypatch.setattr(grid, "CELLS_MAX", 5)
    answer = await story.get("/v1/grid", dates="2026-01-06T00:00:00Z,2026-02-01T00:00:00Z")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["limit"]) == (422, "too_many_cells", 5)
    assert "/v1/exports/scores" in problem["detail"]
