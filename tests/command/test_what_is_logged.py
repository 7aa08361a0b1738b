"""Logs hold who did what, never keys or personal text; reads of the record are noted; whatever goes wrong."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from goal_ledger_command.cli.operations import creation
from goal_ledger_command.migrations import migrate
from goal_ledger_command.wiring import Store, apps, open_store
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import OpenGate
from goal_ledger_local.postgres import Postgres
from goal_ledger_observability.metrics import new_registry

from command.conftest import client
from command.routes import BODIES, ROUTES, address
from command.service import ISSUER, Organisation, Service, service_token, settings_in

MARK = "MarkedSecret"
PERSONAL = ("reason", "note", "display_name", "text", "name", "title")
FAULT = """
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'row %', encode(NEW.bytes, 'escape') USING DETAIL = encode(NEW.bytes, 'escape'); END $$;
CREATE TRIGGER told BEFORE INSERT ON facts FOR EACH ROW EXECUTE FUNCTION told();
"""


@pytest_asyncio.fixture
async def shop(postgres: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Store, Organisation, Organisation]]:
    """A store of its own, and an organisation on the public and on the internal listener."""
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    settings = settings_in(tmp_path, ledger_url, keys_url)

    async def checks() -> dict[str, str]:
        return {}

    async with open_store(settings, lambda _: OpenGate()) as store:
        await store.ledger.submit(creation("acme", "Acme", "Europe/Oslo", ("ada", "Ada", ISSUER, "ada")))
        public, internal = apps(settings, store, checks, new_registry("test"))
        async with client(public) as outside, client(internal) as inside:
            yield store, Organisation(outside, "acme"), Organisation(inside, "acme")


async def test_no_error_on_any_route_tells_keys_or_personal_text(
    shop: tuple[Store, Organisation, Organisation], log: io.StringIO
) -> None:
    store, org, inside = shop
    key = await org.given_system("shop", "admin")
    async with raw_connection(store.engine) as raw:
        await raw.execute(FAULT)
    answers = []
    for path, declared in ROUTES:
        texts = {name: f"{MARK} {name}" for name in PERSONAL if name in declared.body.model_fields}
        answers.append(await org.post(address(path), BODIES.get(path, {}) | texts, "shop"))
    async with raw_connection(store.engine) as raw:
        await raw.execute("ALTER TABLE facts RENAME TO facts_away")
    for path in ("/v1/log", "/v1/receipts?source=a&id=b", "/v1/log/heads"):
        answers.append(await org.get(path, "shop"))
    answers.append(await inside.http.get("/metrics"))

    said = log.getvalue()
    assert "RaiseError: P0001" in said
    for shown in (said, *(answer.text for answer in answers)):
        assert MARK not in shown
        assert key not in shown and key.rpartition(".")[2] not in shown
    for line in said.splitlines():
        assert "locals" not in json.dumps(json.loads(line).get("exception", ""))


async def test_every_request_has_its_line_without_its_query_and_its_body(
    shop: tuple[Store, Organisation, Organisation], log: io.StringIO
) -> None:
    _, org, inside = shop
    await org.post("/v1/units", {"id": "sales", "name": "Sales", "reason": MARK})
    await org.post("/v1/units/sales/rename?why=" + MARK, {"name": "X"})
    await org.http.get("/v1/receipts", params={"source": MARK, "id": "1"})
    await org.http.get("/health/live")
    bearer = {"authorization": f"Bearer {service_token()}"}
    await inside.http.get("/v1/log/heads", headers=bearer)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told = [(one["method"], one["route"], one["status"], one["actor"], one["workspace"]) for one in lines]
    assert told == [
        ("POST", "/v1/units", 201, "person/ada", "acme"),
        ("POST", "/v1/units/{unit}/rename", 422, "person/ada", "acme"),
        ("GET", "/v1/receipts", 401, None, None),
    ]
    assert all(
        one["correlation_id"] and one["ms"] >= 0 and one["logger"] == "goal_ledger.requests" for one in lines
    )
    assert MARK not in log.getvalue()


async def test_reads_of_the_record_and_of_text_keys_are_noted(org: Organisation, service: Service) -> None:
    await org.given_person("eve", "auditor")
    bearer = {
        "headers": {"authorization": f"Bearer {service_token()}"},
        "params": {"workspace": org.workspace},
    }
    with structlog.testing.capture_logs() as logged:
        await org.get("/v1/log", "eve", after=1, limit=2)
        await service.internal.get("/v1/log", **bearer)
        await service.internal.get("/v1/keys", **bearer)
        await service.internal.get("/v1/log/heads", **bearer)
        await org.get("/v1/log/checkpoint", "ada")
        await org.http.get("/v1/log")
    notes: list[Any] = [
        (one["actor"], one["workspace"], one["path"], one["status"])
        for one in logged
        if one["event"] == "record read"
    ]
    assert notes == [
        ("person/eve", org.workspace, "/v1/log", 200),
        ("service/worker", org.workspace, "/v1/log", 200),
        ("service/worker", org.workspace, "/v1/keys", 200),
        ("person/ada", org.workspace, "/v1/log/checkpoint", 403),
    ]
    first = next(one for one in logged if one["event"] == "record read")
    assert (first["asked"], first["facts"], first["first_seq"], first["last_seq"]) == (
        {"after": "1", "limit": "2"},
        2,
        2,
        3,
    )


async def test_every_address_that_gives_the_record_is_noted(org: Organisation, service: Service) -> None:
    """Whatever becomes of the request: here, of an auditor who asks for what mostly is not there."""
    await org.given_person("eve", "auditor")
    document = (await service.internal.get("/openapi.json")).json()
    rights = {path: one["get"]["x-permission"] for path, one in document["paths"].items() if "get" in one}
    for path, right in rights.items():
        with structlog.testing.capture_logs() as logged:
            await service.internal.get(re.sub(r"\{.+?\}", "1", path), headers=org.bearer("eve"))
        noted = [one["path"] for one in logged if one["event"] == "record read"]
        assert bool(noted) == (right in ("log.read", "keys.read")), (path, right)


@pytest.mark.parametrize(
    "words",
    [
        ["goal_ledger_command", "serve"],
        ["goal_ledger_command", "relay"],
        ["goal_ledger_command", "migrate"],
        ["goal_ledger_projection", "query"],
        ["goal_ledger_projection", "worker"],
        ["goal_ledger_projection", "migrate"],
        ["goal_ledger_projection", "rebuild"],
        ["goal_ledger_projection", "retry"],
        ["goal_ledger_projection", "versions"],
    ],
    ids=" ".join,
)
def test_a_process_without_settings_names_them_and_exits_with_2(words: list[str]) -> None:
    bare = {"PATH": os.environ["PATH"]}
    ended = subprocess.run(
        [sys.executable, "-m", *words], env=bare, capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False), ended.stderr
    assert "these settings are missing: " in ended.stderr and "DATABASE_URL" in ended.stderr
