"""What a command answers, over HTTP."""

from __future__ import annotations

import json

from command.service import Organisation, Service, assert_problem


async def test_a_new_unit_is_answered_with_its_facts_position_version_and_path(org: Organisation) -> None:
    answer = await org.post("/v1/units", {"id": "sales", "name": "Sales"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "version", "facts", "position"}
    assert (body["id"], body["version"]) == ("sales", 1)
    assert [one["type"] for one in body["facts"]] == ["UnitCreated"]
    assert answer.headers["goal-ledger-position"] == body["position"]
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == "/v1/units/sales"
    assert "idempotency-replayed" not in answer.headers


async def test_without_an_id_one_is_made(org: Organisation) -> None:
    answer = await org.post("/v1/units", {"name": "Sales"})
    assert len(answer.json()["id"]) == 36
    assert answer.headers["location"] == f"/v1/units/{answer.json()['id']}"


async def test_a_change_to_the_state_that_already_is_records_nothing(org: Organisation) -> None:
    await org.given(("/v1/units", {"id": "sales", "name": "Sales"}))
    answer = await org.post("/v1/units/sales/rename", {"name": "Sales"})
    assert answer.status_code == 200
    assert (answer.json()["facts"], answer.json()["version"]) == ([], 1)


async def test_the_same_thing_twice_is_answered_alike_and_another_under_its_id_is_refused(
    org: Organisation,
) -> None:
    await org.given_goal()
    said = {
        "id": "ci-1",
        "values": [{"part": "value", "value": "250"}],
        "effective_at": "2026-11-02T10:00:00Z",
    }
    first = await org.post("/v1/key-results/visitors/check-ins", said)
    again = await org.post("/v1/key-results/visitors/check-ins", said)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["facts"] == first.json()["facts"]
    other = await org.post("/v1/key-results/visitors/check-ins", said | {"confidence": "0.5"})
    assert_problem(other, 409, "id_taken")


async def test_the_same_link_again_is_answered_as_first_and_another_weight_is_another_link(
    org: Organisation, service: Service
) -> None:
    for objective in ("up", "down"):
        await org.given(("/v1/objectives", {"id": objective, "title": objective, "owner": "person/ada"}))
    align, link = "/v1/objectives/down/align", {"link": "l1", "parent": "objective/up"}
    first = await org.post(align, link)
    assert_problem(await org.post(align, link | {"weight": "2"}), 409, "id_taken", "/link")
    heavier = await org.post(align, {"parent": "objective/up", "weight": "2"})
    assert [one["type"] for one in heavier.json()["facts"]] == ["ObjectiveAligned"]
    head = await org.head(service.internal)
    again = await org.post(align, link)
    assert (again.status_code, again.json()) == (200, first.json())
    same = await org.post(align, {"link": heavier.json()["id"], "parent": "objective/up", "weight": "2"})
    assert same.json() == heavier.json()
    assert await org.head(service.internal) == head


async def test_decimals_are_taken_by_their_digits_as_strings_or_numbers(
    org: Organisation, service: Service
) -> None:
    await org.given_goal()
    raw = b'{"values":[{"value":0.1}],"confidence":"0.30","id":"a"}'
    assert (await org.post("/v1/key-results/visitors/check-ins", raw)).status_code == 201
    await org.given_person("eva", "auditor")
    lines = (await org.get("/v1/log", "eva", limit=5000)).content.splitlines()
    stored = next(fact for fact in map(json.loads, lines) if fact["type"] == "CheckInRecorded")
    assert stored["data"]["values"] == [{"part": "value", "value": "0.1"}]
    assert stored["data"]["confidence"] == "0.3"


async def test_a_fact_carries_actor_reason_correlation_and_causation(org: Organisation) -> None:
    await org.given_person("eva", "auditor")
    await org.given(("/v1/units", {"id": "sales", "name": "Sales"}))
    answer = await org.post(
        "/v1/units/sales/close", {"reason": "Merged"}, x_correlation_id="merge-1", x_causation_id="letter-7"
    )
    assert answer.headers["x-correlation-id"] == "merge-1"
    fact = json.loads((await org.get("/v1/log", "eva", limit=5000)).content.splitlines()[-1])
    assert (fact["actor"], fact["reason"]) == ("person/ada", "Merged")
    assert (fact["correlation_id"], fact["causation_id"]) == ("merge-1", "letter-7")
    assert "command" not in fact


async def test_a_command_without_content_needs_no_body(org: Organisation) -> None:
    await org.given(("/v1/cycles", {"id": "q4", "name": "Q4", "start": "2026-10-01", "end": "2026-12-31"}))
    answer = await org.http.post("/v1/cycles/q4/open", headers=org.bearer("ada"))
    assert (answer.status_code, answer.json()["facts"][0]["type"]) == (200, "CycleOpened")


async def test_an_unknown_thing_is_not_found_and_things_of_other_workspaces_are_as_unknown(
    org: Organisation, service: Service
) -> None:
    other = await service.organisation()
    await other.given_goal("theirs", "their-kr")
    for path in ("/v1/objectives/theirs/activate", "/v1/objectives/never/activate"):
        body = assert_problem(await org.post(path, {}), 404, "unknown_objective")
        assert "theirs" not in body["detail"] or "never" not in body["detail"]
    await org.given_goal()
    known = await org.post("/v1/objectives/shop/align", {"parent": "objective/theirs", "reason": "x"})
    unknown = await org.post("/v1/objectives/shop/align", {"parent": "objective/never", "reason": "x"})
    assert (known.status_code, known.json()["code"]) == (unknown.status_code, unknown.json()["code"])


async def test_an_alignment_that_would_close_a_loop_is_refused_with_its_path(org: Organisation) -> None:
    for objective in ("a", "b", "c"):
        await org.given(("/v1/objectives", {"id": objective, "title": objective, "owner": "person/ada"}))
    await org.given(
        ("/v1/objectives/a/align", {"parent": "objective/b"}),
        ("/v1/objectives/b/align", {"parent": "objective/c"}),
    )
    answer = await org.post("/v1/objectives/c/align", {"parent": "objective/a"})
    body = assert_problem(answer, 409, "alignment_loop")
    assert {"a", "b", "c"} <= {one.removeprefix("objective/") for one in body["path"]}


async def test_the_running_example_stands(org: Organisation) -> None:
    steps = [{"id": id, "text": id} for id in ("design", "logistics", "payment")]
    window = {"moment": "launch", "duration": "P1M"}
    parts = [
        {
            "id": id,
            "measure": {"kind": "increase", "baseline": "0", "target": target, "unit": id, "window": window},
        }
        for id, target in (("visitors", "1000"), ("sales", "10"))
    ]
    both = {"kind": "compound", "combine": "all", "parts": parts}
    await org.given_system("shop", "emitter")
    await org.given(
        ("/v1/units", {"id": "web", "name": "Web"}),
        ("/v1/cycles", {"id": "q4", "name": "Q4", "start": "2026-10-01", "end": "2026-12-31"}),
        ("/v1/cycles/q4/open", {}),
        ("/v1/feeds", {"name": "visitors", "system": "shop", "kind": "counter", "unit": "visitors"}),
        ("/v1/feeds", {"name": "sales", "system": "shop", "kind": "event_count", "unit": "sales"}),
        ("/v1/objectives", {"id": "web-shop", "title": "A web shop", "owner": "unit/web", "cycle": "q4"}),
        (
            "/v1/objectives/web-shop/key-results",
            {"id": "open", "text": "Open", "measure": {"kind": "checklist", "steps": steps}},
        ),
        ("/v1/objectives/web-shop/key-results", {"id": "month", "text": "First month", "measure": both}),
        ("/v1/key-results/month/bind", {"part": "visitors", "feed": "visitors", "aggregation": "increase"}),
        ("/v1/key-results/month/bind", {"part": "sales", "feed": "sales", "aggregation": "sum"}),
        ("/v1/objectives/web-shop/activate", {}),
        ("/v1/moments", {"name": "launch", "at": "2026-11-02T08:00:00Z"}),
        ("/v1/key-results/open/check-ins", {"values": [{"done": ["design", "payment"]}], "confidence": 0.7}),
        ("/v1/objectives/web-shop/check-ins", {"status": "on_track", "note": "Going well"}),
    )
    answer = await org.post("/v1/key-results/month/check-ins", {"values": [{"part": "sales", "value": "3"}]})
    assert_problem(answer, 422, "value_comes_from_feed")


async def test_an_importer_states_the_past(org: Organisation) -> None:
    await org.given_person("ines", "importer")
    past = {"effective_at": "2025-01-01T00:00:00+01:00"}
    assert_problem(
        await org.post("/v1/units", {"name": "Old", **past}), 403, "effective_at_past", "/effective_at"
    )
    assert (await org.post("/v1/units", {"name": "Old", **past}, "ines")).status_code == 201
    ahead = {"effective_at": "2035-01-01T00:00:00Z"}
    assert_problem(await org.post("/v1/units", {"name": "New", **ahead}, "ines"), 422, "effective_at_ahead")
