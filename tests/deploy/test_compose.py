"""The container files agree with the compose schema, with the settings the services read, and with DESIGN 5."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from goal_ledger_local.credentials import Credentials

ROOT = Path(__file__).parents[2]
PROCESSES = {
    "command": ["python", "-m", "goal_ledger_command", "serve"],
    "relay": ["python", "-m", "goal_ledger_command", "relay"],
    "worker": ["python", "-m", "goal_ledger_projection", "worker"],
    "query": ["python", "-m", "goal_ledger_projection", "query"],
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
    assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_only_the_gateway_has_an_address_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["gateway"]


def test_an_image_holds_only_what_its_process_declares(compose: dict[str, Any]) -> None:
    packages = {
        name: s["build"]["args"]["PACKAGES"] for name, s in compose["services"].items() if "build" in s
    }
    assert packages["command"] == packages["relay"] == "services/command"
    assert packages["worker"] == packages["query"] == "services/projection"


def test_the_secrets_are_readable_by_the_services_and_written_by_the_migration_step_alone(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            if volume.startswith("secrets:"):
                assert volume.endswith(":ro") == (name != "migrate")


def test_the_secrets_are_the_files_that_the_migration_step_makes(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    Credentials(tmp_path).make()
    made = {f"/secrets/{file.name}" for file in tmp_path.iterdir()}
    named = {
        value
        for service in compose["services"].values()
        for value in service.get("environment", {}).values()
        if str(value).startswith("/secrets/")
    }
    assert named and named <= made
