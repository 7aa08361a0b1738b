"""The gateway looks services up while it runs, and its own refusals are written as the services write theirs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from goal_ledger_contracts.refusal_codes import HTTP
from goal_ledger_edge.problems import TITLES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def configuration() -> str:
    return (ROOT / "deploy/gateway/nginx.conf").read_text()


@pytest.fixture(scope="module")
def gateway() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]


def test_a_service_with_a_new_address_is_found(configuration: str, gateway: dict[str, Any]) -> None:
    assert "upstream" not in configuration
    assert all("$" in target for target in re.findall(r"proxy_pass (\S+);", configuration))
    written = re.search(r"include (\S+);", configuration)
    assert written and f"> {written[1]}" in gateway["command"][2]


def test_only_the_first_name_server_is_asked(gateway: dict[str, Any]) -> None:
    """Those after it may be the machine's own, which know no service: podman 4.3 names them too."""
    assert "exit }' /etc/resolv.conf" in gateway["command"][2]


def test_each_refusal_has_the_code_and_the_title_that_the_services_give(configuration: str) -> None:
    refused = re.search(r"map \$status \$refused \{(.*?)\}", configuration, re.S)
    assert refused
    codes = dict(re.findall(r"(\d{3}) (\w+);", refused[1]))
    assert codes == {str(HTTP[code][0]): code for code in codes.values()}
    titles = dict(re.findall(r"(\w+) '\"title\":\"([^\"]+)\"", configuration))
    assert titles.pop("default") == TITLES["malformed_request"]
    assert titles == {code: TITLES[code] for code in codes.values()}


def test_every_status_that_is_refused_with_is_one_of_those(configuration: str) -> None:
    led = " ".join(re.findall(r"error_page (.*?) /refused;", configuration))
    statuses = {int(one) for one in re.findall(r"(?<!=)\b\d{3}\b(?! =)", led)} - {494, 501}
    turned = {int(one) for one in re.findall(r"=(\d{3})", led)}
    assert statuses - {505} | turned <= {HTTP[code][0] for code in HTTP}
