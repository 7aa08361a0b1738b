"""What is said of goals: check-ins, corrections, comments, kudos."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client.cli.session import WRONG_USAGE, AsJson, At, Reason, fail, send, without_none


def check_in(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="Id of the key result, or objective/<id>")],
    value: Annotated[
        list[str] | None, typer.Option("--value", help="12.5, or part=12.5; several times")
    ] = None,
    done: Annotated[str | None, typer.Option(help="Steps done, with commas; '-': none")] = None,
    confidence: Annotated[str | None, typer.Option(help="0–1 in steps of 0.1")] = None,
    status: Annotated[str | None, typer.Option(help="on_track, behind or at_risk")] = None,
    note: Annotated[str | None, typer.Option(help="Personal text, sealed")] = None,
    blocker: Annotated[list[str] | None, typer.Option(help="Several times")] = None,
    id: Annotated[str | None, typer.Option(help="Chosen by you, else one is made")] = None,
    reason: Reason = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Check in on a key result or an objective.

    Example: goal-ledger check-in customers --value 250 --confidence 0.7 --note "The fair went well"

    Example: goal-ledger check-in open --done design,payment
    """
    kind, _, name = target.rpartition("/")
    path = f"/v1/objectives/{name}" if kind == "objective" else f"/v1/key-results/{name}"
    body = without_none(
        id=id,
        values=_values(value, done),
        confidence=confidence,
        status=status,
        note=note,
        blockers=blocker,
        reason=reason,
        effective_at=at,
    )
    send(context, f"{path}/check-ins", body, "check-in", as_json)


def _values(values: list[str] | None, done: str | None) -> list[dict[str, Any]] | None:
    found: list[dict[str, Any]] = []
    for one in values or ():
        part, _, value = one.rpartition("=")
        found.append({"part": part or "value", "value": value})
    if done is not None:
        steps = [step for step in done.split(",") if step and step != "-"]
        found.append({"part": "value", "done": steps})
    return found or None


def comment(
    context: typer.Context,
    on: Annotated[str, typer.Argument(help="objective/<id> or check-in/<id>")],
    text: Annotated[str, typer.Argument(help="Personal text, sealed")],
    as_json: AsJson = False,
) -> None:
    """Comment on an objective or a check-in.

    Example: goal-ledger comment objective/growth "Well done"
    """
    send(context, f"/v1/{_place(on)}/comments", {"text": text}, "comment", as_json)


def kudos(
    context: typer.Context,
    on: Annotated[str, typer.Argument(help="objective/<id> or check-in/<id>")],
    text: Annotated[str | None, typer.Argument(help="Personal text, sealed")] = None,
    as_json: AsJson = False,
) -> None:
    """Give kudos for an objective or a check-in.

    Example: goal-ledger kudos objective/growth "Thank you"
    """
    send(context, f"/v1/{_place(on)}/kudos", without_none(text=text), "kudos", as_json)


def _place(on: str) -> str:
    kind, _, id = on.partition("/")
    if kind not in ("objective", "check-in"):
        fail(WRONG_USAGE, "on is objective/<id> or check-in/<id>")
    return f"{kind}s/{id}"


def correct(
    context: typer.Context,
    check_in: Annotated[str, typer.Argument(help="Id of the check-in")],
    reason: Annotated[str, typer.Option(help="Why")],
    value: Annotated[list[str] | None, typer.Option("--value", help="12.5, or part=12.5")] = None,
    done: Annotated[str | None, typer.Option(help="Steps done, with commas; '-': none")] = None,
    confidence: Annotated[str | None, typer.Option(help="0–1 in steps of 0.1")] = None,
    status: Annotated[str | None, typer.Option(help="on_track, behind or at_risk")] = None,
    note: Annotated[str | None, typer.Option(help="Personal text, sealed")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Correct a check-in: its whole new content.

    Example: goal-ledger correct week-7 --value 245 --reason "Counted twice"
    """
    said = without_none(values=_values(value, done), confidence=confidence, status=status, note=note)
    body = {**said, **without_none(reason=reason, effective_at=at)}
    send(context, f"/v1/check-ins/{check_in}/correct", body, "corrected:", as_json)


def retract(
    context: typer.Context,
    check_in: Annotated[str, typer.Argument(help="Id of the check-in")],
    reason: Annotated[str, typer.Option(help="Why")],
    as_json: AsJson = False,
) -> None:
    """Retract a check-in, for good.

    Example: goal-ledger retract week-7 --reason "Another shop's figure"
    """
    send(context, f"/v1/check-ins/{check_in}/retract", {"reason": reason}, "retracted:", as_json)


def register(app: typer.Typer) -> None:
    app.command("check-in")(check_in)
    for one in (correct, retract, comment, kudos):
        app.command(one.__name__)(one)
