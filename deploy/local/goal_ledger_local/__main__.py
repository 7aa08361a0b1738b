"""`python -m goal_ledger_local`: the stack without the demo, and the words others use on a running one."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer

from goal_ledger_local.postgres_server import remove_cluster
from goal_ledger_local.processes import PartFailed
from goal_ledger_local.tools import REPOSITORY, ToolMissing

if TYPE_CHECKING:
    from goal_ledger_local.settings import Installation

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Directory = Annotated[Path, typer.Option("--dir", help="Where the data lives.")]
DEFAULT = REPOSITORY / ".demo"


@app.command()
def up(directory: Directory = DEFAULT, commands: Annotated[int, typer.Option(min=1, max=8)] = 1) -> None:
    """Run the stack until Ctrl-C."""
    from goal_ledger_local.stack import Stack

    try:
        with Stack(directory, commands=commands) as stack:
            described = stack.publish()
            typer.echo(f"command {described['command_url']}  query {described['query_url']}")
            typer.echo(f"ready; details in {stack.file}, logs in {stack.logs}; Ctrl-C ends it")
            signal.pause()
    except KeyboardInterrupt:
        typer.echo("stopped")


@app.command()
def restart(part: str, directory: Directory = DEFAULT) -> None:
    """Start a part of the running stack again, on the same port; returns when it is ready."""
    from goal_ledger_local.control import ask_restart

    pid = ask_restart(directory.resolve() / "control.json", part)
    typer.echo(f"{part} is ready (process {pid})")


@app.command()
def clean(directory: Directory = DEFAULT) -> None:
    """Remove the data of a stack that is not running."""
    from goal_ledger_local.lock import DirectoryLock

    if not directory.exists():
        return
    lock = DirectoryLock(directory.resolve() / "lock")
    remove_cluster(directory / "postgres")
    shutil.rmtree(directory)
    lock.release()


PASSED_ON = {"ignore_unknown_options": True, "help_option_names": ["-h"]}
Words = Annotated[list[str], typer.Argument()]


@app.command(context_settings=PASSED_ON)
def operator(words: Words, directory: Directory = DEFAULT) -> None:
    """The operator's command line on the running stack, such as: operator shred-person --help"""
    from goal_ledger_local.services import COMMAND

    _run(COMMAND, "operator", *words, settings=_installation(directory).operator())


@app.command(context_settings=PASSED_ON)
def projection(words: Words, directory: Directory = DEFAULT) -> None:
    """The projection service's command line on the running stack, such as: projection rebuild --only-compare"""
    from goal_ledger_local.services import PROJECTION

    internal = _described(directory)["command_internal_url"]
    _run(PROJECTION, *words, settings=_installation(directory).projection_owner(internal))


@app.command()
def env(directory: Directory = DEFAULT) -> None:
    """Shell variables of the running stack: eval "$(python -m goal_ledger_local env)"."""
    described = _described(directory)
    named = {"COMMAND_URL": described["command_url"], "QUERY_URL": described["query_url"]}
    named |= {f"{role.upper()}_TOKEN": token for role, token in described["tokens"].items()}
    for name, value in named.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def secrets(directory: Annotated[Path, typer.Argument(help="Where the secret files go.")]) -> None:
    """Make the secret files of an installation that are not there yet, each with mode 0600."""
    from goal_ledger_local.credentials import Credentials

    Credentials(directory.resolve()).make()


@app.command("hand-out")
def hand_out(directory: Annotated[Path, typer.Argument(help="Where the volumes are mounted.")]) -> None:
    """Make the secrets of an installation with containers, and lay out each container's own."""
    from goal_ledger_local.handing_out import hand_out as lay_out

    lay_out(directory.resolve())


@app.command()
def token(
    subject: str,
    workspace: str,
    directory: Annotated[Path, typer.Option("--secrets", help="Where the secret files are.")],
    ttl_s: Annotated[int, typer.Option(min=1, help="Valid for so many seconds.")] = 24 * 3600,
) -> None:
    """Sign a person's token as the local issuer; who the subject is in the workspace, the ledger knows."""
    from goal_ledger_local.credentials import Credentials

    typer.echo(Credentials(directory.resolve()).mint_token(subject, workspace, ttl_s))


@app.command()
def tools(
    install: Annotated[bool, typer.Option("--install", help="Install what is missing.")] = False,
) -> None:
    """Look for Java, the jars of Apache Kafka and PostgreSQL, and fetch what may be fetched."""
    from goal_ledger_local.system_packages import see_to_tools

    for line in see_to_tools(install=install):
        typer.echo(line)


def _run(package: str, *words: str, settings: Mapping[str, str]) -> NoReturn:
    argv = [sys.executable, "-m", package, *words]
    raise SystemExit(subprocess.call(argv, env={**os.environ, **settings}))


def _installation(directory: Path) -> Installation:
    from goal_ledger_local.credentials import Credentials
    from goal_ledger_local.logins import Addresses
    from goal_ledger_local.settings import Installation

    described, password = _described(directory), directory.resolve() / "postgres" / "password"
    port = urlsplit(described["ledger_database_url"]).port
    assert port is not None
    return Installation(
        Addresses(port, password.read_text()),
        kafka=described["kafka"],
        credentials=Credentials(directory.resolve() / "secrets"),
    )


def _described(directory: Path) -> dict[str, Any]:
    file = directory.resolve() / "stack.json"
    if not file.exists():
        raise PartFailed(f"no stack runs in {directory}: {file} is not there; start one with: make demo")
    described: dict[str, Any] = json.loads(file.read_text())
    return described


def main() -> None:
    """Refusals are one line on stderr and exit code 1."""
    try:
        app()
    except (PartFailed, ToolMissing) as problem:
        typer.echo(str(problem), err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
