"""What a file means does not depend on how it is written down, nor on how often it is sent."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from command.service import ISSUER, Organisation, Service, service_token
from goal_ledger_command.cli.operations import creation, meta, submission
from goal_ledger_domain.access import GrantRole

from importing.conftest import imported, outcomes
from importing.test_document import DOCUMENT, rows_in

INCREASE = {"kind": "increase", "baseline": "0", "target": "100"}
FORMAT = {"format": "goal-ledger.organisation.v1"}


def goal(id: str = "g", **more: Any) -> dict[str, Any]:
    return {"id": id, "title": "A goal", "owner": "person/ada", **more}


def key_result(id: str = "kr", **more: Any) -> dict[str, Any]:
    return {"id": id, "text": "A result", "measure": INCREASE, **more}


def check_in(id: str, at: str, on: str = "kr", **more: Any) -> dict[str, Any]:
    return {"id": id, "key_result": on, "effective_at": at, "values": [{"value": "5"}], **more}


def row_of(answer: dict[str, Any], place: str) -> dict[str, Any]:
    [found] = [one for one in answer["rows"] if one["row"] == place]
    return dict(found)


async def facts(service: Service, org: Organisation) -> list[dict[str, Any]]:
    asked = {"workspace": org.workspace, "limit": 5000}
    headers = {"authorization": f"Bearer {service_token()}"}
    answer = await service.internal.get("/v1/log", params=asked, headers=headers)
    return [json.loads(line) for line in answer.content.splitlines()]


async def once_and_twice(org: Organisation, body: Any) -> dict[str, Any]:
    """The first answer; a second import says the same is refused, and records nothing."""
    first, second = await imported(org, body), await imported(org, body)

    def refusals(answer: dict[str, Any]) -> list[Any]:
        return [one for one in answer["rows"] if one["outcome"] == "refused"]

    assert refusals(second) == refusals(first)
    assert second["counts"]["created"] == second["counts"]["changed"] == 0, second
    assert second["position"] == first["position"]
    return first


async def test_a_check_in_from_before_its_key_result_was_added_is_taken_the_first_time(
    org: Organisation,
) -> None:
    late = key_result("late", added={"at": "2025-02-01T00:00:00Z"})
    document = {
        **FORMAT,
        "objectives": [goal(activated={"at": "2025-01-06T00:00:00Z"}, key_results=[key_result(), late])],
        "check_ins": [check_in("c1", "2025-01-20T12:00:00Z", "late"), check_in("c2", "2024-12-24", "kr")],
    }

    answer = await once_and_twice(org, document)

    assert answer["counts"]["refused"] == 0, answer


@pytest.mark.parametrize("with_objective_in_the_file", [True, False])
async def test_key_results_as_a_section_leave_room_for_a_past_activation(
    org: Organisation, with_objective_in_the_file: bool
) -> None:
    drafted = {"at": "2025-01-02T00:00:00Z"}
    rows: list[Any] = [{"section": "key_results", "objective": "g", **key_result()}]
    activated = {"section": "objectives", **goal(drafted=drafted, activated={"at": "2025-01-06T00:00:00Z"})}
    if with_objective_in_the_file:
        answer = await once_and_twice(org, [*rows, activated])
        assert set(outcomes(answer).values()) == {"created"}
        return
    await imported(org, [{"section": "objectives", **goal(drafted=drafted)}])
    await once_and_twice(org, rows)
    answer = await once_and_twice(org, [activated])
    assert outcomes(answer) == {"line 1": "changed"}


async def test_a_draft_changed_by_one_import_is_activated_in_the_past_by_the_next(
    service: Service, org: Organisation
) -> None:
    draft = goal(drafted={"at": "2025-01-02T00:00:00Z"}, key_results=[key_result()])
    await imported(org, {**FORMAT, "objectives": [draft]})
    reworded = draft | {"title": "Better", "changed": {"wording": {"at": "2025-01-04T10:00:00Z"}}}
    reworded["key_results"] = [key_result(text="Better too")]
    del reworded["drafted"]
    await once_and_twice(org, {**FORMAT, "objectives": [reworded]})

    answer = await once_and_twice(
        org, {**FORMAT, "objectives": [reworded | {"activated": {"at": "2025-01-06"}}]}
    )

    assert outcomes(answer)["/objectives/0"] == "changed", answer
    at = {one["type"]: one["effective_at"] for one in await facts(service, org)}
    assert at["ObjectiveReworded"] == "2025-01-04T10:00:00.000000Z"
    assert at["ObjectiveActivated"] == "2025-01-05T23:00:00.000000Z"


async def test_drafts_of_today_are_activated_today_by_the_same_sheet(org: Organisation) -> None:
    today = datetime.now(ZoneInfo("Europe/Oslo")).date()
    draft = {**FORMAT, "objectives": [goal(key_results=[key_result()])]}
    await imported(org, draft)

    same = {**FORMAT, "objectives": [goal(activated={"at": f"{today}"}, key_results=[key_result()])]}
    answer = await once_and_twice(org, same)

    assert outcomes(answer)["/objectives/0"] == "changed", answer


async def test_a_time_that_cannot_be_kept_is_refused_with_the_earliest_that_would_do(
    service: Service, org: Organisation
) -> None:
    await imported(org, {**FORMAT, "objectives": [goal(key_results=[key_result()])]})
    [drafted] = [one for one in await facts(service, org) if one["type"] == "KeyResultAdded"]

    early = {**FORMAT, "objectives": [goal(activated={"at": "2025-01-06T00:00:00Z"})]}
    refused = row_of(await once_and_twice(org, early), "/objectives/0")
    assert (refused["code"], refused["field"]) == ("effective_at_goes_back", "/activated/at")
    assert refused["earliest"] == drafted["effective_at"] and refused["earliest"] in refused["detail"]

    early["objectives"][0]["activated"]["at"] = refused["earliest"]
    assert outcomes(await once_and_twice(org, early))["/objectives/0"] == "changed"


async def test_a_day_leaves_time_for_all_that_happened_on_it(service: Service, org: Organisation) -> None:
    day = "2025-03-31"
    document = {
        **FORMAT,
        "objectives": [
            goal(
                drafted={"at": f"{day}T07:00:00Z"},
                activated={"at": day},
                key_results=[key_result(), key_result("gone", dropped={"at": day, "reason": "No more"})],
                closings=[{"outcome": "achieved", "at": day, "grade": "1"}],
            )
        ],
        "check_ins": [check_in("c1", f"{day}T12:00:00Z"), check_in("c2", f"{day}T13:00:00Z", "gone")],
    }

    answer = await once_and_twice(org, document)

    assert answer["counts"]["refused"] == answer["warnings"] == 0, answer
    at = {one["type"]: one["effective_at"] for one in await facts(service, org)}
    assert at["ObjectiveActivated"] == f"{day}T07:00:00.000000Z"
    assert at["ObjectiveClosed"] == f"{day}T13:00:00.000000Z"


async def test_days_are_of_the_time_zone_that_the_file_states(service: Service, org: Organisation) -> None:
    rows = [
        {"section": "check_ins", **check_in("c1", "2025-01-20")},
        {
            "section": "objectives",
            **goal(drafted={"at": "2025-01-01"}, activated={"at": "2025-01-06"}, key_results=[key_result()]),
        },
        {"section": "workspace", "time_zone": "Asia/Tokyo"},
    ]

    await once_and_twice(org, rows)

    [recorded] = [one for one in await facts(service, org) if one["type"] == "CheckInRecorded"]
    assert recorded["effective_at"] == "2025-01-19T15:00:00.000000Z"


async def test_what_stands_twice_is_refused_in_both_places(org: Organisation) -> None:
    document = {
        **FORMAT,
        "people": [{"id": "kari", "display_name": "Kari"}, {"id": "kari", "display_name": "Kari Ås"}],
        "objectives": [
            goal("a", activated={"at": "2025-01-06"}, key_results=[key_result(), key_result("same")]),
            goal("b", key_results=[key_result("same", text="Another")]),
        ],
        "check_ins": [check_in("c", "2025-01-20"), check_in("c", "2025-01-21"), check_in("d", "2025-01-20")],
    }

    answer = await once_and_twice(org, document)

    twice = {one["row"]: one for one in answer["rows"] if one.get("code") == "given_twice"}
    assert list(twice) == [
        *("/people/0", "/people/1", "/objectives/0/key_results/1", "/objectives/1/key_results/0"),
        *("/check_ins/0", "/check_ins/1"),
    ]
    for place, other in (("/people/0", "/people/1"), ("/check_ins/1", "/check_ins/0")):
        assert place in twice[place]["detail"] and other in twice[place]["detail"]
    assert answer["counts"] == {"created": 4, "refused": 6, "unchanged": 0, "changed": 0, "not_recorded": 0}


async def test_check_ins_after_the_closing_are_warned_of(org: Organisation) -> None:
    closed = goal(
        activated={"at": "2025-01-06"},
        key_results=[key_result()],
        closings=[{"outcome": "partial", "at": "2025-04-01T00:00:00Z"}],
    )
    await imported(org, {**FORMAT, "objectives": [closed]})

    answer = await imported(org, {**FORMAT, "check_ins": [check_in("c1", "2025-02-01")]})

    told = row_of(answer, "/check_ins/0")
    assert (told["outcome"], told["warning"]["code"], answer["warnings"]) == ("created", "after_closing", 1)


async def test_rows_within_one_that_cannot_be_read_are_reported_too(org: Organisation) -> None:
    document = deepcopy(DOCUMENT)
    document["objectives"][1] |= {"title": 7}
    document["objectives"].insert(1, {"id": 7, "key_results": [key_result("lost")]})

    answer = await once_and_twice(org, document)

    assert [one["row"] for one in answer["rows"]] == rows_in(document)
    assert sum(answer["counts"].values()) == len(answer["rows"])
    refused = {one["row"]: one for one in answer["rows"] if one["outcome"] == "refused"}
    assert refused["/objectives/1/key_results/0"]["code"] == "field_required"
    assert refused["/objectives/2"]["code"] == "wrong_type"
    for within in ("key_results/0", "key_results/1", "links/0", "closings/0"):
        assert refused[f"/objectives/2/{within}"]["because"] == "/objectives/2"
    assert refused["/check_ins/0"]["because"] == "/objectives/2/key_results/0"


async def test_causes_come_before_consequences_also_where_the_file_has_them_after(org: Organisation) -> None:
    table = (
        "row,id,title,owner,objective,key_result,measure,effective_at,value\n"
        "check_in,c,,,,k,,2025-01-20,1\nkey_result,k,Result,,g,,done_or_not,,\n"
        "objective,g,Goal,person/nobody,,,,,\nobjective,h,Other,person/ada,,,,,\n"
    )

    answer = await once_and_twice(org, table)

    assert [one["row"] for one in answer["rows"]] == ["line 4", "line 3", "line 2", "line 5"]
    assert [one.get("because") for one in answer["rows"]] == [None, "line 4", "line 3", None]


@pytest.mark.parametrize("seed", range(3))
async def test_the_order_of_rows_and_sections_does_not_matter(service: Service, seed: int) -> None:
    dice = random.Random(seed)
    document = deepcopy(DOCUMENT)
    document["check_ins"] += [check_in("same-time", "2025-02-13T12:00:00Z", "nye")]
    document["key_results"] = [{"objective": "vekst", **key_result("apart", added={"at": "2025-02-02"})}]
    shuffled = {
        name: dice.sample(part, len(part)) if isinstance(part, list) else part
        for name, part in document.items()
    }
    shuffled = dict(dice.sample(sorted(shuffled.items()), len(shuffled)))
    shuffled["objectives"] = [
        {k: dice.sample(v, len(v)) if isinstance(v, list) else v for k, v in one.items()}
        for one in shuffled["objectives"]
    ]
    stood = []
    for body in (document, shuffled):
        org = await service.organisation()
        await org.given(("/v1/roles/grant", {"holder": "person/ada", "role": "importer"}))
        answer = await once_and_twice(org, body)
        refusals = [one for one in answer["rows"] if one["outcome"] == "refused"]
        assert refusals == []
        assert [one["row"] for one in answer["rows"]] == rows_in(body)
        told = [(one["type"], one["stream"], one["effective_at"]) for one in await facts(service, org)]
        began = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
        timed = [(type, stream, at if at < began else "now") for type, stream, at in told]
        stood.append([one for one in timed if org.workspace not in one[1]])
    assert sorted(stood[0]) == sorted(stood[1])
    check_ins = [[one for one in told if one[0] == "CheckInRecorded"] for told in stood]
    assert check_ins[0] == check_ins[1]


async def test_a_dropped_key_result_that_is_listed_again_is_taken_up(org: Organisation) -> None:
    def with_(*key_results: dict[str, Any]) -> dict[str, Any]:
        when = {"drafted": {"at": "2025-01-02T00:00:00Z"}, "activated": {"at": "2025-01-06T00:00:00Z"}}
        return {**FORMAT, "objectives": [goal(**when, key_results=[key_result("stays"), *key_results])]}

    dropped = key_result(dropped={"at": "2025-02-01T00:00:00Z"})
    await once_and_twice(org, with_(dropped))

    when = {"taken_up": {"at": "2025-03-01"}, "changed": {"text": {"at": "2025-03-01"}}}
    again = await once_and_twice(org, with_(key_result(text="Anew", **when)))
    assert outcomes(again)["/objectives/0/key_results/1"] == "changed"
    once_more = key_result(dropped={"at": "2025-04-01T00:00:00Z"}, text="Anew")
    assert (await once_and_twice(org, with_(once_more)))["counts"]["refused"] == 0
    answer = await once_and_twice(org, with_(key_result(text="Anew")))
    assert outcomes(answer)["/objectives/0/key_results/1"] == "changed"


async def test_who_left_is_said_to_have_left(service: Service, org: Organisation) -> None:
    left = {"at": "2025-05-01", "reason": "A new job"}
    kari = {"id": "kari", "display_name": "Kari", "units": ["u"], "since": "2025-01-01", "left": left}
    rows = {
        **FORMAT,
        "people": [kari],
        "units": [{"id": "u", "name": "U", "since": "2025-01-01"}],
        "objectives": [goal(owner="person/kari", drafted={"at": "2025-02-01"})],
    }

    answer = await once_and_twice(org, rows)

    assert answer["counts"]["created"] == 3, answer
    [gone] = [one for one in await facts(service, org) if one["type"] == "PersonLeft"]
    assert (gone["effective_at"], gone["reason"]) == ("2025-04-30T22:00:00.000000Z", "A new job")


async def test_a_workspace_with_a_past_takes_past_policies_after_a_key_was_issued(service: Service) -> None:
    """The recipe of the guide: begun in the past, with an importer from then on."""
    begins = datetime(2024, 1, 1, tzinfo=UTC)
    created = creation("with-a-past", "Past", "Europe/Oslo", ("ada", "Ada", ISSUER, "ada"), begins)
    granted = GrantRole(meta(begins=begins), "person/ada", "importer")
    await service.ledger.submit(created)
    await service.ledger.submit(submission("with-a-past", granted))
    org = Organisation(service.public, "with-a-past")
    await org.given_system("shop")
    rows = {
        **FORMAT,
        "objectives": [goal(drafted={"at": "2024-02-01"})],
        "policies": [
            {"scope": scope, "policy": {"roll_up": "both"}, "effective_at": f"2024-0{month}-01T00:00:00Z"}
            for scope, month in (("workspace", 3), ("objective/g", 2))
        ],
    }

    answer = await once_and_twice(org, rows)

    assert (answer["counts"]["refused"], answer["warnings"]) == (0, 0), answer
    set_at = {
        one["data"]["scope"]: one["effective_at"]
        for one in await facts(service, org)
        if one["type"] == "PolicySet"
    }
    assert set_at == {
        "workspace": "2024-03-01T00:00:00.000000Z",
        "objective/g": "2024-02-01T00:00:00.000000Z",
    }


async def test_what_an_import_recorded_is_found_by_its_id(service: Service, org: Organisation) -> None:
    answer = await org.http.post(
        "/v1/imports",
        params={"import_id": "sheet-7"},
        json={**FORMAT, "objectives": [goal(key_results=[key_result()])]},
        headers=org.bearer("ada"),
    )

    assert answer.json()["import_id"] == "sheet-7"
    found = [one["type"] for one in await facts(service, org) if one["correlation_id"] == "sheet-7"]
    assert found == ["ObjectiveDrafted", "KeyResultAdded"]
