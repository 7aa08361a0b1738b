"""Goals and their key results over HTTP: what bodies may say, and what is refused where."""

from __future__ import annotations

from command.service import Organisation, assert_problem

RANGED = {"kind": "ranged", "baseline": "0", "commit": "3", "target": "7", "stretch": "10"}


async def test_a_key_result_takes_a_description_and_the_texts_of_its_zones(org: Organisation) -> None:
    await org.given_goal()
    described = {
        "id": "known",
        "text": "Known in town",
        "description": "As the agency measures it",
        "measure": RANGED | {"zones": {"baseline": "Nobody knows us", "stretch": "Everybody does"}},
        "reason": "Forgotten",
    }
    added = await org.post("/v1/objectives/shop/key-results", described)
    again = await org.post("/v1/objectives/shop/key-results", described)
    assert [one["type"] for one in added.json()["facts"]] == ["KeyResultAdded"]
    assert again.json()["facts"] == []
    reworded = await org.post("/v1/key-results/known/reword", {"text": "Known in town", "reason": "Shorter"})
    assert [one["type"] for one in reworded.json()["facts"]] == ["KeyResultReworded"]


async def test_the_text_of_a_zone_that_is_too_long_is_refused_at_its_place(org: Organisation) -> None:
    await org.given_goal()
    measure = RANGED | {"zones": {"target": "x" * 1001}}
    body = {"text": "Known", "measure": measure, "reason": "Forgotten"}
    answer = await org.post("/v1/objectives/shop/key-results", body)
    assert_problem(answer, 422, "text_too_long", "/measure/zones/target")
    measure = RANGED | {"zones": {"middle": "x"}}
    answer = await org.post("/v1/objectives/shop/key-results", body | {"measure": measure})
    assert_problem(answer, 422, "field_unknown", "/measure/zones/middle")


async def test_a_dropped_key_result_is_taken_up_again_not_added_again(org: Organisation) -> None:
    await org.given_goal(key_result="first")
    measure = {"kind": "done_or_not"}
    body = {"id": "second", "text": "Opened", "measure": measure, "reason": "Forgotten"}
    await org.given(
        ("/v1/objectives/shop/key-results", body), ("/v1/key-results/second/drop", {"reason": "Not ours"})
    )
    answer = await org.post("/v1/objectives/shop/key-results", body)
    assert "take it up again" in assert_problem(answer, 409, "key_result_dropped", "/id")["detail"]
    taken_up = await org.post("/v1/key-results/second/take-up", {"reason": "Ours after all"})
    assert [one["type"] for one in taken_up.json()["facts"]] == ["KeyResultTakenUp"]


async def test_a_goal_of_a_closed_cycle_is_reopened_where_it_can_go_on(org: Organisation) -> None:
    for cycle, start, end in (("q1", "2026-01-01", "2026-03-31"), ("q2", "2026-04-01", "2026-06-30")):
        await org.given(
            ("/v1/cycles", {"id": cycle, "name": cycle, "start": start, "end": end}),
            (f"/v1/cycles/{cycle}/open", {}),
        )
    await org.given(
        ("/v1/objectives", {"id": "shop", "title": "Shop", "owner": "person/ada", "cycle": "q1"}),
        ("/v1/objectives/shop/activate", {}),
        ("/v1/objectives/shop/close", {"outcome": "missed", "grade": "0"}),
        ("/v1/cycles/q1/close", {}),
    )
    answer = await org.post("/v1/objectives/shop/reopen", {"reason": "Too early"})
    assert_problem(answer, 409, "reopening_needs_cycle", "/cycle")
    answer = await org.post("/v1/objectives/shop/reopen", {"reason": "Too early", "cycle": "q2"})
    assert [one["type"] for one in answer.json()["facts"]] == ["ObjectiveReopened", "MovedToCycle"]
