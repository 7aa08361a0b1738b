"""Who may see what: by the newest access facts, whatever clocks a question has (SPEC 11)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import structlog
from goal_ledger_contracts.feed import FeedRegistered
from goal_ledger_contracts.person import PersonAdded, PersonShredded
from goal_ledger_contracts.workspace import (
    KeyIssued,
    KeyRevoked,
    RoleGranted,
    RoleRevoked,
    SystemRegistered,
    SystemRetired,
)
from projection.query.story import TEN, Issuer, Story

GOALS = ("/v1/objectives", "/v1/objectives/o", "/v1/objectives/o/timeline", "/v1/key-results/kr")
GOALS += (
    "/v1/key-results/kr/progress",
    "/v1/alignment",
    "/v1/cycles",
    "/v1/units",
    "/v1/people",
    "/v1/moments",
)
ROUTES = (*GOALS, "/v1/feeds", "/v1/facts")

ALLOWED: dict[str, tuple[str, ...]] = {
    "": (*GOALS, "/v1/feeds"),
    "contributor": (*GOALS, "/v1/feeds"),
    "owner": (*GOALS, "/v1/feeds"),
    "importer": (*GOALS, "/v1/feeds"),
    "admin": ROUTES,
    "analyst": ROUTES,
    "auditor": ROUTES,
}


def issue(story: Story, holder: str, id: str, *roles: str) -> dict[str, str]:
    """An API key; the headers that show it."""
    key = f"glk.{story.workspace}.{id}.{'A' * 43}"
    digest = hashlib.sha256(key.encode()).hexdigest()
    story.tell(f"workspace/{story.workspace}", KeyIssued(id, holder, digest))
    for role in roles:
        story.tell(f"workspace/{story.workspace}", RoleGranted(holder, role))
    return {"Authorization": f"Bearer {key}"}


async def statuses(story: Story, who: str | None, **more: Any) -> dict[str, int]:
    return {route: (await story.get(route, who, **more)).status_code for route in ROUTES}


async def test_every_route_by_every_role(story: Story) -> None:
    story.goal("o", ("kr", TEN))
    for role in ALLOWED:
        story.person(f"p-{role}", *([role] if role else []))
    await story.arrive()
    for role, allowed in ALLOWED.items():
        expected = {route: 200 if route in allowed else 403 for route in ROUTES}
        assert await statuses(story, f"p-{role}") == expected, role
    assert await statuses(story, None) == dict.fromkeys(ROUTES, 401)


async def test_nothing_of_a_shredded_person_signs_in_any_more(story: Story) -> None:
    story.goal("o", ("kr", TEN))
    story.tell("person/bob", PersonAdded("Bob"))
    story.person("bob", "admin")
    key = issue(story, "person/bob", "k-bob")
    await story.arrive()
    assert (await story.get("/v1/objectives", "bob")).status_code == 200
    assert (await story.get("/v1/objectives", None, headers=key)).status_code == 200
    story.tell("person/bob", PersonShredded())
    await story.arrive()
    assert (await story.get("/v1/objectives", "bob")).json()["code"] == "identity_not_linked"
    assert (await story.get("/v1/objectives", None, headers=key)).status_code == 401


async def test_an_emitter_sees_its_own_feeds_and_nothing_else(story: Story) -> None:
    story.goal("o", ("kr", TEN))
    story.tell(f"workspace/{story.workspace}", SystemRegistered("shop", "Web shop"))
    story.tell("feed/mine", FeedRegistered("shop", "gauge"))
    story.tell("feed/theirs", FeedRegistered("billing", "gauge"))
    key = issue(story, "system/shop", "k1", "emitter")
    await story.arrive()
    expected = {route: 200 if route == "/v1/feeds" else 403 for route in ROUTES}
    assert await statuses(story, None, headers=key) == expected
    answer = await story.get("/v1/feeds", None, headers=key)
    assert [one["name"] for one in answer.json()["items"]] == ["mine"]
    assert len((await story.ask("/v1/feeds"))["items"]) == 2


async def test_a_system_is_an_emitter_from_its_registration_on_until_it_is_retired(story: Story) -> None:
    story.tell(f"workspace/{story.workspace}", SystemRegistered("shop", "Web shop"))
    key = issue(story, "system/shop", "k1")
    await story.arrive()
    assert (await story.get("/v1/feeds", None, headers=key)).status_code == 200
    assert (await story.get("/v1/objectives", None, headers=key)).json()["code"] == "not_allowed"
    story.tell(f"workspace/{story.workspace}", SystemRetired("shop"), reason="Gone")
    await story.arrive()
    assert (await story.get("/v1/feeds", None, headers=key)).json()["code"] == "not_allowed"


async def test_a_key_that_is_wrong_unknown_or_revoked_reads_alike(story: Story) -> None:
    key = issue(story, "system/shop", "k1", "analyst")
    await story.arrive()
    assert (await story.get("/v1/facts", None, headers=key)).status_code == 200
    wrong = {"Authorization": key["Authorization"][:-1] + "B"}
    unknown = {"Authorization": key["Authorization"].replace(".k1.", ".k2.")}
    elsewhere = {"Authorization": key["Authorization"].replace(story.workspace, "nowhere")}
    said = {(await story.get("/v1/facts", None, headers=h)).text[:150] for h in (wrong, unknown, elsewhere)}
    assert len(said) == 1
    story.tell(f"workspace/{story.workspace}", KeyRevoked("k1"), reason="Leaked")
    position = await story.arrive()
    assert (await story.get("/v1/facts", None, headers=key)).status_code == 401
    assert (await story.get("/v1/facts", None, headers=key, known_at=position)).status_code == 401


async def test_rights_follow_the_newest_facts_whatever_the_clocks(story: Story) -> None:
    story.person("bo", "analyst")
    granted = await story.arrive()
    assert (await story.get("/v1/facts", "bo")).status_code == 200
    story.tell(f"workspace/{story.workspace}", RoleRevoked("person/bo", "analyst"), reason="Left")
    await story.arrive()
    for clocks in ({}, {"known_at": granted}, {"as_of": "2026-01-05T09:00:00Z"}):
        assert (await story.get("/v1/facts", "bo", **clocks)).status_code == 403


async def test_nothing_leaks_from_one_workspace_to_another(story: Story, reading: Any) -> None:
    story.goal("o", ("kr", TEN))
    await story.arrive()
    stranger = story.issuer.token("another", "sub-ada")
    answer = await story.get("/v1/objectives/o", None, headers={"Authorization": f"Bearer {stranger}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "identity_not_linked")
    assert story.workspace not in answer.text
    behind = {"Authorization": f"Bearer {stranger}", "Goal-Ledger-Position": "1-999"}
    answer = await story.get("/v1/objectives/o", None, headers=behind)
    assert (answer.status_code, answer.json()["code"]) == (403, "identity_not_linked")


@pytest.mark.parametrize("token", ["", "Bearer", "Basic x", "Bearer x", "Bearer a.b.c", "Bearer glk.x.y.z"])
async def test_what_is_no_credential_is_not_authenticated(story: Story, token: str) -> None:
    answer = await story.get("/v1/objectives", None, headers={"Authorization": token})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_of_another_issuer_is_not_authenticated(story: Story, tmp_path: Any) -> None:
    forged = Issuer.at(tmp_path / "other.json").token(story.workspace, "sub-ada")
    answer = await story.get("/v1/objectives", None, headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401


async def test_who_reads_raw_facts_is_noted_in_the_access_log(story: Story) -> None:
    position = await story.arrive()
    for more in ({}, {"format": "jsonl"}):
        with structlog.testing.capture_logs() as logged:
            await story.get("/v1/facts", type="WorkspaceCreated", q="Workspace", **more)
        assert logged == [
            {
                "event": "record read",
                "log_level": "info",
                "workspace": story.workspace,
                "actor": "person/ada",
                "method": "GET",
                "path": "/v1/facts",
                "asked": {"type": "WorkspaceCreated", "q": "(a text)", **more},
                "status": 200,
                "known_at": position,
                "facts": 1,
                "first_seq": 1,
                "last_seq": 1,
            }
        ]
    with structlog.testing.capture_logs() as logged:
        await story.get("/v1/objectives")
        await story.get("/v1/facts", who=None)
    assert logged == []
