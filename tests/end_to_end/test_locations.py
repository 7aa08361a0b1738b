"""What a command creates can be read at its `Location`: every creating command of OpenAPI, on the running stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from command.routes import BODIES, address
from goal_ledger_client import GoalLedger
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

WORKSPACE = "located"
GIVEN: list[tuple[str, dict[str, Any]]] = [
    ("/v1/units", {"id": "company", "name": "Company"}),
    ("/v1/units", {"id": "sales", "name": "Sales", "parent": "company"}),
    ("/v1/people", {"id": "bob", "display_name": "Bob"}),
    ("/v1/systems", {"id": "shop", "name": "Shop"}),
    ("/v1/cycles", {"id": "q4", "name": "Q4", "start": "2026-10-01", "end": "2026-12-31"}),
    ("/v1/cycles/q4/open", {}),
    ("/v1/objectives", {"id": "shop", "title": "The shop", "owner": "unit/sales"}),
    (
        "/v1/objectives/shop/key-results",
        {"id": "visitors", "text": "Many", "measure": {"kind": "increase", "baseline": "0", "target": "9"}},
    ),
    ("/v1/objectives/shop/activate", {}),
    ("/v1/key-results/visitors/check-ins", {"id": "ci", "values": [{"part": "value", "value": "5"}]}),
]


@pytest.fixture(scope="module")
def ledger(running_stack: Stack) -> Iterator[GoalLedger]:
    """An organisation of which *ada* is the admin."""
    running_stack.operator(
        "create-workspace",
        *("--id", WORKSPACE, "--name", "Located", "--time-zone", "Europe/Oslo", "--admin-person", "ada"),
        *("--admin-name", "Ada", "--issuer", ISSUER, "--subject", "ada"),
    )
    at = running_stack.describe()
    with GoalLedger(at["command_url"], at["query_url"], running_stack.mint_token("ada", WORKSPACE)) as ledger:
        for path, body in GIVEN:
            ledger.command(path, body)
        yield ledger


def creating(command_url: str) -> list[str]:
    """The paths whose 201 names a Location."""
    document = httpx2.get(f"{command_url}/openapi.json").json()
    return [
        path
        for path, methods in document["paths"].items()
        if "Location" in methods.get("post", {}).get("responses", {}).get("201", {}).get("headers", {})
        and path != "/v1/readings"
    ]


def test_what_a_command_creates_can_be_read_at_its_location(ledger: GoalLedger) -> None:
    paths = creating(ledger.command_url)
    assert len(paths) >= 17
    for path in paths:
        answer = ledger.command(address(path), BODIES[path])
        assert answer.facts and answer.location, path
        found = ledger.query(answer.location, after=answer.position)
        named = answer.id.rpartition("/")[2]
        assert f'"{named}"' in json.dumps(found) or answer.id in json.dumps(found), (path, found)
        with pytest.raises(Exception, match="404"):
            ledger.query(answer.location + "-not")


def test_the_location_is_kept_with_the_answer(ledger: GoalLedger) -> None:
    body = {"id": "kept", "name": "Kept"}
    first = ledger.command("/v1/units", body, key="kept-unit")
    again = ledger.command("/v1/units", body, key="kept-unit")
    assert again.replayed and again.location == first.location == "/v1/units/kept"
