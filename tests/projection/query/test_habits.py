"""Habits, back-tests and calibration, held to the naive reading of SPEC 5 to 7 on random lives, and told by example."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from goal_ledger_contracts.cycle import CycleClosed, CycleOpened, CyclePlanned
from goal_ledger_contracts.objective import ObjectiveClosed
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_projection.api import back_test, calibration, habits
from history.lives import Life
from projection.query.asked_lives import told
from projection.query.conftest import Reading
from projection.query.story import TEN, Story, d
from reading import naive
from reading.definitions import cycle_span, goal, rules
from reading.log import Json, Log, number, read
from reading.statuses import due_dates

LIVES = range(3)
TICK = timedelta(microseconds=1)


class Naively:
    """What is so of a cycle's goals, looked up due date by due date."""

    def __init__(self, log: Log, cycle: str, at: datetime) -> None:
        self.log, self.at, self.known = log, at, len(log)
        rule = rules(log, {"id": "", "owner": "person/nobody"}, at, self.known)
        span = cycle_span(log, cycle, at, self.known, rule["time_zone"])
        assert span is not None and span[0] is not None and span[1] is not None
        self.start, self.end = span[0], span[1]
        dues = {ends - TICK for ends, _ in due_dates(rule, self.end) if self.start < ends <= self.end}
        marks = {self.at_percent(50) - TICK, self.at_percent(85) - TICK, self.end - TICK}
        self.dues = sorted(one for one in dues if one <= at)
        self.times = sorted(one for one in dues | marks if one <= at)
        now = naive.objectives(log, at, self.known)
        self.goals = {id: one for id, one in now.items() if one["cycle"] == cycle}
        self.seen: dict[str, dict[datetime, Json]] = defaultdict(dict)
        for time in self.times:
            then = sum(fact["recorded_at"] <= time for fact in log)
            for id, one in naive.objectives(log, time, then).items():
                if one["state"] == "active" and id in self.goals and not self.is_over(id, time):
                    self.seen[id][time] = one

    def is_over(self, id: str, time: datetime) -> bool:
        now = goal(self.log, id, self.at, self.known)
        assert now is not None
        return now["closing"] is not None and now["closing"]["effective_at"] <= time

    def at_percent(self, percent: int) -> datetime:
        return self.start + (self.end - self.start) * percent / 100

    def at_dues(self, id: str) -> list[Json]:
        return [one for time, one in self.seen[id].items() if time in self.dues]

    def flags(self, id: str) -> set[str]:
        dues, seen = self.at_dues(id), self.seen[id]
        found = set()
        red = [one["status_stated"] == "on_track" and (one["gap"] or 0) >= 25 for one in dues]
        if any(a and b for a, b in pairwise(red)):
            found.add("watermelon")
        scores = [one["score"] for one in dues]
        rows = [scores[n : n + 4] for n in range(len(scores) - 3)]
        if any(row[0] is not None and row[0] < 1 and len(set(row)) == 1 for row in rows):
            found.add("frozen")
        if any(
            one["score"] is not None and one["score"] >= 1
            for time, one in seen.items()
            if time < self.at_percent(50)
        ):
            found.add("sandbag")
        silent = [one["status"] == "outdated" for one in dues]
        if silent[-2:] == [True, True] and not all(silent):
            found.add("fell_off")
        measured = [(time, one["score"]) for time, one in seen.items() if one["score"] is not None]
        early = [score for time, score in measured if time <= self.at_percent(85)]
        if early and measured[-1][0] >= self.at_percent(86):
            first, last = measured[0][1], measured[-1][1]
            if last > first and (last - early[-1]) * 2 >= last - first:
                found.add("hockey_stick")
        return found

    def warned(self, id: str, behind_points: int) -> datetime | None:
        for time in self.dues:
            one = self.seen[id].get(time)
            if one is not None and one["gap"] is not None and one["gap"] > max(behind_points, 5):
                return time
        return None

    def forecasts(self, id: str) -> list[tuple[Fraction, bool]]:
        goal, found = self.goals[id], []
        for one in self.at_dues(id) if goal["outcome"] in ("achieved", "partial", "missed") else ():
            if one["confidence"] is not None:
                found.append((Fraction(one["confidence"]), goal["outcome"] == "achieved"))
            for name, of_it in one["key_results"].items():
                reached = goal["key_results"][name]["reached"] if name in goal["key_results"] else None
                if of_it["confidence"] is not None and not of_it["dropped"] and reached is not None:
                    found.append((Fraction(of_it["confidence"]), reached))
        return found


@pytest.mark.parametrize("seed", LIVES)
async def test_they_are_what_the_naive_reading_says(reading: Reading, seed: int) -> None:
    life = Life(seed, 110)
    asked = await told(reading, life)
    by_hand = Naively(read(life.stored), "q1", life.now)
    clocks = {"cycle": "q1", "as_of": life.now.isoformat()}

    flagged = (await asked.get("/v1/habits", **clocks)).json()
    habits.HabitsAnswer.model_validate(flagged)
    flags = {one["objective"]: {flag["flag"] for flag in one["flags"]} for one in flagged["items"]}
    assert {id: flags.get(id, set()) for id in by_hand.goals} == {
        id: by_hand.flags(id) for id in by_hand.goals
    }
    assert all(flag["facts"] for one in flagged["items"] for flag in one["flags"])

    tried = (await asked.get("/v1/back-test", behind_points="60", **clocks)).json()
    back_test.BackTestAnswer.model_validate(tried)
    judged = {
        id: one for id, one in by_hand.goals.items() if one["outcome"] in ("achieved", "partial", "missed")
    }
    assert {one["objective"] for one in tried["items"]} == judged.keys()
    for one in tried["items"]:
        at = by_hand.warned(one["objective"], 60)
        short = judged[one["objective"]]["outcome"] != "achieved"
        assert (one["warned_at"] is None) == (at is None), (seed, one)
        if at is not None:
            assert datetime.fromisoformat(one["warned_at"]) == at
        expected = ("true_" if (at is not None) == short else "false_") + (
            "negative" if at is None else "positive"
        )
        assert one["verdict"] == expected

    curve = (await asked.get("/v1/calibration", **clocks)).json()
    calibration.CalibrationAnswer.model_validate(curve)
    forecasts = [each for id in by_hand.goals for each in by_hand.forecasts(id)]
    assert curve["forecasts"] == len(forecasts)
    if forecasts:
        squares = sum((confidence - came_true) ** 2 for confidence, came_true in forecasts)
        brier = number(curve["brier"])
        assert brier is not None and abs(brier - squares / len(forecasts)) <= Fraction(1, 2 * 10**12)


def _quarter(story: Story) -> None:
    story.tell("unit/all", UnitCreated("All"))
    story.tell("unit/web", UnitCreated("Web", "all"))
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)), CycleOpened())


def _weeks(story: Story, values: dict[int, str], **said: Any) -> None:
    """Values on Thursdays of these weeks: the due dates are Fridays."""
    for week, value in values.items():
        story.later(datetime(2026, 1, 8, 9, tzinfo=UTC) + timedelta(weeks=week))
        story.check_in("shop", "visits", value)
        story.check_in("shop", None, **said)


async def _flags(story: Story) -> dict[str, Any]:
    await story.arrive()
    body = await story.ask("/v1/habits", cycle="q1", as_of="2026-04-02T00:00:00Z")
    return {flag["flag"]: flag for one in body["items"] for flag in one["flags"]}


async def test_green_outside_and_red_within_is_a_watermelon(story: Story) -> None:
    _quarter(story)
    story.goal("shop", ("visits", TEN), cycle="q1", owner="unit/web")
    _weeks(story, {n: str(min(n, 2)) for n in range(12)}, status="on_track", confidence=d("0.9"))
    flags = await _flags(story)
    assert flags.keys() == {"watermelon", "frozen"}
    assert flags["watermelon"]["at"] == "2026-02-20T22:59:59.999999Z"
    assert d(flags["watermelon"]["value"]) >= 25
    assert flags["frozen"]["at"] == "2026-02-13T22:59:59.999999Z"


async def test_progress_at_the_very_end_is_a_hockey_stick(story: Story) -> None:
    _quarter(story)
    story.goal("shop", ("visits", TEN), cycle="q1")
    _weeks(story, {n: f"0.{n}" for n in range(1, 10)} | {11: "8"})
    assert (await _flags(story))["hockey_stick"]["value"] > "0.8"


async def test_reached_before_half_time_is_a_sandbag_and_silence_fell_off(story: Story) -> None:
    _quarter(story)
    story.goal("shop", ("visits", TEN), cycle="q1")
    _weeks(story, {0: "4", 1: "10", 2: "10"})
    flags = await _flags(story)
    assert flags.keys() == {"sandbag", "fell_off"}
    assert flags["sandbag"]["at"] == "2026-01-16T22:59:59.999999Z"


async def test_a_policy_is_tried_over_closed_cycles_and_its_lead_told(story: Story) -> None:
    _quarter(story)
    story.goal("shop", ("visits", TEN), cycle="q1", owner="unit/web")
    story.goal("good", ("k", TEN), cycle="q1", owner="person/ada")
    _weeks(story, {n: f"{n / 3:.2f}" for n in range(12)}, confidence=d("0.8"))
    story.later(datetime(2026, 3, 31, 12, tzinfo=UTC))
    missed = story.tell("objective/shop", ObjectiveClosed("missed"))
    story.check_in("good", "k", "10")
    story.tell("objective/good", ObjectiveClosed("achieved"))
    open_ = (await _after(story))["items"]
    story.tell("cycle/q1", CycleClosed())

    body = await _after(story, behind_points="15")
    warned_early = await _after(story, behind_points="15", warns="behind", unit="web")

    assert open_ == []
    shop = next(one for one in body["items"] if one["objective"] == "shop")
    assert (shop["verdict"], shop["lead_days"], shop["warned_at"]) == (
        "true_positive",
        66,
        "2026-01-23T22:59:59.999999Z",
    )
    assert str(missed.event_id) in shop["facts"]
    assert (body["tried"]["true_positive"], body["tried"]["mean_lead_days"]) == (1, "66")
    assert body["cycles"][0]["cycle"] == "q1"
    assert [one["objective"] for one in warned_early["items"]] == ["shop"]
    curve = await story.ask("/v1/calibration")
    assert [one["unit"] for one in curve["units"]] == ["all", "web"]
    assert (curve["curve"][0]["confidence"], curve["curve"][0]["came_true"], curve["brier"]) == (
        "0.8",
        0,
        "0.64",
    )


async def test_nobody_is_warned_after_a_closing_that_was_recorded_later(story: Story) -> None:
    _quarter(story)
    story.goal("shop", ("visits", TEN), cycle="q1", owner="unit/web")
    story.later(datetime(2026, 1, 6, 9, tzinfo=UTC))
    story.check_in("shop", "visits", "0")
    story.later(datetime(2026, 3, 31, 12, tzinfo=UTC))
    story.tell("objective/shop", ObjectiveClosed("missed"), at=datetime(2026, 1, 7, 12, tzinfo=UTC))
    story.tell("cycle/q1", CycleClosed())

    (shop,) = (await _after(story, behind_points="5"))["items"]

    assert (shop["verdict"], shop["warned_at"], shop["lead_days"]) == ("false_negative", None, None)


async def _after(story: Story, **params: Any) -> Any:
    await story.arrive()
    return await story.ask("/v1/back-test", as_of="2026-05-01T00:00:00Z", **params)


async def test_what_cannot_be_tried_is_refused_with_a_code(story: Story) -> None:
    await story.arrive()
    for path, params, code, field in (
        ("/v1/habits", {}, "invalid", "cycle"),
        ("/v1/habits", {"cycle": "none"}, "choice_unknown", "cycle"),
        ("/v1/back-test", {"unit": "none"}, "choice_unknown", "unit"),
        ("/v1/back-test", {"behind_points": "101"}, "invalid", "behind_points"),
        ("/v1/back-test", {"behind_points": "NaN"}, "invalid", "behind_points"),
        ("/v1/back-test", {"behind_points": "1", "on_track_points": "2"}, "bands_reversed", "behind_points"),
        ("/v1/back-test", {"warns": "pending"}, "invalid", "warns"),
        ("/v1/calibration", {"cycle": "none"}, "choice_unknown", "cycle"),
    ):
        refused = (await story.get(path, **params)).json()
        assert (refused["status"], refused["code"], refused["field"]) == (422, code, field), (path, params)
