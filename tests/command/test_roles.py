"""Who may do what over HTTP: every command's route by every role, and the routes that read."""

from __future__ import annotations

import pytest_asyncio
from goal_ledger_contracts.permission import Permission
from goal_ledger_domain.deciders import RULES

from command.routes import BODIES, ROUTES, address, furnished
from command.service import Organisation, Service, assert_problem, service_token

# SPEC 11, in words of its own: who may, on a goal of the unit that the contributor sits in and the owner leads.
MAY = {
    Permission.SHRED: {"ada"},
    Permission.ACCESS: {"ada"},
    Permission.ORGANISE: {"ada", "importer"},
    Permission.DEFINE_GOAL: {"ada", "importer", "owner"},
    Permission.CHECK_IN: {"ada", "importer", "owner", "contributor"},
    Permission.JUDGE_READING: {"ada", "importer"},
}
WHO = ("ada", "importer", "owner", "contributor", "analyst", "auditor", "nobody", "shop")


@pytest_asyncio.fixture(scope="module")
async def office(service: Service) -> Organisation:
    org = await service.organisation()
    await furnished(org)
    return org


async def test_every_route_by_every_role(office: Organisation, service: Service) -> None:
    """An If-Match that cannot hold lets nobody change anything: whoever may is answered otherwise than 403."""
    before = await office.head(service.internal)
    wrong = []
    for path, declared in ROUTES:
        for who in WHO:
            answer = await office.post(address(path), BODIES[path], who, if_match='"99999"')
            code = answer.json()["code"]
            allowed = who in MAY[RULES[declared.command].may]
            if (code == "not_allowed") is allowed or answer.status_code in (401, 500, 503):
                wrong.append((path, who, answer.status_code, code))
    assert wrong == []
    assert await office.head(service.internal) == before


async def test_a_contributor_and_an_owner_may_nothing_on_goals_of_others(office: Organisation) -> None:
    await office.given_goal("foreign", "foreign-kr", "person/ada")
    for path, declared in ROUTES:
        if RULES[declared.command].may in (Permission.CHECK_IN, Permission.DEFINE_GOAL):
            if "check_in" in path or path == "/v1/objectives":
                continue
            foreign = path.replace("{objective}", "foreign").replace("{key_result}", "foreign-kr")
            for who in ("contributor", "owner"):
                assert_problem(await office.post(foreign, BODIES[path], who), 403, "not_allowed")


async def test_an_owner_continues_no_goal_of_another(office: Organisation) -> None:
    await office.given_goal("of-ada", "of-ada-kr", "person/ada")
    body = {"title": "New", "owner": "unit/sales", "carried_from": "of-ada"}
    assert_problem(await office.post("/v1/objectives", body, "owner"), 403, "not_allowed")
    assert (await office.post("/v1/objectives", body | {"carried_from": "shop"}, "owner")).status_code == 201
    unknown = await office.post("/v1/objectives", body | {"carried_from": "none"}, "owner")
    assert_problem(unknown, 404, "unknown_objective", "/carried_from")
    assert_problem(
        await office.post("/v1/objectives", body | {"carried_from": "none"}, "contributor"),
        403,
        "not_allowed",
    )


async def test_every_command_has_a_body_in_the_table() -> None:
    assert set(BODIES) == {path for path, _ in ROUTES}


async def test_readings_are_taken_from_emitters_of_the_feed_admins_and_importers(
    office: Organisation,
) -> None:
    event = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "/shop",
        "time": "2026-11-01T00:00:00Z",
        "subject": "visitors",
        "data": {"value": "1"},
    }
    for who in WHO:
        answer = await office.post(
            "/v1/readings", event | {"id": who}, who, content_type="application/cloudevents+json"
        )
        assert answer.status_code == (201 if who in ("ada", "importer", "shop") else 403), (who, answer.text)
    for who in WHO:
        answer = await office.get("/v1/receipts", who, source="/shop", id="shop")
        reads = {"shop", "ada", "importer", "auditor"}
        assert answer.status_code == (200 if who in reads else 403), (who, answer.text)


async def test_the_log_is_read_by_auditors(office: Organisation) -> None:
    for who in WHO:
        for path in ("/v1/log", "/v1/log/heads", "/v1/log/key"):
            answer = await office.get(path, who)
            assert answer.status_code == (200 if who == "auditor" else 403), (who, path, answer.text)
        answer = await office.get("/v1/log/checkpoint", who)
        assert answer.status_code == (503 if who == "auditor" else 403), answer.text


async def test_text_keys_are_for_services_on_the_internal_listener_alone(
    office: Organisation, service: Service
) -> None:
    asked = {
        "params": {"workspace": office.workspace},
        "headers": {"authorization": f"Bearer {service_token()}"},
    }
    assert_problem(await service.public.get("/v1/keys", **asked), 401, "unauthenticated")
    assert_problem(await office.get("/v1/keys", workspace=office.workspace), 404, "not_found")
    answer = await service.internal.get("/v1/keys", **asked)
    assert answer.status_code == 200
    assert {"person/ada", "person/owner"} <= {one["subject"] for one in answer.json()["keys"]}
    for who in WHO:
        refused = await service.internal.get("/v1/keys", params=asked["params"], headers=office.bearer(who))
        assert_problem(refused, 403, "not_allowed")


async def test_service_tokens_open_nothing_on_the_public_listener_and_no_command_anywhere(
    office: Organisation, service: Service
) -> None:
    bearer = {"authorization": f"Bearer {service_token()}"}
    for path in ("/v1/log", "/v1/log/heads", "/v1/log/checkpoint", "/v1/log/key"):
        answer = await service.public.get(path, params={"workspace": office.workspace}, headers=bearer)
        assert_problem(answer, 401, "unauthenticated")
    unit = {"json": {"name": "X"}, "headers": bearer}
    assert_problem(await service.public.post("/v1/units", **unit), 401, "unauthenticated")
    assert_problem(await service.internal.post("/v1/units", **unit), 403, "not_allowed")
