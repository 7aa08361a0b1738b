"""An organisation as a document: what is there after it, a second time, and what becomes of its bad rows."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from command.service import Organisation, assert_problem
from goal_ledger_command.importing.document import NESTED, ROWS

from importing.conftest import imported, outcomes

INCREASE = {"kind": "increase", "baseline": "0", "target": "100", "unit": "kunder"}
DOCUMENT: dict[str, Any] = {
    "format": "goal-ledger.organisation.v1",
    "units": [
        {"id": "salg", "name": "Salg", "parent": "selskap", "lead": "kari", "since": "2025-01-01T00:00:00Z"},
        {"id": "selskap", "name": "Blåbær AS", "since": "2025-01-01T00:00:00Z"},
    ],
    "people": [{"id": "kari", "display_name": "Kari Ås", "units": ["salg"], "since": "2025-01-01T00:00:00Z"}],
    "systems": [{"id": "crm", "name": "CRM"}],
    "feeds": [{"name": "crm.kunder", "system": "crm", "kind": "gauge", "since": "2025-01-01T00:00:00Z"}],
    "cycles": [
        {
            "id": "2025-q1",
            "name": "Q1 2025",
            "start": "2025-01-01",
            "end": "2025-03-31",
            "stage": "closed",
            "planned": {"at": "2024-12-01T00:00:00Z"},
            "closed": {"at": "2025-04-10T00:00:00Z"},
        }
    ],
    "policies": [{"scope": "unit/salg", "policy": {"cadence_weeks": 2}, "reason": "Every other week"}],
    "moments": [{"name": "lansering", "at": "2025-02-01T08:00:00Z"}],
    "objectives": [
        {
            "id": "vekst",
            "title": "Vokse",
            "owner": "unit/selskap",
            "drafted": {"at": "2024-12-15T00:00:00Z"},
            "activated": {"at": "2025-01-02T00:00:00Z"},
            "key_results": [{"id": "deltatt", "text": "Salg bidrar", "measure": {"kind": "aligned"}}],
        },
        {
            "id": "kunder",
            "title": "Flere kunder",
            "owner": "unit/salg",
            "cycle": "2025-q1",
            "drafted": {"at": "2024-12-15T00:00:00Z"},
            "activated": {"at": "2025-01-02T00:00:00Z"},
            "links": [{"parent": "key-result/deltatt"}],
            "key_results": [
                {
                    "id": "nye",
                    "text": "50 nye kunder",
                    "measure": {**INCREASE, "target": "50"},
                    "committed": {"measure": INCREASE},
                    "changed": {"measure": {"at": "2025-02-01T00:00:00Z", "reason": "Markedet snudde"}},
                },
                {
                    "id": "fed",
                    "text": "Målt av CRM",
                    "measure": INCREASE,
                    "bindings": [{"feed": "crm.kunder", "aggregation": "last"}],
                },
            ],
            "closings": [
                {
                    "outcome": "partial",
                    "at": "2025-04-01T00:00:00Z",
                    "grade": "0.6",
                    "author": "person/kari",
                    "retrospective": "Vi lærte mye",
                }
            ],
        },
    ],
    "check_ins": [
        {
            "id": f"uke-{week}",
            "key_result": "nye",
            "effective_at": f"2025-0{1 + week // 4}-1{week}T12:00:00Z",
            "values": [{"value": str(5 * week)}],
            "author": "person/kari",
            "note": "Går bra 👍",
        }
        for week in range(1, 7)
    ],
    "readings": [
        {
            "feed": "crm.kunder",
            "source": "/crm",
            "id": f"r{n}",
            "time": f"2025-01-0{n}T00:00:00Z",
            "value": str(n),
        }
        for n in range(1, 5)
    ],
}


def rows_in(document: dict[str, Any]) -> list[str]:
    """The places of a document's rows, in the order of the file."""
    found: list[str] = []
    for section in (name for name in document if name in ROWS):
        if section == "workspace":
            found.append("/workspace")
            continue
        for n, item in enumerate(document[section]):
            found.append(f"/{section}/{n}")
            within = [name for name in item if name in NESTED] if section == "objectives" else []
            found += [f"/{section}/{n}/{name}/{m}" for name in within for m in range(len(item[name]))]
    return found


async def test_everything_a_document_says_is_created(org: Organisation) -> None:
    answer = await imported(org, DOCUMENT)

    assert set(outcomes(answer).values()) == {"created", "changed"}, [
        one for one in answer["rows"] if one["outcome"] not in ("created", "changed")
    ]
    kept = {one["row"]: one["outcome"] for one in answer["rows"]}
    assert kept["/objectives/1"] == kept["/objectives/1/key_results/0"] == kept["/check_ins/5"] == "created"
    assert kept["/objectives/1/closings/0"] == "changed"
    assert [one["row"] for one in answer["rows"]] == rows_in(DOCUMENT)
    assert sum(answer["counts"].values()) == len(answer["rows"])


async def test_a_second_import_records_nothing(org: Organisation) -> None:
    await imported(org, DOCUMENT)

    again = await imported(org, DOCUMENT)

    assert set(outcomes(again).values()) == {"unchanged"}, [
        one for one in again["rows"] if one["outcome"] != "unchanged"
    ]


async def test_a_second_import_changes_only_what_changed(org: Organisation) -> None:
    first = await imported(org, DOCUMENT)
    other = deepcopy(DOCUMENT)
    other["people"][0]["display_name"] = "Kari Hansen"
    other["check_ins"][2]["values"] = [{"value": "16"}]
    other["objectives"][0]["title"] = "Vokse videre"

    again = await imported(org, other)

    told = outcomes(again)
    changed = {"/people/0", "/objectives/0", "/check_ins/2"}
    assert {row for row, outcome in told.items() if outcome != "unchanged"} == changed
    assert {told[row] for row in changed} == {"changed"}
    assert int(again["position"].split("-")[1]) - int(first["position"].split("-")[1]) == 3


async def test_a_links_weight_changes_to_and_fro(org: Organisation) -> None:
    def with_links(*links: dict[str, Any]) -> dict[str, Any]:
        goals = [{"id": id, "title": id, "owner": "unit/u"} for id in ("up", "down")]
        units = [{"id": "u", "name": "U"}]
        return {
            "format": "goal-ledger.organisation.v1",
            "units": units,
            "objectives": [goals[0], {**goals[1], "links": list(links)}],
        }

    up = {"parent": "objective/up"}
    for weight, outcome in (("1", "created"), ("2", "created"), ("2", "unchanged"), ("1", "created")):
        answer = outcomes(await imported(org, with_links({**up, "weight": weight})))
        assert answer["/objectives/1/links/0"] == outcome


async def test_a_dry_run_says_the_same_and_records_nothing(org: Organisation) -> None:
    before = await org.post("/v1/units", {"id": "salg-2", "name": "Salg 2"})

    rehearsed = await imported(org, DOCUMENT, dry_run=True)
    assert rehearsed["position"] == before.json()["position"]
    real = await imported(org, DOCUMENT)

    assert outcomes(rehearsed) == outcomes(real)


async def test_a_bad_row_costs_no_other(org: Organisation) -> None:
    bad = deepcopy(DOCUMENT)
    bad["objectives"][1]["key_results"][1]["measure"] = {"kind": "increase", "baseline": "5", "target": "1"}
    bad["objectives"][1]["key_results"].append({"id": "x", "text": "?", "measure": {"kind": "unheard-of"}})
    bad["check_ins"][0]["key_result"] = "nowhere"
    bad["check_ins"][1]["values"] = [{"value": "many"}]
    bad["people"].append({"id": "no name"})
    bad["readings"][0]["feed"] = "unknown.feed"

    answer = await imported(org, bad)

    refused = {one["row"]: one["code"] for one in answer["rows"] if one["outcome"] == "refused"}
    assert refused == {
        "/objectives/1/key_results/1": "direction_mismatch",
        "/objectives/1/key_results/2": "choice_unknown",
        "/check_ins/0": "unknown_key_result",
        "/check_ins/1": "value_not_decimal",
        "/people/1": "field_required",
        "/readings/0": "unknown_feed",
    }
    assert all(one["detail"] for one in answer["rows"] if one["outcome"] == "refused")
    fields = {one["row"]: one.get("field") for one in answer["rows"] if one["outcome"] == "refused"}
    assert fields["/objectives/1/key_results/1"] == "/measure/target"
    assert fields["/check_ins/1"] == "/values/0/value"
    assert (fields["/check_ins/0"], fields["/readings/0"]) == ("/key_result", "/feed")


async def test_a_name_that_is_unknown_is_told_the_nearest_and_all(org: Organisation) -> None:
    key_result = {"id": "k", "text": "K", "measure": {"kind": "done_or_not"}, "wieght": "1"}
    goal = {"id": "g", "titel": "G", "owner": "unit/u", "key_results": [key_result]}
    answer = await imported(org, {"format": DOCUMENT["format"], "objectives": [goal]})
    headers = org.bearer("ada")
    other = await org.http.post(
        "/v1/imports", json={"format": DOCUMENT["format"], "objectivs": []}, headers=headers
    )

    told = [one["detail"] for one in answer["rows"]]
    assert "no titel. Is title meant? It has" in told[0] and "activated" in told[0]
    assert "no wieght. Is weight meant?" in told[1]
    assert "Is objectives meant?" in assert_problem(other, 422, "field_unknown")["detail"]


async def test_only_an_importer_imports_and_takes_no_key(org: Organisation) -> None:
    await org.given_person("bob", "admin")
    refused = await org.post("/v1/imports", DOCUMENT, who="bob")
    keyed = await org.post("/v1/imports", DOCUMENT, idempotency_key="k1")
    strange = await org.post("/v1/imports", {"format": "goal-ledger.organisation.v9"})

    assert_problem(refused, 403, "not_allowed")
    assert_problem(keyed, 422, "key_not_for_bulk", "Idempotency-Key")
    assert_problem(strange, 422, "wrong_format", "/format")


AHEAD = {"at": "2999-01-01T00:00:00Z"}
A_GOAL = {
    "title": "Goal",
    "owner": "person/ada",
    "drafted": {"at": "2025-01-01"},
    "activated": {"at": "2025-01-01"},
}
FROM_THE_FUTURE = {
    "format": "goal-ledger.organisation.v1",
    "units": [
        {"id": "soon", "name": "Soon", "since": AHEAD["at"]},
        {"id": "ends", "name": "Ends", "closed": AHEAD},
    ],
    "people": [{"id": "late", "display_name": "Late", "since": AHEAD["at"]}],
    "systems": [{"id": "till", "name": "Till", "retired": AHEAD}],
    "feeds": [
        {"name": "soon", "system": "till", "kind": "gauge", "since": AHEAD["at"]},
        {
            "name": "now",
            "system": "till",
            "kind": "gauge",
            "redefinitions": [{"kind": "counter", **AHEAD}],
        },
    ],
    "cycles": [
        {"id": "soon", "name": "Soon", "start": "2025-01-01", "end": "2025-03-31", "planned": AHEAD},
        {
            "id": "open",
            "name": "Open",
            "start": "2025-01-01",
            "end": "2025-03-31",
            "stage": "open",
            "opened": AHEAD,
        },
    ],
    "objectives": [
        {"id": "soon", **A_GOAL, "drafted": AHEAD},
        {
            "id": "now",
            **A_GOAL,
            "key_results": [{"id": "k", "text": "K", "measure": INCREASE, "added": AHEAD}],
            "links": [{"parent": "objective/above", "linked": AHEAD}],
            "closings": [{"outcome": "partial", "grade": "0.5", **AHEAD}],
        },
        {"id": "above", **A_GOAL},
    ],
}


async def test_a_time_that_is_refused_is_told_where_the_row_states_it(org: Organisation) -> None:
    refused = {
        one["row"]: one["field"] for one in (await imported(org, FROM_THE_FUTURE))["rows"] if "field" in one
    }

    assert refused == {
        "/units/0": "/since",
        "/units/1": "/closed/at",
        "/people/0": "/since",
        "/systems/0": "/retired/at",
        "/feeds/0": "/since",
        "/feeds/1": "/redefinitions/0/at",
        "/cycles/0": "/planned/at",
        "/cycles/1": "/opened/at",
        "/objectives/0": "/drafted/at",
        "/objectives/1/key_results/0": "/added/at",
        "/objectives/1/links/0": "/linked/at",
        "/objectives/1/closings/0": "/at",
    }
