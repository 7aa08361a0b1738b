"""What changed since an earlier answer, and what that answer would read now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from goal_ledger_client.cli.amending import Cycle, Unit
from goal_ledger_client.cli.goal_questions import Owner
from goal_ledger_client.cli.session import AsJson, AsOf, KnownAt, line, out, query, without_none
from goal_ledger_client.cli.showing import Marked, local, number, points, said, table

Json = dict[str, Any]
Since = Annotated[
    str,
    typer.Argument(help="The earlier answer: a token, a position, an instant, 2026-03-31, -P1W, q3.start"),
]
_TAKES_DISTANCES = {"ignore_unknown_options": True}
"""``-P1W`` is what changed since then, no option."""
Limit = Annotated[int, typer.Option(help="How many goals at most")]
_RISKS = {"new": "[red]new[/]", "still": "[yellow]still[/]", "gone": "[green]gone[/]"}


def changes_since(
    context: typer.Context,
    since: Since,
    cycle: Cycle = None,
    unit: Unit = None,
    owner: Owner = None,
    person: Annotated[
        str | None, typer.Option(help="person/<id>: owner, contributor, or owner of a key result")
    ] = None,
    root: Annotated[str | None, typer.Option(help="This objective and all aligned beneath it")] = None,
    limit: Limit = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What changed since our last meeting: values, risks, moved goalposts, restatements.

    Example: goal-ledger changes-since 2027-01-04T09:00:00Z --unit sales

    Example: goal-ledger changes-since -P1W --unit sales

    Example: goal-ledger changes-since 1-120
    """
    filters = without_none(cycle=cycle, unit=unit, owner=owner, person=person, root=root, limit=limit)
    clocks = without_none(as_of=as_of, known_at=known_at)
    query(context, "/v1/changes-since", _tell_changes_since, as_json, since=since, **filters, **clocks)


def _tell_changes_since(body: Json) -> None:
    columns = ("Objective", "Title", "Points", "Score", "Status", "Risk", "Changed", "Restated by")
    out.print(table(*columns, rows=[_goal_row(one) for one in body["items"]]))
    risks = ", ".join(f"{many} {name}" for name, many in body["risks"].items())
    since_when = local(body["from"]["as_of"])
    line(f"{body['total']} of {body['objectives']} goals changed since {since_when}; risks: {risks}")


def restatements(
    context: typer.Context,
    since: Since,
    cycle: Cycle = None,
    unit: Unit = None,
    owner: Owner = None,
    limit: Limit = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Which numbers that were given earlier would read otherwise now, and by how much.

    Example: goal-ledger restatements 2027-01-04T09:00:00Z
    """
    filters = without_none(cycle=cycle, unit=unit, owner=owner, limit=limit)
    clocks = without_none(as_of=as_of, known_at=known_at)
    query(context, "/v1/restatements", _tell_restatements, as_json, since=since, **filters, **clocks)


def _tell_restatements(body: Json) -> None:
    columns = ("Objective", "Title", "Points", "Score", "As committed", "Status", "Changed")
    out.print(table(*columns, rows=[_restated_row(one) for one in body["items"]]))
    line(
        f"{body['total']} of {body['objectives']} goals would read otherwise as of {local(body['from']['as_of'])}"
    )


def _goal_row(one: Json) -> tuple[Any, ...]:
    risk = one["risk"]
    return (
        one["objective"],
        one["title"],
        _points(one["score"]),
        _numbers(one["score"]),
        _words(one["status"]),
        None if risk is None else Marked(_RISKS[risk]),
        list(_changed(one)),
        _points(one["restated"]),
    )


def _restated_row(one: Json) -> tuple[Any, ...]:
    return (
        one["objective"],
        one["title"],
        _points(one["score"]),
        _numbers(one["score"]),
        _numbers(one["score_committed"]),
        _words(one["status"]),
        list(_values(one)),
    )


def _changed(one: Json) -> Iterator[str]:
    if one["is_new"]:
        yield "new"
    yield from _values(one)
    yield from (f"{move['direction']}: {move['type']}" for move in one["goalpost_moves"])
    if one["check_ins"]:
        yield f"{one['check_ins']} check-ins"


def _values(one: Json) -> Iterator[str]:
    for each in one["key_results"]:
        for value in each["values"]:
            yield f"{each['key_result']}: {said(value['before'])} → {said(value['after'])}"


def _points(change: Json) -> str | None:
    return (
        None if change["change"] is None or change["before"] == change["after"] else points(change["change"])
    )


def _numbers(change: Json) -> str:
    return f"{number(change['before'])} → {number(change['after'])}"


def _words(change: Json) -> str:
    if change["before"] == change["after"]:
        return said(change["after"])
    return f"{said(change['before'])} → {said(change['after'])}"


def register(app: typer.Typer) -> None:
    for name, command in (("changes-since", changes_since), ("restatements", restatements)):
        app.command(name, context_settings=_TAKES_DISTANCES)(command)
