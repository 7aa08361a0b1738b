"""``python -m goal_ledger_command``: the processes of the command service. Each loads what it needs when it begins."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from goal_ledger_command.cli import operator_commands

app = typer.Typer(
    help="The command service of Goal Ledger. Everything is set in the environment.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(operator_commands, name="operator")


@app.command()
def serve(
    no_intake: Annotated[bool, typer.Option("--no-intake", help="Only the API")] = False,
    no_api: Annotated[bool, typer.Option("--no-api", help="Only the intake")] = False,
) -> None:
    """API (public and internal listener) and intake in one process."""
    from goal_ledger_edge.settings import settings_of

    from goal_ledger_command import wiring
    from goal_ledger_command.settings import Settings

    wiring.run(settings_of(Settings), api=not no_api, intake=not no_intake)


@app.command()
def relay() -> None:
    """Everything that leaves the store for Kafka. One is active, others stand by."""
    from goal_ledger_edge.settings import settings_of

    from goal_ledger_command import relay as relaying
    from goal_ledger_command.settings import RelaySettings

    relaying.run(settings_of(RelaySettings))


@app.command()
def migrate(
    command_role: Annotated[
        str | None, typer.Option(help="The database role of `serve` and `operator`: granted what they need.")
    ] = None,
    relay_role: Annotated[
        str | None, typer.Option(help="The database role of `relay`: granted what it needs.")
    ] = None,
) -> None:
    """Bring the ledger and keys databases to this release's tables."""
    from goal_ledger_edge.settings import settings_of

    from goal_ledger_command.migrations import migrate as upgrade
    from goal_ledger_command.settings import MigrationSettings

    settings = settings_of(MigrationSettings)
    roles = {"command": command_role, "relay": relay_role}
    asyncio.run(upgrade(settings.ledger_database_url, settings.keys_database_url, roles))
    typer.echo("ledger and keys: at the newest schema")


if __name__ == "__main__":
    app()
