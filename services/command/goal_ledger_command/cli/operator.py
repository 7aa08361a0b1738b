"""The operator's command line: what no role of a workspace can do, on the databases directly.

It is one more writer through the same append and sealing; the guard of the head puts it in order with the others.
Exit codes: 0 done (also when it already was so), 1 refused, 2 wrong usage, 3 nothing recorded or outcome unknown.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.ids import uuid7
from goal_ledger_domain.access import GrantRole, IssueKey
from goal_ledger_domain.authorise import authorise_command
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide, exclusive, lookups, neighbours
from goal_ledger_domain.person import ShredPerson
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.workspace import CreateWorkspace, FirstAdmin
from goal_ledger_domain.world import World
from goal_ledger_ledger.submission import CommandAnswer, LedgerError, Submission, UnknownWorkspace
from pydantic import ValidationError
from rich.console import Console

from goal_ledger_command.credentials import KeyMaker
from goal_ledger_command.settings import Settings

REFUSED, WRONG_USAGE, NOT_DONE = 1, 2, 3

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
    begins = None if since is None else _instant(since)
    created = creation(id, name, time_zone, (admin_person, admin_name, issuer, subject), begins)
    granted = [_submission(id, GrantRole(meta(begins=begins), f"person/{admin_person}", "importer"))]
    answer = _perform(created, *(granted if admin_imports else []))
    _tell(answer, as_json, f"workspace {id}", workspace=id)


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
    answer = _perform(_submission(workspace, ShredPerson(meta(reason), person)))
    _tell(answer, as_json, f"person {person} shredded", workspace=workspace, person=person)


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
    maker, key_id = KeyMaker(workspace), uuid7() if key is None else key
    digest = maker.digest_of_new(key_id)
    answer = _perform(_submission(workspace, IssueKey(meta(), key_id, holder, digest)))
    _tell(answer, as_json, f"key {key_id}: {maker.key}", workspace=workspace, key=maker.key)


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
    answer = _perform(_submission(workspace, GrantRole(meta(reason), holder, role)))
    _tell(answer, as_json, f"{holder} is {role}", workspace=workspace, holder=holder, role=role)


def creation(
    workspace: str,
    name: str,
    time_zone: str,
    admin: tuple[str, str, str, str],
    begins: datetime | None = None,
) -> Submission:
    """Of a workspace with its first admin: person, display name, issuer and subject of their tokens."""
    command = CreateWorkspace(meta(begins=begins), workspace, name, time_zone, FirstAdmin(*admin))
    return _submission(workspace, command, creates=True)


def meta(reason: str | None = None, begins: datetime | None = None) -> Meta:
    """Of a command of the operator's."""
    id = uuid7()
    return Meta(
        actor="operator",
        correlation_id=id,
        causation_id=id,
        reason=reason,
        effective_at=begins,
        importing=begins is not None,
    )


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        fail(WRONG_USAGE, f"--since {text}: not an RFC 3339 instant with an offset")


def _submission(workspace: str, command: Any, *, creates: bool = False) -> Submission:
    def decided(world: World, situation: Situation) -> Decision:
        authorise_command(world, command, situation)
        return decide(world, command, situation)

    return Submission(
        workspace=workspace,
        decide=decided,
        lookups=lookups(command),
        neighbours=neighbours(command),
        exclusive=exclusive(command),
        creates_workspace=creates,
    )


def _perform(*submissions: Submission) -> CommandAnswer:
    """The last answer."""
    try:
        return asyncio.run(_append(settings_or_fail(), submissions))
    except Refusal as refused:
        fail(REFUSED, f"{refused.code}: {refused.sentence}")
    except UnknownWorkspace as refused:
        fail(REFUSED, f"{refused.code}: {refused.sentence}")
    except LedgerError as failed:
        fail(NOT_DONE, f"{failed.code}: {failed.sentence}")


async def _append(settings: Settings, submissions: tuple[Submission, ...]) -> CommandAnswer:
    from goal_ledger_command.wiring import (
        open_for_operator,  # only now: the relay's start need not wait for it
    )

    async with open_for_operator(settings) as ledger:
        for submission in submissions:
            answer = await ledger.submit(submission)
        return answer


def settings_or_fail() -> Settings:
    """From the environment; else exit code 2 and which are missing."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as missing:
        names = ", ".join(str(one["loc"][0]).upper() for one in missing.errors())
        fail(WRONG_USAGE, f"these settings are missing or wrong: {names}")


def fail(code: int, sentence: str) -> NoReturn:
    """One line on stderr, and the exit code."""
    Console(stderr=True).print(sentence, style="red", markup=False)
    raise typer.Exit(code)


def _tell(answer: CommandAnswer, as_json: bool, sentence: str, **members: Any) -> None:
    if as_json:
        facts = [{"seq": one.seq, "event_id": one.event_id, "type": one.type} for one in answer.facts]
        body = {**members, "id": answer.id, "version": answer.version, "facts": facts}
        typer.echo(json.dumps(body | {"position": str(answer.position), "new": bool(facts)}))
        return
    state = "done" if answer.facts else "nothing new"
    Console().print(f"{sentence} ({state}, position {answer.position})", markup=False, soft_wrap=True)
