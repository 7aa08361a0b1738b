"""Questions about feeds and facts, and any other question by its path."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client import transfer
from goal_ledger_client.cli.session import AsJson, connected, line, out, query, tell_json, without_none
from goal_ledger_client.cli.showing import Marked, table


def feeds(context: typer.Context, as_json: AsJson = False) -> None:
    """Feeds and their health.

    Example: goal-ledger feeds
    """
    query(context, "/v1/feeds", _tell_feeds, as_json)


def _tell_feeds(body: dict[str, Any]) -> None:
    columns = ("Feed", "System", "Kind", "Unit", "Fresh", "In quarantine", "Last reading")
    out.print(table(*columns, rows=[_feed_row(one) for one in body["items"]]))


def _feed_row(one: dict[str, Any]) -> tuple[Any, ...]:
    last = one["last_reading"]
    return (
        *(one[name] for name in ("name", "system", "kind", "unit")),
        one["fresh"] if one["fresh"] else Marked("[red]no[/]"),
        one["in_quarantine"],
        "–" if last is None else f"{last['value']} at {last['time'][:16]}",
    )


def facts(
    context: typer.Context,
    stream: Annotated[str | None, typer.Option(help="Such as objective/growth")] = None,
    type: Annotated[str | None, typer.Option(help="One or several, with commas")] = None,
    actor: Annotated[str | None, typer.Option(help="Such as person/ada")] = None,
    after: Annotated[int | None, typer.Option(help="Only seqs above this")] = None,
    as_json: AsJson = False,
) -> None:
    """The facts in order, as many as there are; with --json one per line.

    Example: goal-ledger facts --stream objective/growth --json
    """
    with connected(context) as ledger:
        asked = without_none(stream=stream, type=type, actor=actor, after=after)
        for fact in transfer.facts(ledger, **asked):
            _tell_fact(fact, as_json)


def tail(
    context: typer.Context,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last facts")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as facts are recorded")] = False,
    as_json: AsJson = False,
) -> None:
    """The last facts of the log; --follow waits for more.

    Example: goal-ledger tail -f
    """
    with connected(context) as ledger:
        page = ledger.query("/v1/facts", order="desc", limit=max(lines, 1))
        for fact in reversed(page["items"][:lines]):
            _tell_fact(fact, as_json)
        if follow:
            for event in ledger.events(after=page["position"]):
                _tell_fact(event.fact, as_json)


def _tell_fact(fact: dict[str, Any], as_json: bool) -> None:
    if as_json:
        return tell_json(fact)
    why = f"  “{fact['reason']}”" if fact.get("reason") else ""
    line(
        f"{fact['seq']:>7}  {fact['recorded_at'][:19]}  {fact['type']:<20} {fact['stream']:<28} {fact['actor']}{why}"
    )


def ask(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="Of the question, such as /v1/cycles")],
    parameter: Annotated[list[str] | None, typer.Argument(help="name=value")] = None,
    _: AsJson = True,
) -> None:
    """Ask any question of the query API; the answer is JSON, also without --json.

    Example: goal-ledger ask /v1/cycles as_of=2026-10-01T00:00:00Z
    """
    pairs = [one.partition("=") for one in parameter or ()]
    with connected(context) as ledger:
        tell_json(ledger.query(path, asked_of={name: value for name, _, value in pairs}))


def register(app: typer.Typer) -> None:
    for one in (feeds, facts, tail, ask):
        app.command(one.__name__)(one)
