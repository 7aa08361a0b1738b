"""What `goal-ledger --help` promises of every command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from goal_ledger_client.cli.app import app
from typer.main import get_command


def commands(group: Any, *above: str) -> Iterator[tuple[str, Any]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, *above, name)
        else:
            yield " ".join((*above, name)), one


COMMANDS = dict(commands(get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_json_and_shows_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert "--json" in [option for parameter in command.params for option in parameter.opts]
    assert f"Example: goal-ledger {name}" in (command.help or "").replace(
        "--stack .demo/stack.json ", ""
    ).replace("--role importer ", "")


@pytest.mark.parametrize("name", ["changes-since", "restatements"])
def test_a_distance_back_is_no_option(name: str) -> None:
    context = COMMANDS[name].make_context(name, ["-P1W", "--limit", "3"])
    assert (context.params["since"], context.params["limit"]) == ("-P1W", 3)
