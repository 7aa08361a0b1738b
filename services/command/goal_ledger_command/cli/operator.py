"""The operator's command line: what no role of a workspace can do, on the databases directly.

It is one more writer through the same append and sealing; the guard of the head puts it in order with the others.
Exit codes: 0 done (also when it already was so), 1 refused, 2 wrong usage, 3 nothing recorded or outcome unknown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

operator = typer.Typer(
    help="What no role of a workspace can do: create one, shred a person, issue the first key, grant a role, begin a new epoch.",
    no_args_is_help=True,
)

Workspace = Annotated[str, typer.Option(help="1–40 of a–z 0–9 -")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout")]


@operator.command("create-workspace")
def create_workspace(
    id: Workspace,
    name: Annotated[str, typer.Option(help="Name of the organisation")],
    time_zone: Annotated[str, typer.Option(help="IANA time zone, such as Europe/Oslo")],
    admin_person: Annotated[str, typer.Option(help="Id of the first admin, such as ada")],
    admin_name: Annotated[str, typer.Option(help="Display name of the first admin; sealed")],
    issuer: Annotated[str, typer.Option(help="Issuer (iss) of the admin's tokens")],
    subject: Annotated[str, typer.Option(help="Subject (sub) of the admin's tokens")],
    since: Annotated[
        str | None, typer.Option(help="Begins in the past, to hold an imported one: RFC 3339 with an offset")
    ] = None,
    admin_imports: Annotated[
        bool, typer.Option("--admin-imports", help="The first admin is an importer too, from the beginning")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a workspace with its first admin. Done already: nothing new, exit 0.

    Example: operator create-workspace --id acme --name Acme --time-zone Europe/Oslo --admin-person ada
    --admin-name "Ada Berg" --issuer https://login.example.org --subject 7f3a
    """
    from goal_ledger_command.cli import operations

    admin = (admin_person, admin_name, issuer, subject)
    operations.create_workspace(id, name, time_zone, admin, since, imports=admin_imports, as_json=as_json)


@operator.command("shred-person")
def shred_person(
    workspace: Workspace,
    person: Annotated[str, typer.Option(help="Id of the person")],
    reason: Annotated[str, typer.Option(help="Whose order it is; in clear in the record")],
    as_json: AsJson = False,
) -> None:
    """Erase every text of a person, everywhere, for good: the fact first, then the key.

    Example: operator shred-person --workspace acme --person kari --reason "Request 2026-117"
    """
    from goal_ledger_command.cli import operations

    operations.shred_person(workspace, person, reason, as_json=as_json)


@operator.command("issue-key")
def issue_key(
    workspace: Workspace,
    holder: Annotated[str, typer.Option(help="system/<id> or person/<id>")],
    key: Annotated[str | None, typer.Option(help="Id of the key; left out: a UUIDv7")] = None,
    as_json: AsJson = False,
) -> None:
    """Issue an API key. It is shown this once.

    Example: operator issue-key --workspace acme --holder system/web-shop --json
    """
    from goal_ledger_command.cli import operations

    operations.issue_key(workspace, holder, key, as_json=as_json)


@operator.command("grant")
def grant(
    workspace: Workspace,
    holder: Annotated[str, typer.Option(help="person/<id> or system/<id>, there already")],
    role: Annotated[
        str, typer.Option(help="emitter, contributor, owner, admin, importer, analyst or auditor")
    ],
    reason: Annotated[str | None, typer.Option(help="In clear in the record")] = None,
    as_json: AsJson = False,
) -> None:
    """Grant a role, where no admin is left who can. They sign in with their identity, or with a key of `issue-key`.

    Example: operator grant --workspace acme --holder person/kari --role admin
    """
    from goal_ledger_command.cli import operations

    operations.grant(workspace, holder, role, reason, as_json=as_json)


@operator.command("new-epoch")
def new_epoch(
    reason: Annotated[str, typer.Option(help="What was restored, and why; in clear in the record")],
    workspace: Annotated[str | None, typer.Argument(help="1–40 of a–z 0–9 -")] = None,
    all_workspaces: Annotated[bool, typer.Option("--all", help="Every workspace in the store")] = False,
    lost_position: Annotated[
        list[str] | None,
        typer.Option(help="A position given out after the moment restored, such as 2-151; repeatable"),
    ] = None,
    lost_head: Annotated[
        list[Path] | None, typer.Option(help="A file with a checkpoint signed after it; repeatable")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Begin a new epoch where the store was set back together with Kafka. Run it before anything is written.

    The epoch will be above the store's own, and above that of each lost position and head.

    Example: operator new-epoch --all --reason "Store and Kafka restored to the backup of 02:00"
    """
    from goal_ledger_command.cli.new_epoch import begin_epochs

    begin_epochs(
        reason, workspace, lost_position or [], lost_head or [], every=all_workspaces, as_json=as_json
    )


@operator.command("publish-again")
def publish_again(workspace: Workspace) -> None:
    """Have the relay publish a workspace's facts to Kafka again, from seq 1. Readers drop what they have.

    Example: operator publish-again --workspace acme
    """
    from goal_ledger_command.cli import operations

    operations.publish_again(workspace)


store = typer.Typer(help="The store after a restore.", no_args_is_help=True)
operator.add_typer(store, name="store")


@store.callback()
def of_the_store() -> None:
    """The store after a restore."""


@store.command("recover")
def recover(
    workspaces: Annotated[list[str] | None, typer.Argument(help="Left out: all that are behind")] = None,
    reason: Annotated[
        str | None, typer.Option(help="What was restored, and why; in clear in the record")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come back; write nothing")
    ] = False,
    as_far_as_it_goes: Annotated[
        bool,
        typer.Option("--as-far-as-it-goes", help="Also where Kafka's facts do not continue to their end"),
    ] = False,
    signed_only: Annotated[
        bool,
        typer.Option(
            "--signed-only", help="Put back no fact that lies under no signed head: it may be forged"
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put back, byte for byte, the facts that Kafka holds beyond a store that was restored; then begin a new epoch.

    Run it again after it was interrupted. A workspace whose facts do not all continue is left alone, unless asked for.

    Example: operator store recover --reason "Ledger database restored to the dump of 02:00"
    """
    from goal_ledger_command.cli.store_recover import recover_store

    recover_store(
        workspaces or [],
        reason,
        dry_run=dry_run,
        as_far_as_it_goes=as_far_as_it_goes,
        signed_only=signed_only,
        as_json=as_json,
    )
