"""A closing suggests the goal's score as its grade; a withholding must name a personal text that is there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from goal_ledger_command import preparing
from goal_ledger_command.closings import Closings

from command.service import Organisation, assert_problem

MEASURE = {"kind": "increase", "baseline": "0", "target": "3"}


async def _measured(org: Organisation, objective: str, value: str, **link: Any) -> None:
    """An active objective whose one key result is at value / 3."""
    await org.given(
        ("/v1/objectives", {"id": objective, "title": objective, "owner": "person/ada"}),
        (
            f"/v1/objectives/{objective}/key-results",
            {"id": f"{objective}-kr", "text": "3", "measure": MEASURE},
        ),
        *([(f"/v1/objectives/{objective}/align", link)] if link else []),
        (f"/v1/objectives/{objective}/activate", {}),
        (f"/v1/key-results/{objective}-kr/check-ins", {"values": [{"value": value}]}),
    )


async def _closing(org: Organisation, objective: str) -> dict[str, Any]:
    await org.given(("/v1/roles/grant", {"holder": "person/ada", "role": "auditor"}))
    lines = (await org.get("/v1/log", limit=5000)).text.splitlines()
    facts = [json.loads(line) for line in lines]
    found = [f for f in facts if f["stream"] == f"objective/{objective}" and f["type"] == "ObjectiveClosed"]
    data: dict[str, Any] = found[-1]["data"]
    return data


async def test_a_closing_without_a_grade_takes_the_score(org: Organisation) -> None:
    await _measured(org, "growth", "1")

    answer = await org.post("/v1/objectives/growth/close", {"outcome": "partial"})
    again = await org.post("/v1/objectives/growth/close", {"outcome": "partial"})

    assert answer.status_code == 200, answer.text
    assert again.status_code == 200 and again.json()["facts"] == [], again.text
    assert await _closing(org, "growth") == {
        "outcome": "partial",
        "grade": "0.333333",
        "suggested": "0.333333",
    }


async def test_a_grade_other_than_the_score_needs_a_reason(org: Organisation) -> None:
    await _measured(org, "growth", "1")
    body = {"outcome": "partial", "grade": "0.7"}

    refused = await org.post("/v1/objectives/growth/close", body)
    taken = await org.post("/v1/objectives/growth/close", {**body, "reason": "Harder than it looked"})

    assert_problem(refused, 422, "reason_required", "/reason")
    assert taken.status_code == 200, taken.text
    assert await _closing(org, "growth") == {"outcome": "partial", "grade": "0.7", "suggested": "0.333333"}


async def test_the_score_counts_what_was_corrected_and_what_contributes(org: Organisation) -> None:
    both = {"scope": "objective/above", "policy": {"roll_up": "both"}, "reason": "Together"}
    await _measured(org, "above", "3")
    await org.given(("/v1/policies", both))
    await _measured(org, "below", "2", parent="objective/above", weight="2")
    await org.given(("/v1/objectives/below/close", {"outcome": "partial"}))
    await _measured(org, "shown", "0", parent="objective/above", mode="supports")
    checked = {"id": "c1", "values": [{"value": "3"}]}
    corrected = {"values": [{"value": "0.3"}], "reason": "Misread"}
    await org.given(("/v1/key-results/above-kr/check-ins", checked), ("/v1/check-ins/c1/correct", corrected))

    await org.given(("/v1/objectives/above/close", {"outcome": "partial"}))

    # its own key result 0.1, and 2/3 with weight 2
    assert (await _closing(org, "above"))["suggested"] == "0.477778"


async def test_a_closed_child_counts_as_it_was_at_its_closing(org: Organisation) -> None:
    both = {"scope": "workspace", "policy": {"roll_up": "both"}, "reason": "Together"}
    why = {"reason": "Learnt"}
    await org.given(("/v1/policies", both))
    await _measured(org, "above", "0")
    await _measured(org, "middle", "3", parent="objective/above")
    await _measured(org, "below", "1", parent="objective/middle", weight="2")
    await org.given(
        ("/v1/objectives/middle/close", {"outcome": "partial"}),
        ("/v1/key-results/below-kr/change-measure", {"measure": {**MEASURE, "target": "1"}, **why}),
        ("/v1/objectives/below/unalign", {"parent": "objective/middle", **why}),
        ("/v1/policies", {**both, "scope": "objective/middle", "policy": {"roll_up": "key_results"}}),
        ("/v1/objectives/above/close", {"outcome": "partial"}),
    )

    # 0, and of the child then: 1, and twice 1/3
    assert (await _closing(org, "middle"))["suggested"] == "0.555556"
    assert (await _closing(org, "above"))["suggested"] == "0.277778"


async def test_a_closing_of_the_past_is_scored_by_what_was_defined_then(org: Organisation) -> None:
    past = {"effective_at": "2026-01-05T00:00:00Z"}
    await org.given(
        ("/v1/roles/grant", {"holder": "person/ada", "role": "importer"}),
        ("/v1/objectives", {"id": "old", "title": "Old", "owner": "person/ada", **past}),
        ("/v1/objectives/old/key-results", {"id": "kr", "text": "3", "measure": MEASURE, **past}),
        ("/v1/objectives/old/activate", past),
        ("/v1/key-results/kr/check-ins", {"values": [{"value": "1"}], **past}),
        ("/v1/policies", {"scope": "workspace", "policy": {"roll_up": "aligned"}, "reason": "From now on"}),
        ("/v1/objectives/old/close", {"outcome": "partial", "effective_at": "2026-02-05T00:00:00Z"}),
    )

    assert (await _closing(org, "old"))["suggested"] == "0.333333"


async def test_what_is_said_while_a_closing_is_scored_is_in_its_score(
    org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _measured(org, "growth", "1")
    first = True

    class Interrupted(Closings):
        async def score(self, objective: str, at: Any = None) -> Any:
            nonlocal first
            score = await super().score(objective, at)
            if first:
                first = False
                await org.given(("/v1/key-results/growth-kr/check-ins", {"values": [{"value": "2"}]}))
            return score

    monkeypatch.setattr(preparing, "Closings", Interrupted)
    await org.given(("/v1/objectives/growth/close", {"outcome": "partial"}))

    assert (await _closing(org, "growth"))["suggested"] == "0.666667"


async def test_the_score_counts_readings(org: Organisation) -> None:
    key = await org.given_system("shop")
    await org.given(
        ("/v1/feeds", {"name": "visits", "system": "shop", "kind": "gauge"}),
        ("/v1/objectives", {"id": "growth", "title": "Growth", "owner": "person/ada"}),
        ("/v1/objectives/growth/key-results", {"id": "kr", "text": "3", "measure": MEASURE}),
        ("/v1/key-results/kr/bind", {"feed": "visits", "aggregation": "last"}),
        ("/v1/objectives/growth/activate", {}),
    )
    assert key
    event = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "/shop",
        "id": "1",
        "time": "2026-01-01T00:00:00Z",
        "subject": "visits",
        "data": {"value": "2"},
    }
    taken = await org.http.post(
        "/v1/readings",
        json=event,
        headers={**org.bearer("shop"), "content-type": "application/cloudevents+json"},
    )
    assert taken.status_code == 201, taken.text

    await org.given(("/v1/objectives/growth/close", {"outcome": "partial"}))

    assert (await _closing(org, "growth"))["grade"] == "0.666667"


async def test_the_score_counts_readings_as_they_were_judged(org: Organisation) -> None:
    await org.given_system("shop")
    await org.given(
        ("/v1/feeds", {"name": "load", "system": "shop", "kind": "gauge", "high": "100"}),
        ("/v1/objectives", {"id": "growth", "title": "Growth", "owner": "person/ada"}),
        ("/v1/cycles", {"id": "q1", "name": "Q1", "start": "2026-01-01", "end": "2026-03-31"}),
        ("/v1/objectives/growth/put-in-cycle", {"cycle": "q1"}),
        (
            "/v1/objectives/growth/key-results",
            {"id": "kr", "text": "3", "measure": MEASURE | {"target": "1000"}},
        ),
        ("/v1/key-results/kr/bind", {"feed": "load", "aggregation": "mean"}),
        ("/v1/objectives/growth/activate", {}),
    )
    for n, value in enumerate(("1", "2", "90", "7", "400")):
        event = {
            "specversion": "1.0",
            "type": "goal-ledger.reading.v1",
            "source": "/shop",
            "id": str(n),
            "time": f"2026-01-0{n + 1}T00:00:00Z",
            "subject": "load",
            "data": {"value": value},
        }
        headers = {**org.bearer("shop"), "content-type": "application/cloudevents+json"}
        taken = await org.http.post("/v1/readings", json=event, headers=headers)
        assert taken.status_code == 201, taken.text

    def judged(n: int, **more: str) -> dict[str, Any]:
        return {"feed": "load", "source": "/shop", "id": str(n), "reason": "Looked at", **more}

    await org.given(
        ("/v1/readings/correct", judged(2, time="2026-01-03T00:00:00Z", value="9")),
        ("/v1/readings/retract", judged(3)),
        ("/v1/readings/release", judged(4)),
        ("/v1/objectives/growth/close", {"outcome": "partial"}),
    )

    # (1 + 2 + 9 + 400) / 4 of 1000
    assert (await _closing(org, "growth"))["suggested"] == "0.103"


async def test_a_part_without_a_unit_counts_in_the_unit_that_its_feed_had_at_the_binding(
    org: Organisation,
) -> None:
    await org.given_system("shop")
    await org.given(
        ("/v1/feeds", {"name": "weight", "system": "shop", "kind": "gauge", "unit": "kg"}),
        ("/v1/objectives", {"id": "growth", "title": "Growth", "owner": "person/ada"}),
        (
            "/v1/objectives/growth/key-results",
            {"id": "kr", "text": "10 kg", "measure": MEASURE | {"target": "10"}},
        ),
        ("/v1/key-results/kr/bind", {"feed": "weight", "aggregation": "last"}),
        ("/v1/objectives/growth/activate", {}),
    )

    async def read(id: str, value: str, unit: str) -> None:
        event = {
            "specversion": "1.0",
            "type": "goal-ledger.reading.v1",
            "source": "/shop",
            "id": id,
            "time": datetime.now(UTC).isoformat(),
            "subject": "weight",
            "data": {"value": value, "unit": unit},
        }
        headers = {**org.bearer("shop"), "content-type": "application/cloudevents+json"}
        taken = await org.http.post("/v1/readings", json=event, headers=headers)
        assert taken.json()["receipt"]["outcome"] == "applied", taken.text

    await read("1", "5", "kg")
    await org.given(("/v1/feeds/weight/redefine", {"kind": "gauge", "unit": "g", "reason": "New scales"}))
    await read("2", "5000", "g")
    await org.given(("/v1/objectives/growth/close", {"outcome": "partial"}))

    assert (await _closing(org, "growth"))["suggested"] == "0.5"


async def test_nothing_is_suggested_where_nothing_is_measured(org: Organisation) -> None:
    await org.given_goal()

    await org.given(("/v1/objectives/shop/close", {"outcome": "missed", "grade": "0"}))

    assert await _closing(org, "shop") == {"outcome": "missed", "grade": "0"}


async def test_only_a_personal_text_that_is_there_is_withheld(org: Organisation) -> None:
    await org.given_goal()
    await org.given_person("bob", "contributor")
    said = {"values": [{"value": "5"}], "note": "Secret", "blockers": ["One", "Two"]}
    checked = await org.post("/v1/key-results/visitors/check-ins", said)
    fact = checked.json()["facts"][0]["event_id"]
    why = {"reason": "Asked for"}

    async def withhold(fact: str, pointer: str, who: str = "ada") -> Any:
        return await org.post("/v1/texts/withhold", {"fact": fact, "pointer": pointer, **why}, who=who)

    unknown = "019ab6f4-9c1b-7a60-a0c1-0f3f0c4f2a11"
    assert_problem(await withhold(unknown, "/note"), 404, "unknown_fact", "/fact")
    assert_problem(await withhold(fact, "/values"), 422, "no_personal_text", "/pointer")
    assert_problem(await withhold(fact, "/blockers/2"), 422, "no_personal_text", "/pointer")
    assert_problem(await withhold(unknown, "/note", who="bob"), 403, "not_allowed")
    assert (await withhold(fact, "/note")).status_code == 200
    assert (await withhold(fact, "/blockers/1")).status_code == 200


async def test_only_a_closed_goal_is_reopened_and_once_more_is_nothing_new(org: Organisation) -> None:
    await org.given_goal()
    reopen, why = "/v1/objectives/shop/reopen", {"reason": "Closed too early"}
    assert_problem(await org.post(reopen, why), 409, "objective_not_closed")
    await org.given(("/v1/objectives/shop/close", {"outcome": "partial"}))
    first, again = await org.post(reopen, why), await org.post(reopen, why)
    assert [one["type"] for one in first.json()["facts"]] == ["ObjectiveReopened"]
    assert (again.status_code, again.json()["facts"]) == (200, [])
