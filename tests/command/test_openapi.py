"""The OpenAPI document is what outside programs are written by."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest_asyncio
from goal_ledger_contracts.permission import Permission
from goal_ledger_domain.decide import COMMANDS as DECIDED
from goal_ledger_domain.deciders import RULES
from goal_ledger_domain.reading import TakeReading
from goal_ledger_messaging import asyncapi

from command.routes import ROUTES, furnished
from command.service import Organisation, Service, service_token

PROBLEMS = {"400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "500", "503"}
BY_OPERATOR_ALONE = {"CreateWorkspace"}
IN_A_ROUTE_OF_ITS_OWN = {"TakeReading"}


@pytest_asyncio.fixture(scope="module")
async def document(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = (await service.public.get("/openapi.json")).json()
    return found


async def test_every_command_of_the_domain_has_its_route() -> None:
    routed = {declared.command.__name__ for _, declared in ROUTES}
    assert routed | BY_OPERATOR_ALONE | IN_A_ROUTE_OF_ITS_OWN == {one.__name__ for one in DECIDED}


async def test_every_route_says_its_statuses_with_problem_documents(document: dict[str, Any]) -> None:
    for path, declared in ROUTES:
        operation = document["paths"][path]["post"]
        good = {"200", "201"} if declared.row.creates else {"200"}
        assert set(operation["responses"]) == good | PROBLEMS, path
        for status in PROBLEMS:
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"], (
                path,
                status,
            )
        for status in good:
            assert {"ETag", "Goal-Ledger-Position"} <= set(operation["responses"][status]["headers"])
        assert operation["summary"] and operation["description"]


async def test_every_route_says_what_its_row_says(document: dict[str, Any]) -> None:
    for path, declared in ROUTES:
        operation, rule = document["paths"][path]["post"], RULES[declared.command]
        assert (operation["x-permission"], operation["x-shows"]) == (rule.may.value, rule.shows), path
    assert document["paths"]["/v1/readings"]["post"]["x-permission"] == RULES[TakeReading].may.value
    assert document["paths"]["/v1/imports"]["post"]["x-permission"] == Permission.IMPORT.value


async def test_what_a_command_creates_has_an_address() -> None:
    """But for links and bindings, which are read with their goal; a policy that is set has one too."""
    addressed = {declared.command.__name__ for _, declared in ROUTES if declared.row.creates is not None}
    creating = {command.__name__ for command, rule in RULES.items() if rule.creates}
    elsewhere = BY_OPERATOR_ALONE | IN_A_ROUTE_OF_ITS_OWN
    assert addressed == creating - {"Align", "BindPart"} - elsewhere | {"SetPolicy"}


async def test_every_route_says_its_parameters_and_its_body(document: dict[str, Any]) -> None:
    for path, declared in ROUTES:
        operation = document["paths"][path]["post"]
        named = {(one["in"], one["name"]) for one in operation["parameters"]}
        wanted = {("path", name) for name in declared.parameters}
        assert named == wanted | {
            ("header", "Idempotency-Key"),
            ("header", "If-Match"),
            ("header", "Prefer"),
        }, path
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert schema["additionalProperties"] is False
        assert {"reason", "effective_at"} <= set(schema["properties"])
        assert operation["requestBody"].get("required", False) is not declared.body_may_be_left_out, path


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*[references(one) for one in value.values()])
        return set().union(*[references(one) for one in value]) if isinstance(value, list) else set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known


async def test_the_bearer_scheme_is_declared(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["security"] == [{"bearer": []}]


async def test_the_internal_listener_has_the_service_routes_besides(
    service: Service, org: Organisation
) -> None:
    public = (await service.public.get("/openapi.json")).json()["paths"]
    internal = (await service.internal.get("/openapi.json")).json()["paths"]
    assert set(internal) - set(public) == {"/v1/keys"}


async def test_the_lines_of_the_log_match_the_schema_of_a_fact(
    document: dict[str, Any], org: Organisation, service: Service
) -> None:
    await furnished(org)
    asked = {"workspace": org.workspace, "limit": 5000}
    answer = await service.internal.get(
        "/v1/log", params=asked, headers={"authorization": f"Bearer {service_token()}"}
    )
    schema = {"$ref": "#/components/schemas/Fact", "components": document["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    lines = answer.content.splitlines()
    assert (answer.status_code, len(lines) > 30) == (200, True)
    for line in lines:
        fact = json.loads(line)
        validator.validate(fact)
        of_type = {"$ref": f"#/components/schemas/data.{fact['type']}", "components": document["components"]}
        jsonschema.Draft202012Validator(of_type).validate(fact["data"])


async def test_the_topics_are_described_beside_the_routes(service: Service) -> None:
    answer = await service.public.get("/asyncapi.json")
    assert (answer.status_code, answer.content) == (200, asyncapi.document())
