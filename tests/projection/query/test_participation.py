"""SPEC 6 over HTTP: who takes part, per unit and per pilot wave over weeks, pilots against the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.objective import ObjectiveClosed
from goal_ledger_contracts.person import PersonAdded, UnitJoined, UnitLeft
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import PilotWaveJoined, UnitCreated
from projection.query.story import TEN, Story

NAME = Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")
JANUARY = {"from": "2026-01-05", "to": "2026-02-01", "as_of": "2026-02-04T12:00:00Z"}
"""Four weeks from Monday to Sunday; due dates are their Fridays."""


def noon(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


def begin(story: Story) -> None:
    """Bo sits in the shop, beneath the company; Cy in the stores. The shop becomes a pilot in the second week."""
    story.tell("unit/all", UnitCreated("All"))
    for unit, person in (("shop", "bo"), ("stores", "cy")):
        story.tell(f"unit/{unit}", UnitCreated(unit.title(), "all"))
        story.tell(f"person/{person}", PersonAdded(NAME), UnitJoined(unit))
        story.goal(f"of-{person}", (f"kr-{person}", TEN), owner=f"person/{person}")


async def takes_part(story: Story, **asked: Any) -> dict[str, Any]:
    await story.arrive()
    return await story.ask("/v1/participation", **{**JANUARY, **asked})


def states(tallies: list[dict[str, Any]]) -> list[tuple[int, int, int, int]]:
    names = ("on_time", "late", "missed", "pending")
    return [tuple(one[name] for name in names) for one in tallies]  # type: ignore[misc]


async def test_due_dates_count_in_the_units_and_waves_that_their_owners_were_in(story: Story) -> None:
    begin(story)
    story.later(noon(13))
    story.tell("unit/shop", PilotWaveJoined("first"))
    for day in (8, 17, 29):
        story.check_in("of-bo", "kr-bo", "1", at=noon(day))
    body = await takes_part(story)
    assert [one["start"] for one in body["periods"]] == [
        "2026-01-05",
        "2026-01-12",
        "2026-01-19",
        "2026-01-26",
    ]
    assert body["periods"][-1]["end"] == "2026-02-01"
    units = {one["unit"]: one["periods"] for one in body["units"]}
    assert states(units["shop"]) == [(1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0)]
    assert states(units["stores"]) == [(0, 0, 1, 0)] * 4
    assert states(units["all"]) == states(body["all"])
    assert states(body["all"])[1] == (0, 1, 1, 0)
    (wave,) = body["waves"]
    assert wave["wave"] == "first"
    assert [one["due"] for one in wave["periods"]] == [one["due"] for one in body["pilots"]] == [0, 1, 1, 1]
    assert [one["due"] for one in body["rest"]] == [2, 1, 1, 1]
    assert [one["rate"] for one in body["all"]] == ["0.5"] * 4
    assert [one["rate"] for one in body["pilots"]] == [None, "1", "1", "1"]
    assert (body["all"][0]["owners"], body["all"][0]["owners_heard"]) == (2, 1)


async def test_who_moves_counts_where_they_sat_when_the_week_ended(story: Story) -> None:
    begin(story)
    story.later(noon(20))
    story.tell("person/bo", UnitLeft("shop"), UnitJoined("stores"))
    units = {one["unit"]: one["periods"] for one in (await takes_part(story))["units"]}
    assert [one["due"] for one in units["shop"]] == [1, 1, 0, 0]
    assert [one["due"] for one in units["stores"]] == [1, 1, 2, 2]


async def test_a_closed_goal_owed_until_it_was_closed_and_what_can_still_be_met_is_pending(
    story: Story,
) -> None:
    begin(story)
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    story.goal("done", ("kr", TEN), owner="unit/shop", cycle="q1")
    story.later(noon(15))
    story.tell("objective/done", ObjectiveClosed("achieved"))
    body = await takes_part(story, cycle="q1", as_of="2026-01-31T12:00:00Z")
    assert states(body["all"]) == [(0, 0, 1, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)]
    body = await takes_part(story, as_of="2026-01-31T12:00:00Z")
    assert states(body["all"])[-1] == (0, 0, 0, 2)
    assert body["all"][-1]["rate"] is None


async def test_periods_of_several_weeks_and_the_last_thirteen_weeks_by_default(story: Story) -> None:
    begin(story)
    body = await takes_part(story, every="P3W")
    assert [(one["start"], one["end"]) for one in body["periods"]] == [
        ("2026-01-05", "2026-01-25"),
        ("2026-01-26", "2026-02-01"),
    ]
    assert [one["due"] for one in body["all"]] == [6, 2]
    body = await story.ask("/v1/participation", as_of="2026-02-04T12:00:00Z")
    assert (len(body["periods"]), body["periods"][-1]["end"]) == (13, "2026-02-04")


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"from": "2026-02-02"}, "dates_reversed", "to"),
        ({"from": "yesterday"}, "bad_date", "from"),
        ({"to": "2026-02-30"}, "bad_date", "to"),
        ({"every": "P1D"}, "bad_period", "every"),
        ({"every": "P0W"}, "bad_period", "every"),
        ({"from": "1990-01-01"}, "too_many_periods", "every"),
        ({"cycle": "nowhere"}, "choice_unknown", "cycle"),
    ],
)
async def test_what_is_no_period_is_refused(
    story: Story, asked: dict[str, str], code: str, field: str
) -> None:
    begin(story)
    await story.arrive()
    refused = await story.get("/v1/participation", **{**JANUARY, **asked})
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, code, field)
