"""`make containers` leaves no service of the compose file out, and starts each after what it depends on."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from containers.changes import KILLED, STEPS
from containers.least import REACHES
from containers.stand_ins import STAND_INS
from goal_ledger_local.handing_out import SERVERS
from goal_ledger_local.logins import PARTS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_every_service_is_started_after_what_it_depends_on(services: dict[str, Any]) -> None:
    step = {service: number for number, step in enumerate(STEPS) for service in step}
    assert set(step) == set(services)
    for name, service in services.items():
        assert all(step[needed] < step[name] for needed in service.get("depends_on", ())), name


def test_every_service_that_runs_on_is_killed(services: dict[str, Any]) -> None:
    assert set(KILLED) == {name for name, of in services.items() if of.get("restart") == "unless-stopped"}


def test_every_part_is_asked_what_it_has(services: dict[str, Any]) -> None:
    assert set(REACHES) == set(PARTS)
    of = {name: set(service.get("networks", ())) for name, service in services.items()}
    for part, reached in REACHES.items():
        assert reached == [server for server in (*SERVERS, "kafka") if of[server] & of[part]], part


def test_every_image_of_others_has_a_stand_in(services: dict[str, Any]) -> None:
    recipe = (ROOT / "deploy/Dockerfile").read_text().splitlines()
    bases = {line.split()[1] for line in recipe if line.startswith("FROM ")}
    others = {service["image"] for service in services.values() if "build" not in service}
    assert bases | others == set(STAND_INS.values())
    assert {file.stem for file in (ROOT / "deploy/containers/stand_ins").glob("*.Dockerfile")} == set(
        STAND_INS
    )
