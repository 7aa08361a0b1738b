"""The OpenAPI documents of both services, judged by a program that is not ours, and what generated clients need of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_contracts.position import Position

from judges import openapi_spec_validator
from judges.documents import documents

DOCUMENTS = documents()


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{service} {method.upper()} {path}", operation)
        for service, document in DOCUMENTS.items()
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_validator_finds_nothing(tmp_path: Path) -> None:
    assert openapi_spec_validator.judge(tmp_path) == []


def test_every_tag_is_declared_and_described_and_every_document_has_a_server() -> None:
    for document in DOCUMENTS.values():
        declared = {one["name"]: one["description"] for one in document["tags"]}
        used = {
            tag for methods in document["paths"].values() for one in methods.values() for tag in one["tags"]
        }
        assert set(declared) == used and all(declared.values())
        assert [one["url"] for one in document["servers"]] == ["/"]


@pytest.mark.parametrize("name, operation", operations(), ids=[name for name, _ in operations()])
def test_every_operation_is_described_and_refuses_in_problem_documents(
    name: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"] and operation["description"] and operation["operationId"]
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            assert list(answer["content"]) == ["application/problem+json"], (name, status)
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], (name, parameter["name"])
        schema = parameter["schema"]
        if parameter["in"] == "path" or parameter["name"] in (
            "If-Match",
            "Goal-Ledger-Position",
            "token",
            "cursor",
        ):
            assert re.compile(schema["pattern"]), (name, parameter["name"])
        if parameter["name"] == "as_of":
            patterns = [one["pattern"] for one in schema.get("anyOf", [schema]) if "pattern" in one]
            assert any(re.match(one, "2026-01-05T08:00:00.5+01:00") for one in patterns), name


def test_the_patterns_take_what_the_services_take() -> None:
    asked = DOCUMENTS["query"]["paths"]["/v1/objectives"]["get"]["parameters"]
    patterns = {one["name"]: one["schema"].get("pattern", "") for one in asked}
    assert re.match(patterns["Goal-Ledger-Position"], str(Position(1, 0)))
    assert re.match(patterns["token"], "1-151_20260105T080000000000Z_1-tzdata-2025.2")
    assert not re.match(patterns["cursor"], "not a cursor")
    clocks = {one["name"]: one["schema"]["anyOf"] for one in asked if one["name"] in ("as_of", "known_at")}
    for forms in clocks.values():
        assert any(re.match(one.get("pattern", "$^"), "-P1W") for one in forms)
        assert any(one.get("format") == "date" for one in forms)


def test_a_parameter_is_left_out_and_never_null() -> None:
    for name, operation in operations():
        for parameter in operation.get("parameters", ()):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), (name, parameter["name"])
            if parameter["name"] == "Idempotency-Key":
                assert re.compile(parameter["schema"]["pattern"]), name
