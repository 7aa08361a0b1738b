"""The last admin who can sign in stays one, whatever would end it."""

from __future__ import annotations

from command.service import ISSUER, Organisation, assert_problem

WHY = {"reason": "Left the company"}


async def test_the_only_admin_keeps_the_role_until_another_can_sign_in(org: Organisation) -> None:
    own = {"holder": "person/ada", "role": "admin", **WHY}
    ways_out = (
        ("/v1/roles/revoke", own),
        ("/v1/identities/unlink", {"issuer": ISSUER, "subject": "ada", **WHY}),
        ("/v1/people/ada/leave-organisation", WHY),
        ("/v1/people/ada/shred", WHY),
    )
    for path, body in ways_out:
        assert_problem(await org.post(path, body), 409, "last_admin")
    await org.given(("/v1/people", {"id": "kari", "display_name": "Kari"}))
    await org.given(("/v1/roles/grant", {"holder": "person/kari", "role": "admin"}))
    for path, body in ways_out:
        assert_problem(await org.post(path, body), 409, "last_admin")
    await org.given_person("bob", "admin")
    for path, body in ways_out:
        answer = await org.post(path, body, "bob")
        assert answer.status_code == 200, answer.text
    assert_problem(
        await org.post("/v1/roles/revoke", {**own, "holder": "person/bob"}, "bob"), 409, "last_admin"
    )


async def test_a_system_that_is_the_last_admin_keeps_role_key_and_place(org: Organisation) -> None:
    key = (await org.given_system("till", "admin")).split(".")[2]
    await org.given(("/v1/roles/revoke", {"holder": "person/ada", "role": "admin", **WHY}))
    issued = await org.post("/v1/keys-issued", {"id": "second", "holder": "system/till"}, "till")
    assert issued.status_code == 201, issued.text
    await org.given(("/v1/keys-issued/second/revoke", WHY), who="till")
    for path, body in (
        (f"/v1/keys-issued/{key}/revoke", WHY),
        ("/v1/systems/till/retire", WHY),
        ("/v1/roles/revoke", {"holder": "system/till", "role": "admin", **WHY}),
    ):
        assert_problem(await org.post(path, body, "till"), 409, "last_admin")
    assert (await org.post(f"/v1/keys-issued/{key}/rotate", {}, "till")).status_code == 200
