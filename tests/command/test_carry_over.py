"""Carrying over, over HTTP: one objective, and a whole cycle in one request."""

from __future__ import annotations

from typing import Any

import httpx2

from command.service import Organisation, Service, assert_problem

MEASURE = {"kind": "increase", "baseline": "0", "target": "1000"}


async def two_quarters(org: Organisation) -> None:
    """``top`` with an aligned key result, ``shop`` and ``blog`` beneath it, all of the open cycle q1; ``idea`` a draft."""
    for cycle, start, end in (("q1", "2026-01-01", "2026-03-31"), ("q2", "2026-04-01", "2026-06-30")):
        await org.given(
            ("/v1/cycles", {"id": cycle, "name": cycle, "start": start, "end": end}),
            (f"/v1/cycles/{cycle}/open", {}),
        )
    for id in ("blog", "idea", "shop", "top"):
        await org.given(
            ("/v1/objectives", {"id": id, "title": id, "owner": "person/ada", "cycle": "q1"}),
            (
                f"/v1/objectives/{id}/key-results",
                {
                    "id": f"{id}-kr",
                    "text": id,
                    "measure": {"kind": "aligned"} if id == "top" else MEASURE,
                },
            ),
        )
    for id, parent in (("blog", "objective/top"), ("shop", "key-result/top-kr")):
        await org.given((f"/v1/objectives/{id}/align", {"parent": parent}))
    for id in ("blog", "shop", "top"):
        await org.given((f"/v1/objectives/{id}/activate", {}))
    await org.given(("/v1/key-results/shop-kr/check-ins", {"values": [{"value": "250"}]}))


def items(answer: httpx2.Response) -> dict[str, dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return {one["objective"]: one for one in answer.json()["items"]}


async def test_the_answer_says_what_became_of_each_thing_also_when_it_is_replayed(
    org: Organisation,
) -> None:
    await two_quarters(org)
    body = {"into": "shop-2", "cycle": "q2", "baseline": "last", "key_results": {"shop-kr": "shop-kr-2"}}
    first = await org.post("/v1/objectives/shop/carry-over", body, idempotency_key="k1")
    again = await org.post("/v1/objectives/shop/carry-over", body, idempotency_key="k1")
    assert first.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert first.json()["things"] == [
        {"thing": "title", "became": "taken"},
        {"thing": "owner", "became": "taken"},
        {"thing": "key_results/shop-kr", "became": "taken", "into": "key-result/shop-kr-2"},
        {
            "thing": "key_results/shop-kr/baseline",
            "became": "changed",
            "into": "250",
            "why": "last_value",
        },
        {"thing": "links/key-result/top-kr", "became": "taken"},
    ]
    same = await org.post("/v1/objectives/shop/carry-over", body)
    assert (same.status_code, same.json()["facts"]) == (200, [])
    assert same.json()["things"] == first.json()["things"]


async def test_a_cycle_is_carried_over_with_the_links_among_its_goals(org: Organisation) -> None:
    await two_quarters(org)
    asked = {"into": "q2", "baseline": "last"}
    rehearsed = await org.post("/v1/cycles/q1/carry-over", asked | {"dry_run": True})
    assert (await org.post("/v1/cycles/q1/carry-over", asked | {"dry_run": True})).json() == rehearsed.json()
    answer = await org.post("/v1/cycles/q1/carry-over", asked)
    found = items(answer)
    assert items(rehearsed) == found
    assert list(found) == ["top", "blog", "idea", "shop"]
    assert answer.json()["counts"] == {"carried": 3, "refused": 1}
    assert (found["idea"]["outcome"], found["idea"]["code"]) == ("refused", "objective_is_draft")
    into = found["top"]["into"]
    link = next(one for one in found["blog"]["things"] if one["thing"] == "links/objective/top")
    assert (link["became"], link["into"]) == ("changed", f"objective/{into}")
    of_key_result = next(one for one in found["shop"]["things"] if one["thing"].startswith("links/"))
    new_key_result = next(one for one in found["top"]["things"] if one["thing"] == "key_results/top-kr")
    assert (of_key_result["became"], of_key_result["into"]) == ("changed", new_key_result["into"])
    again = await org.post("/v1/cycles/q1/carry-over", asked)
    assert again.json()["counts"] == {"carried_before": 3, "refused": 1}
    assert items(again)["shop"]["things"] == found["shop"]["things"]


async def test_a_dry_run_records_nothing(org: Organisation, service: Service) -> None:
    await two_quarters(org)
    before = await org.head(service.internal)
    answer = await org.post("/v1/cycles/q1/carry-over", {"into": "q2", "dry_run": True})
    assert answer.json()["dry_run"] is True
    assert await org.head(service.internal) == before


async def test_some_of_a_cycles_objectives_are_carried_over(org: Organisation) -> None:
    await two_quarters(org)
    some = {"into": "q2", "objectives": ["shop"]}
    assert list(items(await org.post("/v1/cycles/q1/carry-over", some))) == ["shop"]
    other = some | {"objectives": ["none"]}
    assert_problem(await org.post("/v1/cycles/q1/carry-over", other), 404, "unknown_objective", "/objectives")


async def test_a_bulk_request_takes_no_key_and_names_cycles_that_there_are(org: Organisation) -> None:
    await two_quarters(org)
    asked = {"into": "q2"}
    answer = await org.post("/v1/cycles/q1/carry-over", asked, idempotency_key="k1")
    assert_problem(answer, 422, "key_not_for_bulk")
    assert_problem(await org.post("/v1/cycles/q9/carry-over", asked), 404, "unknown_cycle", "cycle")
    unknown = await org.post("/v1/cycles/q1/carry-over", {"into": "q9"})
    assert_problem(unknown, 404, "unknown_cycle", "/into")
    itself = await org.post("/v1/cycles/q1/carry-over", {"into": "q1", "dry_run": True})
    assert_problem(itself, 409, "same_cycle", "/into")
    assert_problem(await org.post("/v1/cycles/q1/carry-over", {}), 422, "field_required", "/into")


async def test_each_objective_needs_its_own_right_and_a_system_sees_none(org: Organisation) -> None:
    await two_quarters(org)
    await org.given_person("bob", "owner")
    body = {"id": "bobs", "title": "Bob's", "owner": "person/bob", "cycle": "q1"}
    await org.given(("/v1/objectives", body), ("/v1/objectives/bobs/activate", {}))
    found = items(await org.post("/v1/cycles/q1/carry-over", {"into": "q2"}, "bob"))
    assert {id: one.get("code") for id, one in found.items()} == {
        "bobs": None,
        "top": "not_allowed",
        "blog": "not_allowed",
        "idea": "not_allowed",
        "shop": "not_allowed",
    }
    await org.given_system("till")
    assert_problem(await org.post("/v1/cycles/q1/carry-over", {"into": "q2"}, "till"), 403, "not_allowed")
