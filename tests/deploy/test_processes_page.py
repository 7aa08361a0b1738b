"""The operator's page of processes names every command that there is, and every option of those that run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from goal_ledger_command.__main__ import app as command
from goal_ledger_local.__main__ import app as local
from goal_ledger_projection.__main__ import app as projection
from typer.main import get_command

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations"
PAGE = (OPERATIONS / "processes.md").read_text(encoding="utf-8")
APPS = {
    "goal_ledger_command": command,
    "goal_ledger_projection": projection,
    "goal_ledger_local": local,
}


@pytest.mark.parametrize("package", APPS)
def test_the_page_names_every_command(package: str) -> None:
    found: Any = get_command(APPS[package])
    for name, one in found.commands.items():
        assert f"python -m {package} {name}" in PAGE, name
        options = [] if package == "goal_ledger_local" else [opt for p in one.params for opt in p.opts]
        for option in options:
            assert not option.startswith("--") or option in PAGE, (name, option)


def test_the_operators_page_names_each_of_its_commands() -> None:
    page = (OPERATIONS / "operator.md").read_text(encoding="utf-8")
    found: Any = get_command(command)
    for name, one in found.commands["operator"].commands.items():
        below = [f"{name} {verb}" for verb in getattr(one, "commands", {})]
        for words in below or [name]:
            assert f"`{words}`" in page, words
