"""Questions to the read side, at any moment (``--as-of``) as known at any moment (``--known-at``)."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.tree import Tree

from goal_ledger_client import transfer
from goal_ledger_client.cli.goals import objective
from goal_ledger_client.cli.session import AsJson, connected, out, tell_json, without_none
from goal_ledger_client.client import GoalLedger

AsOf = Annotated[str | None, typer.Option("--as-of", help="True at that time (RFC 3339)")]
KnownAt = Annotated[str | None, typer.Option("--known-at", help="As the record stood: a time or a position")]
PAUSE_S = 1.0
_COLOURS = {"on_track": "green", "behind": "yellow", "at_risk": "red", "outdated": "magenta"}


def number(text: str | None) -> str:
    """A score with 4 places, as it is displayed; a dash where nothing is measured."""
    return "–" if text is None else f"{Decimal(text):.4f}"


def coloured(status: str) -> str:
    colour = _COLOURS.get(status)
    return f"[{colour}]{status}[/]" if colour else status


def objectives(
    context: typer.Context,
    cycle: Annotated[str | None, typer.Option()] = None,
    unit: Annotated[str | None, typer.Option(help="And the units beneath it")] = None,
    owner: Annotated[str | None, typer.Option(help="unit/<id> or person/<id>")] = None,
    status: Annotated[
        str | None, typer.Option(help="As shown: on_track, behind, at_risk, outdated …")
    ] = None,
    state: Annotated[str | None, typer.Option(help="draft, active, closed or archived")] = None,
    q: Annotated[str | None, typer.Option("--search", help="In titles, descriptions, key results")] = None,
    sort: Annotated[str, typer.Option(help="id, title, score, status, gap; - in front: descending")] = "id",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Find objectives and see how they stand.

    Example: goal-ledger objectives --unit sales --status at_risk

    Example: goal-ledger objectives --as-of 2026-10-01T00:00:00Z --json
    """
    asked = without_none(
        cycle=cycle,
        unit=unit,
        owner=owner,
        status=status,
        state=state,
        q=q,
        sort=sort,
        limit=limit,
        as_of=as_of,
        known_at=known_at,
    )
    with connected(context) as ledger:
        body = ledger.query("/v1/objectives", **asked)
    if as_json:
        return tell_json(body)
    table = Table("Objective", "Title", "Owner", "State", "Score", "As committed", "Status")
    for one in body["items"]:
        table.add_row(
            one["id"],
            one["title"],
            one["owner"],
            one["state"],
            number(one["score"]),
            number(one["score_committed"]),
            coloured(one["status"]),
        )
    out.print(table)
    if body["next_cursor"]:
        out.print(f"{len(body['items'])} of {body['total']}; --limit shows more, --json gives the cursor")


@objective.command("show")
def show(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="Id of the objective")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """One objective whole.

    Example: goal-ledger objective show growth
    """
    with connected(context) as ledger:
        body = ledger.query(f"/v1/objectives/{id}", as_of=as_of, known_at=known_at)
    if as_json:
        return tell_json(body)
    goal = body["objective"]
    out.print(f"[bold]{goal['title']}[/]  {coloured(goal['status'])}", highlight=False)
    out.print(
        f"{goal['state']}, {goal['owner']}, cycle {goal['cycle'] or '–'}; score {number(goal['score'])}, "
        f"as committed {number(goal['score_committed'])}, expected {number(goal['expected'])}",
        highlight=False,
    )
    table = Table("Key result", "Text", "Weight", "Score", "As committed", "Status")
    for one in goal["key_results"]:
        text = f"[strike]{one['text']}[/]" if one["dropped"] else one["text"]
        table.add_row(
            one["id"],
            text,
            one["weight"],
            number(one["score"]),
            number(one["score_committed"]),
            coloured(one["status"]),
        )
    out.print(table)
    for link in goal["parents"]:
        out.print(f"{link['mode']} {link['parent']} (weight {link['weight']})", highlight=False)


@objective.command("timeline")
def timeline(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="Id of the objective")],
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """What happened to an objective, with before and after.

    Example: goal-ledger objective timeline growth
    """
    with connected(context) as ledger:
        body = ledger.query(f"/v1/objectives/{id}/timeline", limit=limit)
    if as_json:
        return tell_json(body)
    for one in body["items"]:
        why = f"  “{one['reason']}”" if one["reason"] else ""
        out.print(
            f"{one['effective_at'][:16]}  {one['type']}  {one['actor']}{why}", highlight=False, markup=False
        )
        for change in one["changes"]:
            out.print(
                f"    {change['field']}: {change['before']} → {change['after']}",
                highlight=False,
                markup=False,
            )


def tree(
    context: typer.Context, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False
) -> None:
    """What supports what, with scores.

    Example: goal-ledger tree --as-of 2026-10-01T00:00:00Z
    """
    with connected(context) as ledger:
        body = ledger.query("/v1/alignment", as_of=as_of, known_at=known_at)
    if as_json:
        return tell_json(body)
    nodes = {one["id"]: one for one in body["nodes"]}
    of_key_result = {kr["id"]: one["id"] for one in body["nodes"] for kr in one["key_results"]}
    children: dict[str, list[tuple[str, str]]] = {}
    for link in body["links"]:
        kind, _, id = link["parent"].partition("/")
        above = id if kind == "objective" else of_key_result.get(id, id)
        children.setdefault(above, []).append((link["child"], link["mode"]))
    root = Tree("workspace")
    for id in body["roots"]:
        _grow(root, id, "", nodes, children)
    out.print(root)


def _grow(
    under: Tree,
    id: str,
    mode: str,
    nodes: dict[str, Any],
    children: dict[str, list[tuple[str, str]]],
) -> None:
    one = nodes[id]
    dim = " [dim](supports)[/]" if mode == "supports" else ""
    branch = under.add(f"{id}  {one['title']}  {number(one['score'])}  {coloured(one['status'])}{dim}")
    for child, how in children.get(id, ()):
        if child in nodes:
            _grow(branch, child, how, nodes, children)


def progress(
    context: typer.Context,
    key_result: Annotated[str, typer.Argument(help="Id of the key result")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """A key result over time, beside the expected line.

    Example: goal-ledger progress customers
    """
    with connected(context) as ledger:
        body = ledger.query(f"/v1/key-results/{key_result}/progress", as_of=as_of, known_at=known_at)
    if as_json:
        return tell_json(body)
    table = Table("At", "Values", "Score", "As committed", "Expected")
    for point in body["points"]:
        values = ", ".join(f"{part}: {value}" for part, value in point["values"].items())
        table.add_row(
            point["at"][:16],
            values,
            number(point["score"]),
            number(point["score_committed"]),
            number(point["expected"]),
        )
    out.print(table)


def feeds(context: typer.Context, as_json: AsJson = False) -> None:
    """Feeds and their health.

    Example: goal-ledger feeds
    """
    with connected(context) as ledger:
        body = ledger.query("/v1/feeds")
    if as_json:
        return tell_json(body)
    table = Table("Feed", "System", "Kind", "Fresh", "Accepted", "In quarantine", "Last reading")
    for one in body["items"]:
        last = one["last_reading"]
        table.add_row(
            one["name"],
            one["system"],
            one["kind"],
            "yes" if one["fresh"] else "[red]no[/]",
            str(one["accepted"]),
            str(one["in_quarantine"]),
            f"{last['value']} at {last['time'][:16]}" if last else "–",
        )
    out.print(table)


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
        seen = 0
        page = ledger.query("/v1/facts", order="desc", limit=max(lines, 1))["items"]
        for fact in reversed(page):
            seen = fact["seq"]
            if lines:
                _tell_fact(fact, as_json)
        while follow:
            seen = _tell_newer(ledger, seen, as_json)


def _tell_newer(ledger: GoalLedger, seen: int, as_json: bool) -> int:
    for fact in transfer.facts(ledger, after=seen):
        _tell_fact(fact, as_json)
        seen = fact["seq"]
    time.sleep(PAUSE_S)
    return seen


def _tell_fact(fact: dict[str, Any], as_json: bool) -> None:
    if as_json:
        return tell_json(fact)
    why = f"  “{fact['reason']}”" if fact.get("reason") else ""
    out.print(
        f"{fact['seq']:>7}  {fact['recorded_at'][:19]}  {fact['type']:<20} {fact['stream']:<28} {fact['actor']}{why}",
        highlight=False,
        markup=False,
        soft_wrap=True,
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
    for one in (objectives, tree, progress, feeds, facts, tail, ask):
        app.command(one.__name__)(one)
