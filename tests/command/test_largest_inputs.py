"""The largest that each limit allows: recorded, or refused with the size in the answer; never an error of ours."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from goal_ledger_contracts.envelope import MAX_FACT_BYTES

from command.routes import furnished
from command.service import Organisation, Service, assert_problem

CHECK_IN = "/v1/key-results/visitors/check-ins"
FOUR_BYTES = "\U0001f6d2"
VALUE = [{"value": "1"}]


@pytest_asyncio.fixture(scope="module")
async def office(service: Service) -> Organisation:
    org = await service.organisation()
    await furnished(org)
    await org.given(("/v1/objectives", {"id": "draft", "title": "Draft", "owner": "person/ada"}))
    return org


def checklist(text: str) -> dict[str, Any]:
    return {"kind": "checklist", "steps": [{"id": f"{n:064d}", "text": text} for n in range(200)]}


def compound(steps: int) -> dict[str, Any]:
    measure = {
        "kind": "increase",
        "baseline": "0." + "0" * 5 + "1",
        "target": "9" * 18,
        "unit": "\u00e5" * 40,
    }
    parts = [{"id": f"{n:064d}", "measure": measure, "weight": "1"} for n in range(steps)]
    return {"kind": "compound", "combine": "all", "parts": parts}


TAKEN: list[tuple[str, dict[str, Any]]] = [
    (CHECK_IN, {"values": VALUE, "note": FOUR_BYTES * 8000}),
    (CHECK_IN, {"values": VALUE, "evidence": ["x" * 2000] * 20}),
    (CHECK_IN, {"values": VALUE, "blockers": ["x" * 1000] * 20, "note": "x" * 8000}),
    ("/v1/objectives/draft/key-results", {"text": FOUR_BYTES * 300, "measure": checklist("x" * 200)}),
    ("/v1/objectives/draft/key-results", {"text": "Parts", "measure": compound(20)}),
    ("/v1/objectives", {"title": FOUR_BYTES * 300, "description": FOUR_BYTES * 4000, "owner": "person/ada"}),
]
TOO_LARGE: list[tuple[str, dict[str, Any]]] = [
    (CHECK_IN, {"values": VALUE, "evidence": ["\u00e5" * 2000] * 20}),
    (CHECK_IN, {"values": VALUE, "blockers": [FOUR_BYTES * 1000] * 20}),
    (CHECK_IN, {"values": VALUE, "note": FOUR_BYTES * 8000, "evidence": ["x" * 2000] * 20}),
    ("/v1/objectives/draft/key-results", {"text": "Steps", "measure": checklist("x" * 300)}),
]


@pytest.mark.parametrize(("path", "body"), TAKEN, ids=range(len(TAKEN)))
async def test_the_largest_of_one_limit_is_recorded(office: Organisation, path: str, body: dict[str, Any]):
    answer = await office.post(path, body)
    assert answer.status_code == 201, answer.text[:300]


@pytest.mark.parametrize(("path", "body"), TOO_LARGE, ids=range(len(TOO_LARGE)))
async def test_what_makes_too_large_a_fact_is_refused_with_its_size(
    office: Organisation, service: Service, path: str, body: dict[str, Any]
):
    before = await office.head(service.internal)
    problem = assert_problem(await office.post(path, body), 413, "fact_too_large")
    assert problem["limit_bytes"] == MAX_FACT_BYTES == 65_535
    assert problem["size_bytes"] > MAX_FACT_BYTES
    assert str(problem["size_bytes"]) in problem["detail"]
    assert await office.head(service.internal) == before


async def test_an_import_refuses_such_a_row_alone(office: Organisation):
    long, short = {"id": "v1", "note": FOUR_BYTES * 8000, "blockers": ["x" * 1000] * 20}, {"id": "v2"}
    document = {
        "format": "goal-ledger.organisation.v1",
        "check_ins": [{"key_result": "visitors", "values": VALUE} | one for one in (long, short)],
    }
    await office.given(("/v1/roles/grant", {"holder": "person/ada", "role": "importer"}))
    answer = await office.post("/v1/imports", document)
    assert answer.status_code == 200, answer.text
    told = {row["row"]: (row["outcome"], row.get("code")) for row in answer.json()["rows"]}
    assert told == {"/check_ins/0": ("refused", "fact_too_large"), "/check_ins/1": ("created", None)}
