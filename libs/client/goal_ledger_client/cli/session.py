"""What every command needs: where the ledger is, who asks, and how answers and refusals are told.

Exit codes, for scripts: 0 done (also if it already was so), 1 refused, 2 wrong usage, 3 not reached, not recorded or
outcome unknown (try again), 4 not signed in or not allowed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from goal_ledger_client.client import GoalLedger
from goal_ledger_client.exchange import Answer, Problem, Unavailable

DONE, REFUSED, WRONG_USAGE, NOT_REACHED, NOT_ALLOWED = range(5)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout")]
Reason = Annotated[str | None, typer.Option(help="Why; needed once a goal is active")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="True then: RFC 3339, 2026-03-31, -P1W, q3.end")]
KnownAt = Annotated[
    str | None, typer.Option("--known-at", help="As the record stood: a position, or as --as-of")
]
At = Annotated[str | None, typer.Option("--at", help="When it was true: RFC 3339 with an offset")]

PIPED_WIDTH = 10_000
"""In characters: what goes into a file or another program is not cut to a screen's width."""
_OF_EVERY_ANSWER = ("id", "version", "facts", "position", "receipts")

errors = Console(stderr=True)
out = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


@dataclass(frozen=True, slots=True)
class Session:
    """As the options before the command, or the environment, say."""

    command_url: str | None
    query_url: str | None
    token: str | None
    receipts: Path | None = None
    """Where the proofs of what is recorded go."""

    def ledger(self) -> GoalLedger:
        """Ends with WRONG_USAGE if it is not said where the ledger is and who asks."""
        if not (self.command_url and self.query_url and self.token):
            fail(
                WRONG_USAGE,
                "Where is the ledger? Set GOAL_LEDGER_COMMAND_URL, GOAL_LEDGER_QUERY_URL and GOAL_LEDGER_TOKEN, "
                "or give --stack .demo/stack.json.",
            )
        return GoalLedger(self.command_url, self.query_url, self.token)


def session_of(
    stack: Path | None,
    role: str,
    command_url: str | None,
    query_url: str | None,
    token: str | None,
    receipts: Path | None,
) -> Session:
    """Single options before the stack's, the stack's before nothing."""
    described: dict[str, Any] = {}
    if stack is not None:
        try:
            described = json.loads(stack.read_text())
        except (OSError, ValueError) as wrong:
            fail(WRONG_USAGE, f"{stack}: {wrong}")
        if token is None and role not in described.get("tokens", {}):
            fail(WRONG_USAGE, f"{stack} has no token of the role {role}.")
    return Session(
        command_url or described.get("command_url"),
        query_url or described.get("query_url"),
        token or described.get("tokens", {}).get(role),
        receipts,
    )


@contextmanager
def connected(context: typer.Context) -> Iterator[GoalLedger]:
    """The ledger; a refusal below ends the program with its exit code and sentence."""
    session: Session = context.obj
    with session.ledger() as ledger:
        try:
            yield ledger
        except Problem as problem:
            fail(code_of(problem), sentence_of(problem), problem)
        except BrokenPipeError:
            os._exit(DONE)


def code_of(problem: Problem) -> int:
    if isinstance(problem, Unavailable) or problem.status >= 500:
        return NOT_REACHED
    return NOT_ALLOWED if problem.status in (401, 403) else REFUSED


def sentence_of(problem: Problem) -> str:
    said = problem.document.get("detail") or problem.document.get("title") or ""
    where = f" (field {problem.field})" if problem.field else ""
    return f"{problem.code}: {said}{where}"


def fail(code: int, sentence: str, problem: Problem | None = None) -> NoReturn:
    """Ends the program. With GOAL_LEDGER_JSON_ERRORS set the problem goes to stderr as JSON."""
    if problem is not None and os.environ.get("GOAL_LEDGER_JSON_ERRORS"):
        typer.echo(json.dumps(dict(problem.document), ensure_ascii=False), err=True)
    else:
        errors.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def tell_json(body: Any) -> None:
    typer.echo(json.dumps(body, ensure_ascii=False, indent=None))


def tell_answer(answer: Answer, what: str, as_json: bool) -> None:
    """What became of a command."""
    if as_json:
        return tell_json(dict(answer.body or {}))
    state = "recorded" if answer.facts else "nothing new"
    line(f"{what} {answer.id}: {state} (version {answer.version}, position {answer.position})")
    for name, value in (answer.body or {}).items():
        if name not in _OF_EVERY_ANSWER:
            line(f"{name}: {value}")


def line(text: str) -> None:
    """One line as it is: nothing in it is markup, nothing is cut."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def send(context: typer.Context, path: str, body: dict[str, Any], what: str, as_json: bool) -> None:
    """Sends one command and tells what became of it."""
    with connected(context) as ledger:
        told(context, ledger, what, as_json, path, body)


def told(
    context: typer.Context, ledger: GoalLedger, what: str, as_json: bool, path: str, body: Any, **on: Any
) -> None:
    """What became of one command, ``on`` these preconditions of :meth:`GoalLedger.command`; with ``--receipts`` the proof of
    each of its facts is kept, once there is one."""
    session: Session = context.obj
    answer = ledger.command(path, body, **on, receipt=session.receipts is not None)
    tell_answer(answer, what, as_json)
    if session.receipts is None:
        return
    if answer.facts and not answer.receipts:
        fail(NOT_REACHED, "It is recorded. This installation signs no heads, so there is no receipt.")
    session.receipts.mkdir(parents=True, exist_ok=True)
    for address in answer.receipts:
        *_, workspace, epoch, _, seq = address.split("/")
        file = session.receipts / f"{workspace}-{epoch}-{seq}.tlog-proof"
        file.write_text(ledger.receipt(address))
        errors.print(f"receipt: {file}", highlight=False, soft_wrap=True)


def query(
    context: typer.Context, path: str, show: Callable[[Any], None], as_json: bool, /, **params: Any
) -> None:
    """Asks one question, and shows its answer or writes it as it is. ``params`` as of :meth:`GoalLedger.query`."""
    with connected(context) as ledger:
        body = ledger.query(path, **params)
    if as_json:
        tell_json(body)
    else:
        show(body)


def json_of(text: str) -> Any:
    """An argument that is JSON, numbers by their digits. Ends with WRONG_USAGE if it is not."""
    try:
        return json.loads(text, parse_float=str)
    except ValueError as bad:
        fail(WRONG_USAGE, f"not JSON: {bad}")


def without_none(**members: Any) -> dict[str, Any]:
    return {name: one for name, one in members.items() if one is not None}
