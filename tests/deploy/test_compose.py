"""The container files agree with the compose schema, with the settings the services read, and with DESIGN 5."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from goal_ledger_local.handing_out import SERVERS
from goal_ledger_local.logins import PARTS, Part

ROOT = Path(__file__).parents[2]
PROCESSES = {
    "command": ["python", "-m", "goal_ledger_command", "serve"],
    "relay": ["python", "-m", "goal_ledger_command", "relay"],
    "worker": ["python", "-m", "goal_ledger_projection", "worker"],
    "changed": ["python", "-m", "goal_ledger_projection", "changed"],
    "query": ["python", "-m", "goal_ledger_projection", "query"],
    "reconciler": ["python", "-m", "goal_ledger_projection", "reconciler"],
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_is_valid_by_the_compose_schema(compose: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).parent / "compose.schema.json").read_text())
    errors = [e.message for e in jsonschema.Draft7Validator(schema).iter_errors(compose)]
    assert errors == []


@pytest.mark.parametrize("part", PROCESSES)
def test_each_process_runs_its_own_command_is_watched_and_restarted(
    part: str, compose: dict[str, Any]
) -> None:
    service = compose["services"][part]
    assert service["command"] == PROCESSES[part]
    assert service["restart"] == "unless-stopped"
    assert "health/ready" in " ".join(service["healthcheck"]["test"])
    migration = "migrate-command" if part in ("command", "relay") else "migrate-projection"
    assert service["depends_on"][migration]["condition"] == "service_completed_successfully"


def test_only_the_gateway_has_an_address_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["gateway"]


def test_an_image_holds_only_what_its_process_declares(compose: dict[str, Any]) -> None:
    packages = {
        name: s["build"]["args"]["PACKAGES"] for name, s in compose["services"].items() if "build" in s
    }
    assert packages["command"] == packages["relay"] == "services/command"
    assert packages["worker"] == packages["changed"] == packages["query"] == "services/projection"


def test_each_container_has_its_own_secrets_and_may_not_write_them(compose: dict[str, Any]) -> None:
    mounted = {
        name: [one for one in service.get("volumes", []) if one.startswith("secrets")]
        for name, service in compose["services"].items()
    }
    filled = mounted.pop("secrets")
    assert sorted(filled) == sorted(
        ["secrets:/secrets/kept", *(f"secrets-{part}:/secrets/{part}" for part in (*PARTS, *SERVERS))]
    )
    for part in (*PARTS, *SERVERS):
        assert mounted.pop(part) == [f"secrets-{part}:/secrets:ro"]
    assert not any(mounted.values())


@pytest.mark.parametrize("part", [*PARTS, *SERVERS])
def test_what_a_container_is_told_is_what_it_has(part: str, compose: dict[str, Any]) -> None:
    environment = compose["services"][part]["environment"]
    handed = PARTS.get(part, Part(files=("superuser",)))
    named = {value.removeprefix("/secrets/") for value in environment.values() if "/secrets/" in value}
    assert named == {*handed.files} | ({"pgpass"} if part in PARTS else set())
    addresses = {f"postgresql://{one.role}@{one.host}:5432/{one.database}" for one in handed.logins}
    assert addresses == {value for value in environment.values() if value.startswith("postgresql://")}


def test_a_container_shares_a_network_with_the_servers_it_needs_alone(compose: dict[str, Any]) -> None:
    of = {name: set(service.get("networks", ())) for name, service in compose["services"].items()}
    for part, handed in PARTS.items():
        needed = {one.host for one in handed.logins}
        assert {server for server in SERVERS if of[server] & of[part]} == needed, part
    outside = {name for name, network in compose["networks"].items() if not (network or {}).get("internal")}
    assert outside == {"outside"}
    assert {name for name, networks in of.items() if networks & outside} == {"gateway"}


def test_containers_are_no_root_and_write_nowhere(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only") or name == "kafka"  # its own start script writes beside itself
        assert service.get("user") != "root" or name == "secrets"


def test_the_servers_make_the_roles_that_have_passwords(compose: dict[str, Any]) -> None:
    for server in SERVERS:
        environment = compose["services"][server]["environment"]
        made = {f"{environment['DATABASE']}_owner", *environment["ROLES"].split()}
        assert made == {one.role for part in PARTS.values() for one in part.logins if one.host == server}


def test_an_image_holds_the_members_themselves_and_not_paths_into_the_stage_that_built_it() -> None:
    recipe = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "--no-editable" in recipe and "--verify-hashes" in recipe
    assert "--constraints requirements.lock --build-constraints requirements.lock" in recipe
