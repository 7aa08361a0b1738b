"""What the operator's commands do, behind the words that `operator` declares; loaded when one of them runs."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any, NoReturn

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
from goal_ledger_ledger.store import transaction
from goal_ledger_ledger.submission import CommandAnswer, LedgerError, Submission, UnknownWorkspace
from goal_ledger_ledger.tables_transport import published
from goal_ledger_observability.logs import configure_logging
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy import delete

from goal_ledger_command.credentials import KeyMaker
from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import open_for_operator, store_for_operator

REFUSED, WRONG_USAGE, NOT_DONE = 1, 2, 3
NamedAdmin = tuple[str, str, str, str]
"""Person, display name, issuer and subject of their tokens."""


def create_workspace(
    id: str, name: str, time_zone: str, admin: NamedAdmin, since: str | None, *, imports: bool, as_json: bool
) -> None:
    begins = None if since is None else _instant(since)
    created = creation(id, name, time_zone, admin, begins)
    granted = [submission(id, GrantRole(meta(begins=begins), f"person/{admin[0]}", "importer"))]
    answer = _perform(created, *(granted if imports else []))
    _tell(answer, as_json, f"workspace {id}", workspace=id)


def shred_person(workspace: str, person: str, reason: str, *, as_json: bool) -> None:
    answer = _perform(submission(workspace, ShredPerson(meta(reason), person)))
    _tell(answer, as_json, f"person {person} shredded", workspace=workspace, person=person)


def issue_key(workspace: str, holder: str, key: str | None, *, as_json: bool) -> None:
    maker, key_id = KeyMaker(workspace), uuid7() if key is None else key
    digest = maker.digest_of_new(key_id)
    answer = _perform(submission(workspace, IssueKey(meta(), key_id, holder, digest)))
    _tell(answer, as_json, f"key {key_id}: {maker.key}", workspace=workspace, key=maker.key)


def grant(workspace: str, holder: str, role: str, reason: str | None, *, as_json: bool) -> None:
    answer = _perform(submission(workspace, GrantRole(meta(reason), holder, role)))
    _tell(answer, as_json, f"{holder} is {role}", workspace=workspace, holder=holder, role=role)


def publish_again(workspace: str) -> None:
    """Forget how far it was published: the relay begins a new life at seq 1 as soon as it sees that."""
    try:
        known = asyncio.run(_forget_published(settings_or_fail(), workspace))
    except LedgerError as failed:
        fail(NOT_DONE, f"{failed.code}: {failed.sentence}")
    if not known:
        fail(REFUSED, f"unknown_workspace: nothing of {workspace} was published.")
    Console().print(f"workspace {workspace} is published again from seq 1", markup=False, soft_wrap=True)


async def _forget_published(settings: Settings, workspace: str) -> bool:
    async with store_for_operator(settings) as opened, transaction(opened.engine) as store:
        done = await store.execute(delete(published).where(published.c.workspace == workspace))
        return bool(done.rowcount)


def creation(
    workspace: str,
    name: str,
    time_zone: str,
    admin: NamedAdmin,
    begins: datetime | None = None,
) -> Submission:
    """Of a workspace with its first admin."""
    command = CreateWorkspace(meta(begins=begins), workspace, name, time_zone, FirstAdmin(*admin))
    return submission(workspace, command, creates=True)


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


def submission(workspace: str, command: Any, *, creates: bool = False) -> Submission:
    """A command as the operator sends it."""

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
    async with open_for_operator(settings) as ledger:
        for submission in submissions:
            answer = await ledger.submit(submission)
        return answer


def settings_or_fail() -> Settings:
    """From the environment; else exit code 2 and which are missing."""
    configure_logging("operator", "WARNING")  # to stderr: stdout is for what was asked
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
