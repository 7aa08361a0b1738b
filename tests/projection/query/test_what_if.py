"""A question asked of a record that is not so: `POST /v1/what-if`."""

from __future__ import annotations

from typing import Any

import pytest
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import MeasureChanged
from goal_ledger_contracts.person import LeaveBegun, PersonAdded
from goal_ledger_contracts.personal import Sealed
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_contracts.workspace import Policy, PolicySet
from goal_ledger_projection.api import what_if
from history.lives import Life
from projection.query.asked_lives import AskedWorkspace, told, told_without
from projection.query.conftest import Reading
from projection.query.story import START, TEN, Story, d

PATH = "/v1/what-if"
SHAPES = {
    "objectives": what_if.WhatIfObjective,
    "key-results": what_if.WhatIfKeyResult,
    "alignment": what_if.WhatIfAlignment,
}
LIVES = range(2)
TRIED = 6


async def supposed(story: Story, body: dict[str, Any], **params: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {story.token('ada')}"}
    answer = await story.client.post(PATH, json=body, params=params, headers=headers)
    found: dict[str, Any] = answer.json()
    return found


def _without_its_place(value: Any) -> Any:
    """What differs between two workspaces of the same facts: where these stand in the log."""
    left = {"token", "position", "as_of", "version", "what_if", "seq"}
    if isinstance(value, dict):
        return {name: _without_its_place(one) for name, one in value.items() if name not in left}
    return [_without_its_place(one) for one in value] if isinstance(value, list) else value


async def _questions(asked: AskedWorkspace) -> list[str]:
    nodes = (await asked.get("/v1/alignment")).json()["nodes"]
    goals = [f"/v1/objectives/{one['id']}" for one in nodes]
    key_results = [f"/v1/key-results/{k['id']}" for one in nodes for k in one["key_results"]]
    return ["/v1/alignment", *goals, *key_results]


@pytest.mark.parametrize("seed", LIVES)
async def test_with_nothing_left_out_it_is_the_answer_itself(reading: Reading, seed: int) -> None:
    life = Life(seed, 60)
    asked = await told(reading, life)
    at = life.asked()
    clocks = {"as_of": at.true_at.isoformat(), "known_at": f"1-{at.known_to}"}
    for question in await _questions(asked):
        plain = await asked.get(question, **clocks)
        answer = await asked.post(PATH, {"question": question}, **clocks)
        assert answer.status_code == plain.status_code, (seed, question, answer.text)
        if plain.status_code == 200:
            body = answer.json()
            SHAPES[question.split("/")[2]].model_validate(body)
            assert body.pop("what_if") == {"leave_out": [], "policy": None, "scope": None}
            assert body == plain.json(), (seed, question)


@pytest.mark.parametrize("seed", LIVES)
async def test_without_a_fact_it_is_the_answer_of_a_record_in_which_it_never_was(
    reading: Reading, seed: int
) -> None:
    life = Life(seed, 60)
    asked = await told(reading, life)
    facts = life.random.sample(life.facts[:-2], TRIED)
    tried = 0
    for left in facts:
        supposing = {"question": "/v1/alignment", "leave_out": [str(left.event_id)]}
        answer = await asked.post(PATH, supposing, as_of=life.now.isoformat())
        if answer.status_code == 422:
            assert answer.json()["code"] in ("needed_by_others", "fact_not_behind"), answer.text
            continue
        rest = await told_without(reading, [one for one in life.facts if one is not left])
        tried += 1
        for question in await _questions(rest):
            plain = (await rest.get(question, as_of=life.now.isoformat())).json()
            answer = await asked.post(PATH, {**supposing, "question": question}, as_of=life.now.isoformat())
            if answer.status_code == 422:
                assert answer.json()["code"] == "fact_not_behind"
                answer = await asked.get(question, as_of=life.now.isoformat())
                assert _without_its_place(answer.json()) == _without_its_place(plain)
                continue
            assert answer.status_code == 200, (seed, left.seq, question, answer.text)
            body = answer.json()
            assert [one["seq"] for one in body["what_if"]["leave_out"]] == [left.seq]
            assert _without_its_place(body) == _without_its_place(plain), (seed, type(left.data), question)
    assert tried


async def _a_lower_target(story: Story) -> tuple[Fact, Fact]:
    story.goal("shop", ("visits", TEN))
    value = story.check_in("shop", "visits", "3", at=START)
    lower = story.tell("objective/shop", MeasureChanged("visits", Increase(d("5"), d("0"))), reason="Lower")
    await story.arrive()
    return value, lower


async def test_without_the_lower_target_the_score_is_by_the_old_one_and_nothing_is_recorded(
    story: Story,
) -> None:
    _, lower = await _a_lower_target(story)
    before = await story.get("/v1/facts", limit=1000)
    plain = await story.ask("/v1/key-results/visits")

    body = await supposed(story, {"question": "/v1/key-results/visits", "leave_out": [str(lower.event_id)]})

    assert (plain["key_result"]["score"], body["key_result"]["score"]) == ("0.6", "0.3")
    assert body["what_if"]["leave_out"][0]["event_id"] == str(lower.event_id)
    assert (await story.get("/v1/facts", limit=1000)).json()["items"] == before.json()["items"]
    assert await story.ask("/v1/key-results/visits", token=plain["token"]) == plain


async def test_another_policy_changes_statuses_in_its_scope_alone(story: Story) -> None:
    story.tell(f"workspace/{story.workspace}", PolicySet("workspace", 1, Policy(behind_points=d("90"))))
    story.tell("unit/other", UnitCreated("Another"))
    story.goal("shop", ("visits", TEN))
    story.check_in("shop", "visits", "3")
    await story.arrive()
    asked = {"question": "/v1/objectives/shop", "policy": {"behind_points": "10", "grace_days": 5}}

    body = await supposed(story, asked)
    of_another = await supposed(story, {**asked, "scope": "unit/other"})
    of_goal = await supposed(story, {**asked, "scope": "objective/shop"})

    policy = body["objective"]["policy"]
    assert (policy["behind_points"], policy["grace_days"], policy["on_track_points"]) == ("10", 5, "5")
    assert of_another["objective"]["policy"]["behind_points"] == "90"
    assert of_goal["objective"]["policy"]["behind_points"] == "10"
    assert of_goal["objective"]["policy"]["revisions"][0]["event_id"] == "what-if"
    assert body["what_if"] == {
        "leave_out": [],
        "policy": {"behind_points": "10", "grace_days": 5},
        "scope": "workspace",
    }


async def test_without_a_leave_its_goals_are_outdated(story: Story) -> None:
    story.tell("person/bo", PersonAdded(Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")))
    story.goal("shop", ("visits", TEN), owner="person/bo")
    begun = story.tell("person/bo", LeaveBegun())
    await story.arrive()
    asked, late = {"question": "/v1/objectives/shop"}, "2026-02-01T00:00:00Z"

    plain = await story.ask("/v1/objectives/shop", as_of=late)
    same = await supposed(story, asked, as_of=late)
    without = await supposed(story, {**asked, "leave_out": [str(begun.event_id)]}, as_of=late)

    assert plain["objective"]["status"] == same["objective"]["status"] == "pending"
    assert without["objective"]["status"] == "outdated"


async def test_clocks_stand_in_the_question_or_on_the_address(story: Story) -> None:
    value, lower = await _a_lower_target(story)
    early = f"1-{value.seq}"
    in_question = await supposed(story, {"question": f"/v1/objectives/shop?known_at={early}"})
    on_address = await supposed(story, {"question": "/v1/objectives/shop"}, known_at=early)
    assert in_question["position"] == on_address["position"] == early
    assert in_question["objective"]["score"] == on_address["objective"]["score"] == "0.3"
    again = await supposed(story, {"question": "/v1/objectives/shop"}, token=on_address["token"])
    assert again == on_address
    late = {"question": f"/v1/objectives/shop?known_at={early}", "leave_out": [str(lower.event_id)]}
    assert (await supposed(story, late))["code"] == "fact_not_behind"


async def test_a_fact_that_others_need_is_refused_with_those(story: Story) -> None:
    value, lower = await _a_lower_target(story)
    added, activated = (
        f for f in story.facts if type(f.data).__name__ in ("KeyResultAdded", "ObjectiveActivated")
    )

    refused = await supposed(story, {"question": "/v1/objectives/shop", "leave_out": [str(added.event_id)]})
    both = [str(one.event_id) for one in (activated, value)]
    taken = await supposed(story, {"question": "/v1/objectives/shop", "leave_out": both})

    assert (refused["status"], refused["code"], refused["field"]) == (422, "needed_by_others", "/leave_out")
    assert refused["needed"] == [
        {
            "event_id": str(added.event_id),
            "type": "KeyResultAdded",
            "needed_by": [str(value.event_id), str(lower.event_id)],
        }
    ]
    assert (taken["objective"]["state"], taken["objective"]["score"]) == ("draft", None)


async def test_what_cannot_be_supposed_is_refused_with_a_code(story: Story) -> None:
    await _a_lower_target(story)
    shop = {"question": "/v1/objectives/shop"}
    wrong: list[tuple[Any, int, str, str | None]] = [
        ({}, 422, "invalid", "/question"),
        ([], 422, "invalid", ""),
        ({**shop, "colour": "red"}, 422, "invalid", "/colour"),
        ({**shop, "leave_out": ["x"]}, 422, "invalid", "/leave_out/0"),
        (
            {**shop, "leave_out": ["019ab6f4-0000-7000-8000-000000000000"]},
            422,
            "fact_not_behind",
            "/leave_out/0",
        ),
        ({**shop, "policy": {"grace_days": 61}}, 422, "invalid", "/policy/grace_days"),
        ({**shop, "policy": {"time_zone": "Mars"}}, 422, "invalid", "/policy/time_zone"),
        ({**shop, "policy": {"wishes": 1}}, 422, "invalid", "/policy/wishes"),
        ({**shop, "policy": {"grace_days": 1}, "scope": "team"}, 422, "invalid", "/scope"),
        (
            {**shop, "policy": {"on_track_points": "5", "behind_points": "1"}},
            422,
            "bands_reversed",
            "/policy/behind_points",
        ),
        ({**shop, "policy": {"grace_days": 1}, "scope": "unit/none"}, 422, "choice_unknown", "/scope"),
        ({**shop, "policy": {"grace_days": 1}, "scope": "objective/none"}, 422, "choice_unknown", "/scope"),
        ({"question": "/v1/facts"}, 422, "view_unknown", "/question"),
        ({"question": "/v1/objectives/none"}, 404, "not_found", "/question"),
        ({"question": "/v1/objectives/shop?cursor=x"}, 422, "invalid", "/question"),
    ]
    for body, status, code, field in wrong:
        refused = await supposed(story, body)
        assert (refused["status"], refused["code"], refused.get("field")) == (status, code, field), body
    twice = await supposed(story, {"question": "/v1/objectives/shop?as_of=-P1D"}, as_of="-P1D")
    assert (twice["code"], twice["field"]) == ("invalid", "/question")
    headers = {"Authorization": f"Bearer {story.token('ada')}", "Content-Type": "text/plain"}
    assert (await story.client.post(PATH, content=b"{}", headers=headers)).status_code == 415
    assert (await story.client.post(PATH, json=shop)).status_code == 401
