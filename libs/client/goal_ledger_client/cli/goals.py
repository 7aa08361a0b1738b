"""Common commands on goals. Every other one: ``goal-ledger send PATH BODY``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client.cli.session import (
    AsJson,
    At,
    Reason,
    connected,
    json_of,
    send,
    told,
    without_none,
)

objective = typer.Typer(help="Objectives: draft, activate, close …", no_args_is_help=True)
key_result = typer.Typer(help="Key results: add, change, bind, drop.", no_args_is_help=True)

ObjectiveId = Annotated[str, typer.Argument(help="Id of the objective")]
KeyResultId = Annotated[str, typer.Argument(help="Id of the key result")]


@objective.command("draft")
def draft(
    context: typer.Context,
    title: Annotated[str, typer.Argument(help="What one wants to reach")],
    owner: Annotated[str, typer.Option(help="unit/<id> or person/<id>")],
    id: Annotated[str | None, typer.Option(help="Chosen by you, else one is made")] = None,
    cycle: Annotated[str | None, typer.Option(help="Id of the cycle")] = None,
    kind: Annotated[str | None, typer.Option(help="committed or aspirational")] = None,
    description: Annotated[str | None, typer.Option()] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Draft an objective.

    Example: goal-ledger objective draft "More customers" --id growth --owner unit/sales --cycle 2026-q4
    """
    body = without_none(
        id=id,
        title=title,
        owner=owner,
        cycle=cycle,
        kind=kind,
        description=description,
        effective_at=at,
    )
    send(context, "/v1/objectives", body, "objective", as_json)


def _verb(name: str, help_text: str, options: str = "") -> None:
    def run(
        context: typer.Context, id: ObjectiveId, reason: Reason = None, at: At = None, as_json: AsJson = False
    ) -> None:
        body = without_none(reason=reason, effective_at=at)
        send(context, f"/v1/objectives/{id}/{name}", body, f"objective {name}:", as_json)

    run.__doc__ = f"{help_text}\n\nExample: goal-ledger objective {name} growth{options}"
    objective.command(name)(run)


_verb("activate", "Activate an objective: from here its definition is the commitment.")
_verb("reopen", "Reopen a closed objective. Needs --reason.", ' --reason "Closed too early"')
_verb("pause", "Pause an objective: it owes no words. Needs --reason.", ' --reason "The market is closed"')
_verb("resume", "Resume an objective that was paused.")
_verb("archive", "Archive a closed objective.")


@objective.command("reword")
def reword(
    context: typer.Context,
    id: ObjectiveId,
    title: Annotated[str, typer.Argument(help="The new title")],
    description: Annotated[str | None, typer.Option(help="Left out: none")] = None,
    reason: Reason = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Reword an objective.

    Example: goal-ledger objective reword growth "More and happier customers" --reason "We learnt"
    """
    body = without_none(title=title, description=description, reason=reason, effective_at=at)
    send(context, f"/v1/objectives/{id}/reword", body, "reworded:", as_json)


@objective.command("assign")
def assign(
    context: typer.Context,
    id: ObjectiveId,
    owner: Annotated[str, typer.Option(help="unit/<id> or person/<id>")],
    contributor: Annotated[list[str] | None, typer.Option(help="All of them; several times")] = None,
    reason: Reason = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Give an objective its owner and contributors.

    Example: goal-ledger objective assign growth --owner unit/sales --contributor person/ada --reason "She helps"
    """
    body = without_none(owner=owner, contributors=contributor, reason=reason, effective_at=at)
    send(context, f"/v1/objectives/{id}/assign", body, "assigned:", as_json)


@objective.command("carry-over")
def carry_over(
    context: typer.Context,
    id: ObjectiveId,
    cycle: Annotated[str, typer.Option(help="The cycle it goes on in")],
    into: Annotated[str | None, typer.Option(help="Id of the new objective")] = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Carry an objective over into another cycle, as a new one that keeps its lineage.

    Example: goal-ledger objective carry-over growth --cycle 2027-q1 --into growth-2027
    """
    body = without_none(cycle=cycle, into=into, reason=reason)
    send(context, f"/v1/objectives/{id}/carry-over", body, "carried over into", as_json)


@objective.command("close")
def close(
    context: typer.Context,
    id: ObjectiveId,
    outcome: Annotated[str, typer.Option(help="achieved, partial, missed, dropped or postponed")],
    grade: Annotated[
        str | None, typer.Option(help="0–1; left out: the score; another needs --reason")
    ] = None,
    retrospective: Annotated[str | None, typer.Option(help="What was learnt; personal text, sealed")] = None,
    reason: Reason = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Close an objective with its outcome and grade.

    Example: goal-ledger objective close growth --outcome partial --grade 0.6 --reason "Two markets only"
    """
    body = without_none(
        outcome=outcome, grade=grade, retrospective=retrospective, reason=reason, effective_at=at
    )
    send(context, f"/v1/objectives/{id}/close", body, "closing", as_json)


@key_result.command("add")
def add_key_result(
    context: typer.Context,
    objective: ObjectiveId,
    text: Annotated[str, typer.Argument(help="What must be true")],
    kind: Annotated[str, typer.Option(help="increase, decrease, reach, stay_below, … (SPEC 5)")] = "increase",
    baseline: Annotated[str | None, typer.Option()] = None,
    target: Annotated[str | None, typer.Option(help="Also the limit of stay_below and stay_above")] = None,
    low: Annotated[str | None, typer.Option(help="Of stay_between")] = None,
    high: Annotated[str | None, typer.Option(help="Of stay_between")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of measure")] = None,
    step: Annotated[list[str] | None, typer.Option(help="Of a checklist: id=text; several times")] = None,
    measure: Annotated[
        str | None, typer.Option(help="The whole measure as JSON, instead of the above")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Chosen by you, else one is made")] = None,
    weight: Annotated[str | None, typer.Option()] = None,
    reason: Reason = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Add a key result.

    Example: goal-ledger key-result add growth "1000 customers" --id customers --baseline 200 --target 1000

    Example: goal-ledger key-result add shop "Open the shop" --kind checklist --step design=Design --step payment=Payment
    """
    stated = (
        json_of(measure) if measure is not None else _measure(kind, baseline, target, low, high, unit, step)
    )
    body = without_none(id=id, text=text, measure=stated, weight=weight, reason=reason, effective_at=at)
    send(context, f"/v1/objectives/{objective}/key-results", body, "key result", as_json)


def _measure(
    kind: str,
    baseline: str | None,
    target: str | None,
    low: str | None,
    high: str | None,
    unit: str | None,
    steps: list[str] | None,
) -> dict[str, Any]:
    goal = "limit" if kind in ("stay_below", "stay_above") else "target"
    found = without_none(kind=kind, baseline=baseline, low=low, high=high, unit=unit)
    if target is not None:
        found[goal] = target
    if steps:
        pairs = [one.partition("=") for one in steps]
        found["steps"] = [{"id": id, "text": text or id} for id, _, text in pairs]
    return found


@key_result.command("drop")
def drop_key_result(
    context: typer.Context,
    id: KeyResultId,
    reason: Annotated[str, typer.Option(help="Why")],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Drop a key result.

    Example: goal-ledger key-result drop customers --reason "No longer ours"
    """
    body = without_none(reason=reason, effective_at=at)
    send(context, f"/v1/key-results/{id}/drop", body, "dropped:", as_json)


@key_result.command("change")
def change_measure(
    context: typer.Context,
    id: KeyResultId,
    measure: Annotated[str, typer.Option(help="The whole new measure as JSON")],
    reason: Reason = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Give a key result another measure.

    Example: goal-ledger key-result change customers --measure '{"kind":"increase","baseline":"200","target":"800"}'
    --reason "The market turned"
    """
    body = without_none(measure=json_of(measure), reason=reason, effective_at=at)
    send(context, f"/v1/key-results/{id}/change-measure", body, "measure of", as_json)


@key_result.command("bind")
def bind(
    context: typer.Context,
    id: KeyResultId,
    feed: Annotated[str, typer.Option(help="Name of the feed")],
    aggregation: Annotated[str, typer.Option(help="last, max, mean, min, increase, sum or count")],
    part: Annotated[str, typer.Option(help="Of a compound measure")] = "value",
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Bind a part to a feed: its value comes from the feed's readings.

    Example: goal-ledger key-result bind visitors --feed webshop.visitors --aggregation increase
    """
    body = without_none(part=part, feed=feed, aggregation=aggregation, reason=reason)
    send(context, f"/v1/key-results/{id}/bind", body, "binding of", as_json)


def align(
    context: typer.Context,
    child: ObjectiveId,
    parent: Annotated[str, typer.Argument(help="objective/<id> or key-result/<id>")],
    mode: Annotated[str, typer.Option(help="contributes (counted) or supports (shown)")] = "contributes",
    weight: Annotated[str | None, typer.Option()] = None,
    reason: Reason = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Align an objective with a parent.

    Example: goal-ledger align growth objective/company --weight 2
    """
    body = without_none(parent=parent, mode=mode, weight=weight, reason=reason, effective_at=at)
    send(context, f"/v1/objectives/{child}/align", body, "link", as_json)


def unalign(
    context: typer.Context,
    child: ObjectiveId,
    parent: Annotated[str, typer.Argument(help="objective/<id> or key-result/<id>")],
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """End an alignment.

    Example: goal-ledger unalign growth objective/company --reason "Moved to another division"
    """
    body = without_none(parent=parent, reason=reason)
    send(context, f"/v1/objectives/{child}/unalign", body, "unaligned:", as_json)


def send_any(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="Of the command, such as /v1/moments")],
    body: Annotated[str, typer.Argument(help="JSON")] = "{}",
    key: Annotated[
        str | None, typer.Option(help="Idempotency-Key: the same key gives the same answer")
    ] = None,
    if_match: Annotated[int | None, typer.Option(help="The version seen; stale: refused")] = None,
    as_json: AsJson = False,
) -> None:
    """Send any command of the API.

    Example: goal-ledger send /v1/moments '{"name": "launch", "at": "2026-11-23T09:00:00+01:00"}'
    """
    with connected(context) as ledger:
        told(context, ledger, path, as_json, path, json_of(body), key=key, if_match=if_match)


def register(app: typer.Typer) -> None:
    app.command("align")(align)
    app.command("unalign")(unalign)
    app.command("send")(send_any)
