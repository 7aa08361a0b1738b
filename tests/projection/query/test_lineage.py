"""A goal through its cycles: `GET /v1/objectives/{id}/lineage`."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from goal_ledger_contracts.measures import Checklist, Increase, Step
from goal_ledger_contracts.objective import (
    KeyResultAdded,
    MeasureChanged,
    ObjectiveActivated,
    ObjectiveCarriedOver,
    ObjectiveClosed,
    ObjectiveDrafted,
)
from goal_ledger_projection.api import lineage
from history.lives import Life
from projection.query.asked_lives import told
from projection.query.conftest import Reading
from projection.query.story import TEN, Story, d
from reading.log import Json, Log, read

LIVES = (1, 9, 23, 34)


def _to(target: str) -> Increase:
    return Increase(d(target), d("0"))


async def test_a_goal_carried_over_twice_tells_what_is_left_of_its_ambition(story: Story) -> None:
    steps = Checklist((Step("a", "A"), Step("b", "B")))
    story.goal("one", ("k1", TEN), ("list1", steps), ("gone", TEN))
    lower = story.tell("objective/one", MeasureChanged("k1", _to("8")), reason="Less")
    story.tell("objective/one", ObjectiveClosed("partial", d("0.5")))
    for old, new, target in (("one", "two", "9"), ("two", "three", "6")):
        suffix = {"one": "1", "two": "2", "three": "3"}
        story.tell(f"objective/{new}", ObjectiveDrafted("Again", "unit/all", carried_from=old))
        for name, measure in (("k", _to(target)), ("list", steps)):
            was, into = f"{name}{suffix[old]}", f"{name}{suffix[new]}"
            story.tell(f"objective/{new}", KeyResultAdded(into, name, measure, carried_from=was))
        story.tell(f"objective/{new}", ObjectiveActivated())
        carried = story.tell(f"objective/{old}", ObjectiveCarriedOver(new))
    await story.arrive()

    body = await story.ask("/v1/objectives/two/lineage")
    lineage.LineageAnswer.model_validate(body)

    assert [one["objective"] for one in body["objectives"]] == ["one", "two", "three"]
    assert (body["carried_over"], body["lowered"], body["ambition_kept"]) == (2, 2, "0.533333333333")
    assert (body["objectives"][0]["grade"], body["objectives"][1]["carried_by"]) == (
        "0.5",
        str(carried.event_id),
    )
    k, steps_of, gone = body["key_results"]
    assert (k["key_results"], k["lowered"], k["ambition_kept"]) == (["k1", "k2", "k3"], 2, "0.6")
    assert [one["lowered"] for one in k["measures"]] == [False, True, False, True]
    assert k["measures"][1]["set_by"] == str(lower.event_id)
    assert (steps_of["ambition_kept"], gone["ambition_kept"]) == ("1", "0")
    assert {one["event_id"] for one in body["facts"]} >= {str(lower.event_id), str(carried.event_id)}
    for id in ("one", "three"):
        assert (await story.ask(f"/v1/objectives/{id}/lineage"))["key_results"] == body["key_results"]
    assert (await story.get("/v1/objectives/none/lineage")).status_code == 404


class Naively:
    """A lineage looked up in the facts."""

    def __init__(self, log: Log, objective: str) -> None:
        drafted = {one["stream"].partition("/")[2]: one for one in log if one["type"] == "ObjectiveDrafted"}
        chain = [objective]
        while (before := drafted[chain[0]]["data"].get("carried_from")) is not None:
            chain.insert(0, before)
        while into := [
            one["data"]["into"]
            for one in log
            if one["stream"] == f"objective/{chain[-1]}" and one["type"] == "ObjectiveCarriedOver"
        ]:
            chain.append(into[-1])
        self.log, self.chain = log, chain

    def of(self, id: str) -> Log:
        return [one for one in self.log if one["stream"] == f"objective/{id}"]

    def measures(self, id: str, key_result: str) -> list[Json]:
        """From the first activation on: the one then, and each change; of one never activated the last."""
        facts = self.of(id)
        active = next((one["seq"] for one in facts if one["type"] == "ObjectiveActivated"), None)
        mine = [
            one for one in facts if one["data"].get("key_result") == key_result and "measure" in one["data"]
        ]
        if active is None:
            return [mine[-1]["data"]["measure"]]
        early = [one for one in mine if one["seq"] < active][-1:]
        return [one["data"]["measure"] for one in [*early, *(one for one in mine if one["seq"] > active)]]

    def key_results(self) -> list[tuple[list[str], int]]:
        """By lineage its ids, and how often it was lowered."""
        added = {
            id: [one["data"] for one in self.of(id) if one["type"] == "KeyResultAdded"] for id in self.chain
        }
        found = []
        for n, id in enumerate(self.chain):
            for one in added[id]:
                if n and one.get("carried_from") is not None:
                    continue
                ids, many = [one["key_result"]], self.measures(id, one["key_result"])
                for later in self.chain[n + 1 :]:
                    into = [new["key_result"] for new in added[later] if new.get("carried_from") == ids[-1]]
                    if not into:
                        break
                    ids.append(into[0])
                    many += self.measures(later, into[0])
                found.append((ids, sum(_eased(a, b) for a, b in pairwise(many))))
        return found


def _eased(before: Any, after: Any) -> bool:
    if before["kind"] != after["kind"]:
        return False
    match before["kind"]:
        case "increase":
            return Fraction(after["target"]) < Fraction(before["target"])
        case "decrease":
            return Fraction(after["target"]) > Fraction(before["target"])
        case "stay_below":
            return Fraction(after["limit"]) > Fraction(before["limit"])
        case "stay_above":
            return Fraction(after["limit"]) < Fraction(before["limit"])
        case "stay_between":
            wide = [Fraction(one["high"]) - Fraction(one["low"]) for one in (before, after)]
            return wide[1] > wide[0]
        case "reach" | "ranged":
            if before.get("baseline") is None or before["baseline"] != after.get("baseline"):
                return False
            far = [abs(Fraction(one["target"]) - Fraction(one["baseline"])) for one in (before, after)]
            return far[1] < far[0]
    return False


@pytest.mark.parametrize("seed", LIVES)
async def test_it_is_what_the_facts_say(reading: Reading, seed: int) -> None:
    life = Life(seed, 110)
    asked = await told(reading, life)
    log = read(life.stored)
    for goal in life.goals:
        by_hand = Naively(log, goal.id)
        body = (await asked.get(f"/v1/objectives/{goal.id}/lineage")).json()
        assert [one["objective"] for one in body["objectives"]] == by_hand.chain
        assert body["carried_over"] == len(by_hand.chain) - 1
        found = {tuple(one["key_results"]): one["lowered"] for one in body["key_results"]}
        assert found == {tuple(ids): lowered for ids, lowered in by_hand.key_results()}, (seed, goal.id)
