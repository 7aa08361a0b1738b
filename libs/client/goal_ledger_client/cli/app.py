"""``goal-ledger``: the entrance, with the options that all commands share."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from goal_ledger_client.cli import (
    access,
    amending,
    attributing,
    auditing,
    comparing,
    datasets,
    differing,
    explaining,
    goal_questions,
    goals,
    habits,
    moving,
    organisation,
    questions,
    readings,
    rhythm,
    words,
)
from goal_ledger_client.cli.session import line, session_of

EPILOG = (
    "Exit codes: 0 done (also if it already was so), 1 refused, 2 wrong usage, 3 not reached or not recorded "
    "(try again), 4 not signed in or not allowed."
)

app = typer.Typer(
    help="Goal Ledger on the command line: goals, check-ins, questions, imports and exports.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:
    if asked:
        line(f"goal-ledger {version('goal-ledger-client')}")
        raise typer.Exit


@app.callback()
def connection(
    context: typer.Context,
    command_url: Annotated[
        str | None, typer.Option(envvar="GOAL_LEDGER_COMMAND_URL", help="Address of the command service")
    ] = None,
    query_url: Annotated[
        str | None, typer.Option(envvar="GOAL_LEDGER_QUERY_URL", help="Address of the query service")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="GOAL_LEDGER_TOKEN", help="Access token or API key", show_envvar=True),
    ] = None,
    stack: Annotated[
        Path | None,
        typer.Option(envvar="GOAL_LEDGER_STACK", help="stack.json of make demo, instead of the above"),
    ] = None,
    role: Annotated[
        str, typer.Option(help="Whose token of the stack: admin, owner, importer, analyst …")
    ] = "admin",
    receipts: Annotated[
        Path | None,
        typer.Option(
            help="A folder: the proof of each fact that is recorded goes there, once a head covers it"
        ),
    ] = None,
    _: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_tell_version, help="The version, and nothing else"
        ),
    ] = False,
) -> None:
    """Goal Ledger on the command line: goals, check-ins, questions, imports and exports.

    Example: goal-ledger --stack .demo/stack.json objectives
    """
    context.obj = session_of(stack, role, command_url, query_url, token, receipts)


app.add_typer(goals.objective, name="objective")
app.add_typer(goals.key_result, name="key-result")
for one in (
    words,
    goals,
    goal_questions,
    explaining,
    attributing,
    amending,
    comparing,
    organisation,
    access,
    readings,
    rhythm,
    questions,
    moving,
    auditing,
    differing,
    habits,
    datasets,
):
    one.register(app)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
