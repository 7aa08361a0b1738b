"""Who is let in: tokens and API keys that count, and clear words for those that do not."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc.jwk import OctKey, OKPKey

from command.service import ISSUER, PEOPLE_KEY, Organisation, Service, assert_problem, token

UNIT = ("/v1/units", b'{"name":"X"}')


async def send(org: Organisation, authorization: str | None) -> Any:
    headers = {"content-type": "application/json"}
    if authorization is not None:
        headers["authorization"] = authorization
    return await org.http.post("/v1/units", content=b'{"name":"X"}', headers=headers)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "Bearer a.b.c", "Bearer " + "x" * 9000],
)
async def test_without_a_credential_that_counts_it_is_401(
    org: Organisation, authorization: str | None
) -> None:
    answer = await send(org, authorization)
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_that_does_not_hold_is_401(org: Organisation) -> None:
    for claims in (
        {"exp": int(time.time()) - 60},
        {"nbf": int(time.time()) + 600},
        {"iss": "https://other.invalid"},
        {"aud": "another"},
        {"exp": None},
    ):
        assert_problem(
            await send(org, f"Bearer {token('ada', org.workspace, **claims)}"), 401, "unauthenticated"
        )
    stranger = OKPKey.generate_key("Ed25519", parameters={"kid": "people"})
    assert_problem(await send(org, f"Bearer {token('ada', org.workspace, stranger)}"), 401, "unauthenticated")
    secret = OctKey.generate_key(256, parameters={"kid": "people"})
    assert_problem(
        await send(org, f"Bearer {token('ada', org.workspace, secret, 'HS256')}"), 401, "unauthenticated"
    )
    assert_problem(await send(org, f"Bearer {token('ada', None)}"), 401, "unauthenticated")


async def test_an_identity_that_is_not_linked_reads_like_an_unknown_workspace(
    org: Organisation, service: Service
) -> None:
    other = await service.organisation()
    await other.given_person("eve", "admin")
    answers = [
        await send(org, f"Bearer {token(who, name)}")
        for who, name in (("eve", org.workspace), ("ada", "no-such"))
    ]
    bodies = [assert_problem(answer, 403, "identity_not_linked") for answer in answers]
    assert bodies[0]["detail"] == bodies[1]["detail"]


async def test_an_identity_counts_as_soon_as_it_is_linked(org: Organisation) -> None:
    assert_problem(await org.post(*UNIT, "newcomer"), 403, "identity_not_linked")
    await org.given_person("newcomer", "admin")
    assert (await org.post(*UNIT, "newcomer")).status_code == 201


async def test_a_role_counts_until_it_is_revoked(org: Organisation) -> None:
    await org.given_person("bea", "admin")
    assert (await org.post(*UNIT, "bea")).status_code == 201
    await org.given(("/v1/roles/revoke", {"holder": "person/bea", "role": "admin", "reason": "Left"}))
    assert_problem(await org.post(*UNIT, "bea"), 403, "not_allowed")


async def test_who_left_the_organisation_signs_in_no_more_until_coming_back(org: Organisation) -> None:
    await org.given_person("bob", "contributor")
    await org.given(("/v1/people/bob/leave-organisation", {"reason": "Another job"}))
    answer = await org.post("/v1/objectives/none/comments", {"text": "Hello"}, "bob")
    assert_problem(answer, 403, "identity_not_linked")
    await org.given(("/v1/people/bob/come-back", {"reason": "Back again"}))
    answer = await org.post("/v1/objectives/none/comments", {"text": "Hello"}, "bob")
    assert_problem(answer, 404, "unknown_objective")


async def test_an_unlinked_identity_signs_in_no_more(org: Organisation) -> None:
    await org.given_person("bob", "contributor")
    known = {"issuer": ISSUER, "subject": "bob"}
    await org.given(("/v1/identities/unlink", known | {"reason": "A shared account"}))
    assert_problem(await org.post("/v1/units", {"name": "X"}, "bob"), 403, "identity_not_linked")
    other = known | {"subject": "nobody", "reason": "A shared account"}
    assert_problem(await org.post("/v1/identities/unlink", other), 404, "unknown_identity", "/subject")


async def test_a_shredded_person_signs_in_no_more(org: Organisation) -> None:
    await org.given_person("bob", "admin")
    org.keys["key of bob"] = (await org.post("/v1/keys-issued", {"holder": "person/bob"})).json()["key"]
    for who in ("bob", "key of bob"):
        assert (await org.post("/v1/units", {"name": "Sales"}, who)).status_code == 201
    await org.given(("/v1/people/bob/shred", {"reason": "Request 7"}))
    assert_problem(await org.post("/v1/units", {"name": "More"}, "bob"), 403, "identity_not_linked")
    assert_problem(await org.post("/v1/units", {"name": "More"}, "key of bob"), 401, "unauthenticated")


async def test_an_api_key_is_taken_until_it_is_rotated_revoked_or_its_system_retired(
    org: Organisation,
) -> None:
    first = await org.given_system("shop", "importer")
    assert (await org.post(*UNIT, "shop")).status_code == 201
    key_id = first.split(".")[2]
    rotated = await org.post(f"/v1/keys-issued/{key_id}/rotate")
    assert_problem(await org.post(*UNIT, "shop"), 401, "unauthenticated")
    org.keys["shop"] = rotated.json()["key"]
    assert (await org.post(*UNIT, "shop")).status_code == 201
    await org.given((f"/v1/keys-issued/{key_id}/revoke", {"reason": "Lost"}))
    assert_problem(await org.post(*UNIT, "shop"), 401, "unauthenticated")


async def test_a_key_of_another_workspace_a_wrong_one_and_an_unknown_workspace_read_alike(
    org: Organisation, service: Service
) -> None:
    key = await org.given_system("shop", "importer")
    other = await service.organisation()
    glk, workspace, key_id, secret = key.split(".", 3)
    wrong = [
        f"{glk}.{other.workspace}.{key_id}.{secret}",
        f"{glk}.{workspace}.{key_id}.{secret[::-1]}",
        f"{glk}.no-such.{key_id}.{secret}",
        f"{glk}.{workspace}.other.{secret}",
        f"{glk}.{workspace}.{key_id}",
    ]
    details = {
        assert_problem(await send(org, f"Bearer {one}"), 401, "unauthenticated")["detail"] for one in wrong
    }
    assert len(details) == 1


async def test_the_workspace_comes_from_the_credential_alone(org: Organisation, service: Service) -> None:
    other = await service.organisation()
    answer = await org.post("/v1/units", {"name": "X", "workspace": other.workspace})
    assert_problem(answer, 422, "field_unknown")


async def test_the_signing_key_of_the_tests_is_the_one_that_counts(org: Organisation) -> None:
    assert (await send(org, f"Bearer {token('ada', org.workspace, PEOPLE_KEY, 'EdDSA')}")).status_code == 201
    assert (await send(org, f"bearer {token('ada', org.workspace)}")).status_code == 201
