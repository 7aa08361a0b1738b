"""The same key with the same body gives the same answer, for ever; what was refused is decided anew."""

from __future__ import annotations

import asyncio

from command.service import Organisation, Service, assert_problem


async def test_a_repeat_gives_the_same_answer_with_its_headers(org: Organisation, service: Service) -> None:
    first = await org.post("/v1/units", {"name": "Sales"}, idempotency_key="k-1")
    await org.given(("/v1/units", {"id": "other", "name": "Other"}))
    head = await org.head(service.internal)
    again = await org.post("/v1/units", {"name": "Sales"}, idempotency_key="k-1")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, again.content)
    for name in ("etag", "location", "goal-ledger-position"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["idempotency-replayed"] == "true"
    assert await org.head(service.internal) == head


async def test_the_same_key_with_another_body_is_refused(org: Organisation) -> None:
    await org.post("/v1/units", {"name": "Sales"}, idempotency_key="k-1")
    answer = await org.post("/v1/units", {"name": "Service"}, idempotency_key="k-1")
    assert_problem(answer, 422, "key_reused", "Idempotency-Key")


async def test_the_order_of_members_does_not_make_another_body(org: Organisation) -> None:
    await org.post("/v1/units", b'{"id":"a","name":"Sales"}', idempotency_key="k-1")
    answer = await org.post("/v1/units", b'{ "name": "Sales", "id": "a" }', idempotency_key="k-1")
    assert answer.headers["idempotency-replayed"] == "true"


async def test_a_key_belongs_to_workspace_actor_and_path(org: Organisation, service: Service) -> None:
    await org.given_person("bea", "admin")
    other = await service.organisation()
    await org.post("/v1/units", {"name": "Sales"}, idempotency_key="k-1")
    for answer in (
        await org.post("/v1/units", {"name": "Sales"}, "bea", idempotency_key="k-1"),
        await other.post("/v1/units", {"name": "Sales"}, idempotency_key="k-1"),
        await org.post("/v1/people", {"display_name": "Sales"}, idempotency_key="k-1"),
    ):
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers


async def test_a_system_that_repeats_with_another_key_of_its_own_is_the_same_actor(org: Organisation) -> None:
    first_key = await org.given_system("shop", "importer")
    said = ({"name": "Sales"}, "shop")
    first = await org.post("/v1/units", *said, idempotency_key="k-1")
    answer = await org.post("/v1/keys-issued", {"holder": "system/shop"})
    org.keys["shop"] = answer.json()["key"]
    assert org.keys["shop"] != first_key
    again = await org.post("/v1/units", *said, idempotency_key="k-1")
    assert again.content == first.content and again.headers["idempotency-replayed"] == "true"


async def test_what_was_refused_is_decided_anew(org: Organisation) -> None:
    refused = await org.post("/v1/units/sales/rename", {"name": "X"}, idempotency_key="k-1")
    assert_problem(refused, 404, "unknown_unit")
    await org.given(("/v1/units", {"id": "sales", "name": "Sales"}))
    answer = await org.post("/v1/units/sales/rename", {"name": "X"}, idempotency_key="k-1")
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)


async def test_a_success_without_a_fact_is_kept_too(org: Organisation) -> None:
    await org.given(("/v1/units", {"id": "sales", "name": "Sales"}))
    first = await org.post("/v1/units/sales/rename", {"name": "Sales"}, idempotency_key="k-1")
    await org.given(("/v1/units/sales/rename", {"name": "Service"}))
    again = await org.post("/v1/units/sales/rename", {"name": "Sales"}, idempotency_key="k-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_repeats_at_the_same_time_are_recorded_once(org: Organisation, service: Service) -> None:
    head = await org.head(service.internal)
    answers = await asyncio.gather(
        *[org.post("/v1/units", {"name": "Sales"}, idempotency_key="k-1") for _ in range(20)]
    )
    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.headers.get("idempotency-replayed") for answer in answers].count(None) == 1
    assert await org.head(service.internal) == head + 1


async def test_an_issued_key_is_in_the_first_answer_only(org: Organisation) -> None:
    await org.given(("/v1/systems", {"id": "shop", "name": "Shop"}))
    first = await org.post("/v1/keys-issued", {"holder": "system/shop"}, idempotency_key="k-1")
    again = await org.post("/v1/keys-issued", {"holder": "system/shop"}, idempotency_key="k-1")
    assert first.json()["key"].startswith(f"glk.{org.workspace}.{first.json()['id']}.")
    assert again.json() == {name: value for name, value in first.json().items() if name != "key"}


async def test_neither_key_nor_body_can_be_read_from_the_store(org: Organisation, service: Service) -> None:
    await org.given_person("zoe", "auditor")
    await org.post("/v1/units", {"name": "Secretive unit"}, idempotency_key="secret-key-of-mine")
    log = (await org.get("/v1/log", "zoe", limit=5000)).content
    assert b'"command":{"body":"' in log
    assert b"secret-key-of-mine" not in log


async def test_if_match_takes_the_version_of_an_answer_and_refuses_a_stale_one(org: Organisation) -> None:
    made = await org.post("/v1/units", {"id": "sales", "name": "Sales"})
    renamed = await org.post("/v1/units/sales/rename", {"name": "A"}, if_match=made.headers["etag"])
    assert (renamed.status_code, renamed.headers["etag"]) == (200, '"2"')
    stale = await org.post("/v1/units/sales/rename", {"name": "B"}, if_match=made.headers["etag"])
    body = assert_problem(stale, 412, "version_stale")
    assert (body["version"], stale.headers["etag"]) == (2, '"2"')
    good = await org.post("/v1/units/sales/rename", {"name": "B"}, if_match=stale.headers["etag"])
    assert good.status_code == 200


async def test_the_version_of_a_check_in_is_its_objectives(org: Organisation) -> None:
    await org.given_goal()
    said = await org.post("/v1/key-results/visitors/check-ins", {"id": "ci", "values": [{"value": "1"}]})
    assert said.headers["etag"] == '"4"'
    right = {"values": [{"value": "2"}], "reason": "Read wrong"}
    assert_problem(await org.post("/v1/check-ins/ci/correct", right, if_match='"3"'), 412, "version_stale")
    corrected = await org.post("/v1/check-ins/ci/correct", right, if_match='"4"')
    assert (corrected.status_code, corrected.json()["version"]) == (200, 5)
