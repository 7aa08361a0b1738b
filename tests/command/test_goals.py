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
