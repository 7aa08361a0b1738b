"""Without a credential that counts one learns nothing: not of a route's parameters, not of a workspace, not its size."""

from __future__ import annotations

from pathlib import Path

from goal_ledger_command.cli.operations import creation
from goal_ledger_command.migrations import migrate
from goal_ledger_command.wiring import apps, open_store
from goal_ledger_ledger.submission import OpenGate
from goal_ledger_local.postgres import Postgres
from goal_ledger_observability.metrics import new_registry
from support.strangers import SECRET, assert_strangers_learn_nothing

from command.conftest import client
from command.service import ISSUER, Organisation, Service, assert_problem, settings_in


async def test_every_address_refuses_strangers_in_the_same_words(service: Service, org: Organisation) -> None:
    key = await org.given_system("shop", "importer")
    for http in (service.public, service.internal):
        document = (await http.get("/openapi.json")).json()
        asked = await assert_strangers_learn_nothing(http, document, org.workspace, key.split(".")[2])
        assert asked > 1000


async def test_a_made_up_key_loads_no_workspace(postgres: Postgres, tmp_path: Path) -> None:
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    settings = settings_in(tmp_path, ledger_url, keys_url)

    async def checks() -> dict[str, str]:
        return {}

    async with open_store(settings, lambda _: OpenGate()) as store:
        await store.ledger.submit(creation("acme", "Acme", "Europe/Oslo", ("ada", "Ada", ISSUER, "ada")))
        async with client(apps(settings, store, checks, new_registry("first"))[0]) as http:
            key = await Organisation(http, "acme").given_system("shop", "importer")
    async with (
        open_store(settings, lambda _: OpenGate()) as store,
        client(apps(settings, store, checks, new_registry("second"))[0]) as http,
    ):
        for workspace in ("acme", "no-such"):
            made_up = {"authorization": f"Bearer glk.{workspace}.{key.split('.')[2]}.{SECRET}"}
            assert_problem(await http.post("/v1/units", headers=made_up), 401, "unauthenticated")
            assert store.ledger.at_hand(workspace) is None
        signed_in = {"authorization": f"Bearer {key}"}
        assert (await http.post("/v1/units", json={"name": "X"}, headers=signed_in)).status_code == 201
        assert store.ledger.at_hand("acme") is not None


async def test_an_encoded_slash_is_part_of_an_id_and_leads_to_no_verb(org: Organisation) -> None:
    await org.given_goal("g1")
    await org.given(("/v1/objectives", {"id": "g2", "title": "Draft", "owner": "person/ada"}))
    for path in (
        "/v1/objectives/g2%2factivate",
        "/v1/objectives%2Fg2/activate",
        "/v1/objectives/g2%2F/activate",
    ):
        assert_problem(await org.post(path), 404, "not_found")
    assert (await org.post("/v1/objectives/g2/reword", {"title": "Still a draft"})).status_code == 200
