"""The operator's command line, as a program of its own beside PostgreSQL and Kafka."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from goal_ledger_command.migrations import migrate
from goal_ledger_command.settings import Settings
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres

from command.service import settings_in

CREATE = (
    *("create-workspace", "--id", "acme", "--name", "Acme", "--time-zone", "Europe/Oslo"),
    *(
        "--admin-person",
        "ada",
        "--admin-name",
        "Ada Berg",
        "--issuer",
        "https://issuer.invalid",
        "--subject",
        "7f",
    ),
)


@pytest_asyncio.fixture(scope="module")
async def environment(
    postgres: Postgres, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    directory: Path = tmp_path_factory.mktemp("operator")
    settings: Settings = settings_in(directory, ledger_url, keys_url)
    return environment_of(settings, kafka)


def environment_of(settings: Settings, kafka: Kafka) -> dict[str, str]:
    """Of the program, on these databases and secrets."""
    return os.environ | {
        "LEDGER_DATABASE_URL": settings.ledger_database_url,
        "KEYS_DATABASE_URL": settings.keys_database_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "HMAC_SECRET_FILE": str(settings.hmac_secret_file),
        "MASTER_KEY_FILE": str(settings.master_key_file),
        "TOKEN_ISSUER": settings.token_issuer,
        "TOKEN_KEYS_FILE": str(settings.token_keys_file),
        "SERVICE_TOKEN_ISSUER": settings.service_token_issuer,
        "SERVICE_TOKEN_KEYS_FILE": str(settings.service_token_keys_file),
        "ALLOW_UNSAFE_DURABILITY": "true",
        "COLUMNS": "200",
    }


async def operator(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "goal_ledger_command", "operator", *words]
    return await asyncio.to_thread(
        subprocess.run, argv, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "words",
    [
        ("create",),
        ("new-epoch", "--all", "--reason", "restored"),
        ("store", "recover", "--reason", "restored"),
        ("publish-again", "--workspace", "acme"),
    ],
)
async def test_on_databases_of_no_release_it_says_that_migrating_comes_first(
    environment: dict[str, str], postgres: Postgres, words: tuple[str, ...]
) -> None:
    empty = {name: await postgres.create("empty") for name in ("LEDGER_DATABASE_URL", "KEYS_DATABASE_URL")}
    ran = await operator(environment | empty, *(CREATE if words == ("create",) else words))
    assert ran.returncode == 3
    assert "python -m goal_ledger_command migrate" in ran.stderr
    assert "Error" not in ran.stderr


async def test_a_workspace_is_created_once_with_its_first_admin(environment: dict[str, str]) -> None:
    made = await operator(environment, *CREATE, "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert [one["type"] for one in told["facts"]] == [
        "WorkspaceCreated",
        "PersonAdded",
        "IdentityLinked",
        "RoleGranted",
    ]
    assert (told["workspace"], told["position"], told["new"]) == ("acme", "1-4", True)
    again = await operator(environment, *CREATE, "--json")
    assert (again.returncode, json.loads(again.stdout)["new"]) == (0, False)
    other = await operator(environment, *[word.replace("Acme", "Other") for word in CREATE])
    assert other.returncode == 1
    assert "workspace_exists" in other.stderr


async def test_a_person_is_shredded_by_order(environment: dict[str, str]) -> None:
    await operator(environment, *CREATE)
    words = ("shred-person", "--workspace", "acme", "--person", "ada", "--reason", "Request 7", "--json")
    done = await operator(environment, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["facts"][0]["type"] == "PersonShredded"
    assert json.loads((await operator(environment, *words)).stdout)["new"] is False
    unknown = await operator(environment, *[word.replace("ada", "nobody") for word in words])
    assert (unknown.returncode, "unknown_person" in unknown.stderr) == (1, True)


async def test_the_last_admin_is_shredded_by_order_and_a_role_granted_to_who_is_there_alone(
    environment: dict[str, str],
) -> None:
    named = {"acme": "lost", "ada": "ada", "7f": "8f"}
    await operator(environment, *[named.get(word, word) for word in CREATE])
    order = ("--workspace", "lost", "--person", "ada", "--reason", "Request 8")
    assert (await operator(environment, "shred-person", *order)).returncode == 0
    words = ("grant", "--workspace", "lost", "--role", "admin", "--json", "--holder")
    gone = await operator(environment, *words, "person/ada")
    assert (gone.returncode, "person_shredded" in gone.stderr) == (1, True)
    unknown = await operator(environment, *words, "person/kari")
    assert (unknown.returncode, "unknown_person" in unknown.stderr) == (1, True)


async def test_a_role_is_granted_once(environment: dict[str, str]) -> None:
    named = {"acme": "granting", "7f": "9f"}
    await operator(environment, *[named.get(word, word) for word in CREATE])
    words = ("grant", "--workspace", "granting", "--holder", "person/ada", "--role", "owner", "--json")
    done = await operator(environment, *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [one["type"] for one in told["facts"]] == ["RoleGranted"]
    assert (told["holder"], told["role"], told["new"]) == ("person/ada", "owner", True)
    assert json.loads((await operator(environment, *words)).stdout)["new"] is False
    wrong = await operator(environment, *[word.replace("owner", "boss") for word in words])
    assert (wrong.returncode, "choice_unknown" in wrong.stderr) == (1, True)


async def test_what_cannot_be_recorded_is_said_with_an_exit_code_of_its_own(
    environment: dict[str, str],
) -> None:
    away = environment | {"LEDGER_DATABASE_URL": "postgresql://x:y@127.0.0.1:1/ledger"}
    failed = await operator(away, *CREATE)
    assert (failed.returncode, "not_recorded" in failed.stderr) == (3, True)
    unknown = await operator(environment, "issue-key", "--workspace", "never", "--holder", "system/x")
    assert unknown.returncode == 1
    assert "unknown_workspace" in unknown.stderr
    missing = {name: text for name, text in environment.items() if name != "MASTER_KEY_FILE"}
    assert (await operator(missing, *CREATE)).returncode == 2
    assert (await operator(environment, "create-workspace")).returncode == 2


async def test_a_new_epoch_names_the_fork_and_the_lost_heads(
    environment: dict[str, str], tmp_path: Path
) -> None:
    await operator(environment, *CREATE)
    head, beyond = tmp_path / "head", "0" * 43 + "="
    head.write_text(f"goal-ledger.local/acme/4\n900\n{beyond}\n\n— goal-ledger.local/acme/4 AAAA\n")
    words = ("new-epoch", "acme", "--reason", "Disk lost", "--lost-head", str(head), "--json")
    done = await operator(environment, *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["epoch"], told["position"]) == (5, f"5-{told['fork_seq'] + 1}")
    again = await operator(environment, "new-epoch", "--all", "--reason", "Again", "--lost-position", "6-1")
    assert (again.returncode, "acme: epoch 7" in again.stdout) == (0, True), again.stderr
    assert (await operator(environment, "new-epoch", "acme", "--all", "--reason", "x")).returncode == 2
    other = tmp_path / "other"
    other.write_text(head.read_text().replace("goal-ledger.local", "elsewhere"))
    refused = await operator(environment, "new-epoch", "acme", "--reason", "x", "--lost-head", str(other))
    assert (refused.returncode, "of elsewhere/acme/4" in refused.stderr) == (2, True)
