"""Lists and single things: what is found by which filter, page by page, and what a filter that cannot match is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from goal_ledger_contracts.objective import (
    CheckInCorrected,
    CheckInRetracted,
    PartValue,
)
from goal_ledger_contracts.workspace import (
    KeyIssued,
    KeyRevoked,
    MomentRetracted,
    RoleGranted,
    RoleRevoked,
)
from projection.query.story import START, Story, d
from projection.query.test_views import an_organisation

DIGEST = "0" * 64


def furnished(story: Story) -> None:
    """An organisation with roles, a revoked key, a corrected and a retracted check-in."""
    an_organisation(story)
    workspace = f"workspace/{story.workspace}"
    story.tell(workspace, KeyIssued("k2", "person/ada", DIGEST), KeyRevoked("k2"), reason="Lost")
    story.tell(workspace, RoleGranted("person/ada", "owner"), RoleGranted("system/shop", "analyst"))
    corrected = CheckInCorrected("c2", "visits", (PartValue("value", d("9")),))
    story.tell("objective/shop", corrected, at=START + timedelta(days=3), reason="Mistyped")
    story.tell("objective/shop", CheckInRetracted("c0", "visits"), reason="Never so")


async def ids(story: Story, path: str, member: str = "id", **params: Any) -> list[str]:
    return [one[member] for one in (await story.ask(path, **params))["items"]]


async def test_key_results_are_found_by_owner_unit_cycle_feed_and_status(story: Story) -> None:
    furnished(story)
    await story.arrive()
    assert await ids(story, "/v1/key-results") == ["fed", "k-old", "of-all", "visits"]
    assert await ids(story, "/v1/key-results", owner="unit/web") == ["fed", "visits"]
    assert await ids(story, "/v1/key-results", unit="all", cycle="q1") == ["fed", "of-all", "visits"]
    assert await ids(story, "/v1/key-results", feed="f") == ["fed"]
    assert await ids(story, "/v1/key-results", objective="shop", dropped=True) == []
    assert await ids(story, "/v1/key-results", state="closed") == ["k-old"]
    one = (await story.ask("/v1/key-results", objective="shop"))["items"][1]
    whole = (await story.ask("/v1/key-results/visits"))["key_result"]
    shared = one.keys() & whole.keys() - {"owner"}
    assert {name: one[name] for name in shared} == {name: whole[name] for name in shared}
    assert "visits" in await ids(story, "/v1/key-results", status=one["status"], objective="shop")


async def test_check_ins_are_found_by_author_goal_unit_and_period_the_latest_first(story: Story) -> None:
    furnished(story)
    await story.arrive()
    everywhere = await ids(story, "/v1/check-ins")
    assert everywhere == ["c2", "c1"]
    for filters in (
        {"author": "person/ada"},
        {"objective": "shop"},
        {"key_result": "visits"},
        {"unit": "all"},
    ):
        assert await ids(story, "/v1/check-ins", **filters) == everywhere
    assert await ids(story, "/v1/check-ins", key_result="fed") == []
    at = (START + timedelta(days=3)).isoformat()
    assert await ids(story, "/v1/check-ins", **{"from": at}) == ["c2"]
    assert await ids(story, "/v1/check-ins", to=at) == ["c1"]
    first = await story.ask("/v1/check-ins", limit=1)
    assert (first["total"], first["items"][0]["values"]) == (2, [{"part": "value", "value": "9"}])
    second = await story.ask("/v1/check-ins", limit=1, cursor=first["next_cursor"])
    assert [one["id"] for one in second["items"]] == ["c1"] and second["next_cursor"] is None


async def test_one_check_in_is_shown_with_its_revisions_also_when_it_was_retracted(story: Story) -> None:
    furnished(story)
    await story.arrive()
    corrected = await story.ask("/v1/check-ins/c2")
    assert [one["values"][0]["value"] for one in corrected["revisions"]] == ["5", "9"]
    assert corrected["revisions"][0]["ended_seq"] == corrected["check_in"]["seq"]
    assert (corrected["check_in"]["reason"], corrected["retracted"]) == ("Mistyped", False)
    before = await story.ask("/v1/check-ins/c2", known_at=f"1-{corrected['check_in']['seq'] - 1}")
    assert (before["check_in"]["values"][0]["value"], before["check_in"]["note"]) == ("5", "[sealed]")
    assert (await story.ask("/v1/check-ins/c0"))["retracted"] is True


@pytest.mark.parametrize(
    "path, member, id",
    [
        ("/v1/cycles", "cycle", "q1"),
        ("/v1/units", "unit", "web"),
        ("/v1/people", "person", "ada"),
        ("/v1/moments", "moment", "launch"),
        ("/v1/feeds", "feed", "f"),
        ("/v1/systems", "system", "shop"),
        ("/v1/keys-issued", "key", "k1"),
        ("/v1/identities", "identities", "ada"),
        ("/v1/roles", "roles", "person/ada"),
        ("/v1/policies", "policy", "unit/web"),
        ("/v1/objectives/shop/comments", "comment", "well"),
        ("/v1/objectives/shop/kudos", "kudos", "thanks"),
    ],
)
async def test_what_a_list_holds_can_be_had_by_its_id(story: Story, path: str, member: str, id: str) -> None:
    furnished(story)
    await story.arrive()
    body = await story.ask(path)
    one = (await story.ask(f"{path}/{id}"))[member]
    assert any(one | listed == one for listed in body["items"])
    assert (body["total"], body["next_cursor"]) == (len(body["items"]), None)
    page = await story.ask(path, limit=1)
    assert page["items"] == body["items"][:1] and (page["next_cursor"] is None) == (body["total"] == 1)
    answer = await story.get(f"{path}/{id}-not")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    plural = member in ("identities", "roles")
    assert answer.json()["detail"].startswith("There are no such" if plural else "There is no such")
    earlier = await story.get(f"{path}/{id}", known_at="1-2")
    assert earlier.status_code == 404 or member == "identities"


async def test_access_is_shown_as_it_was(story: Story) -> None:
    furnished(story)
    then = await story.arrive()
    story.tell(f"workspace/{story.workspace}", RoleRevoked("person/ada", "owner"), reason="Left")
    story.tell(f"workspace/{story.workspace}", MomentRetracted("launch"), reason="Not yet")
    await story.arrive()
    assert (await story.ask("/v1/roles/person/ada"))["roles"]["roles"] == ["analyst"]
    assert (await story.ask("/v1/roles/person/ada", known_at=then))["roles"]["roles"] == ["analyst", "owner"]
    assert await ids(story, "/v1/roles", "holder", role="emitter") == ["system/shop"]
    assert await ids(story, "/v1/keys-issued", holder="system/shop") == ["k1"]
    assert (await story.ask("/v1/keys-issued/k2"))["key"] == {
        "id": "k2",
        "holder": "person/ada",
        "revoked": True,
    }
    assert (await story.ask("/v1/moments/launch"))["moment"]["retracted"] is True
    assert (await story.ask("/v1/systems/shop"))["system"]["feeds"] == ["f"]
    story.person("bob")
    await story.arrive()
    for path in ("/v1/roles", "/v1/keys-issued", "/v1/identities"):
        assert (await story.get(path, "bob")).status_code == 403
    assert (await story.get("/v1/systems", "bob")).status_code == 200


async def test_what_waits_in_quarantine_is_listed(story: Story) -> None:
    furnished(story)
    await story.arrive()
    body = await story.ask("/v1/quarantine", feed="f")
    assert [(one["feed"], one["id"], one["value"]) for one in body["items"]] == [("f", "q", "99")]
    assert (await story.ask("/v1/quarantine", system="shop"))["items"] == body["items"]


@pytest.mark.parametrize(
    "path, field, value, choice",
    [
        ("/v1/objectives", "status", "at-risk", "at_risk"),
        ("/v1/objectives", "state", "open", "active"),
        ("/v1/objectives", "kind", "comitted", "committed"),
        ("/v1/objectives", "owner", "web", "unit/<id>"),
        ("/v1/objectives", "owner", "unit/nowhere", "web"),
        ("/v1/objectives", "owner", "person/nobody", None),
        ("/v1/objectives", "unit", "nowhere", "web"),
        ("/v1/objectives", "cycle", "q9", "q1"),
        ("/v1/alignment", "cycle", "q9", "q1"),
        ("/v1/key-results", "status", "green", "on_track"),
        ("/v1/key-results", "state", "x", "draft"),
        ("/v1/key-results", "owner", "ada", "person/<id>"),
        ("/v1/key-results", "unit", "nowhere", "web"),
        ("/v1/key-results", "cycle", "Q1", "q1"),
        ("/v1/key-results", "feed", "g", "f"),
        ("/v1/check-ins", "author", "unit/web", "person/<id>"),
        ("/v1/check-ins", "unit", "nowhere", "web"),
        ("/v1/check-ins", "status", "pending", "behind"),
        ("/v1/check-ins", "objective", "nothing", None),
        ("/v1/check-ins", "key_result", "nothing", None),
        ("/v1/key-results", "objective", "nothing", None),
        ("/v1/feeds", "system", "nothing", None),
        ("/v1/quarantine", "feed", "g", "f"),
        ("/v1/keys-issued", "holder", "unit/web", "system/<id>"),
        ("/v1/roles", "role", "boss", "admin"),
        ("/v1/facts", "stream", "goal/web", "objective/<id>"),
        ("/v1/facts", "stream", "objective/nothing", None),
        ("/v1/facts", "actor", "ada", "person/<id>"),
        ("/v1/facts", "actor", "person/nobody", None),
        ("/v1/facts", "actor", "system/nothing", None),
        ("/v1/facts", "type", "GoalMoved", "MovedToCycle"),
        ("/v1/facts", "type", "", "MovedToCycle"),
    ],
)
async def test_a_filter_that_cannot_match_is_refused_with_the_choices(
    story: Story, path: str, field: str, value: str, choice: str | None
) -> None:
    furnished(story)
    await story.arrive()
    answer = await story.get(path, **{field: value})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "choice_unknown", field)
    if choice is not None:
        assert choice in problem["allowed"] and choice in problem["detail"]


@pytest.mark.parametrize("until", ["2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"])
@pytest.mark.parametrize(
    "path, since, to",
    [
        ("/v1/check-ins", "from", "to"),
        ("/v1/facts", "recorded_from", "recorded_to"),
        ("/v1/facts", "effective_from", "effective_to"),
    ],
)
async def test_a_period_that_nothing_lies_in_is_refused(
    story: Story, path: str, since: str, to: str, until: str
) -> None:
    furnished(story)
    await story.arrive()
    answer = await story.get(path, **{since: "2026-02-01T00:00:00Z", to: until})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "dates_reversed", since)


async def test_seqs_that_none_lies_between_are_refused(story: Story) -> None:
    furnished(story)
    await story.arrive()
    answer = await story.get("/v1/facts", after="3", before="4")
    assert (answer.status_code, answer.json()["field"]) == (422, "before")
    assert [one["seq"] for one in (await story.ask("/v1/facts", after="3", before="5"))["items"]] == [4]


async def test_a_cursor_may_come_with_the_clocks_of_its_first_page(story: Story) -> None:
    furnished(story)
    await story.arrive()
    as_of = (START + timedelta(days=10)).isoformat()
    clocks = {"as_of": as_of, "known_at": f"1-{len(story.facts)}"}
    first = await story.ask("/v1/objectives", limit=1, **clocks)
    assert first["next_cursor"] is not None

    async def second(**said: Any) -> Any:
        return await story.get("/v1/objectives", limit=1, cursor=first["next_cursor"], **said)

    alone = await second()
    for said in (clocks, {"as_of": as_of}, {"as_of": first["as_of"]}, {"known_at": first["position"]}):
        assert (await second(**said)).content == alone.content
    assert (await second(token=first["token"])).content == alone.content
    third = await story.ask("/v1/objectives", limit=1, cursor=alone.json()["next_cursor"], **clocks)
    assert len(third["items"]) == 1
    for said in ({"as_of": START.isoformat()}, {"known_at": "1-3"}, {**clocks, "known_at": "1-3"}):
        answer = await second(**said)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor"), said
