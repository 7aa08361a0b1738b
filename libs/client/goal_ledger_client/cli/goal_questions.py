"""Questions about goals, at any moment (``--as-of``) as known at any moment (``--known-at``)."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.tree import Tree

from goal_ledger_client.cli.goals import key_result, objective
from goal_ledger_client.cli.session import (
    AsJson,
    AsOf,
    KnownAt,
    line,
    out,
    query,
    without_none,
)
from goal_ledger_client.cli.showing import Marked, coloured, number, said, status, table

Json = dict[str, Any]
Cycle = Annotated[str | None, typer.Option(help="Only goals of this cycle")]
Unit = Annotated[str | None, typer.Option(help="And the units beneath it")]
Owner = Annotated[str | None, typer.Option(help="unit/<id> or person/<id>")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most")]


def objectives(
    context: typer.Context,
    cycle: Cycle = None,
    unit: Unit = None,
    owner: Owner = None,
    status_: Annotated[
        str | None, typer.Option("--status", help="As shown: on_track, behind, at_risk, outdated …")
    ] = None,
    state: Annotated[str | None, typer.Option(help="draft, active, closed or archived")] = None,
    q: Annotated[str | None, typer.Option("--search", help="In titles, descriptions, key results")] = None,
    sort: Annotated[str, typer.Option(help="id, title, score, status, gap; - in front: descending")] = "id",
    limit: Limit = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Find objectives and see how they stand.

    Example: goal-ledger objectives --unit sales --status at_risk

    Example: goal-ledger objectives --as-of 2026-10-01T00:00:00Z --json
    """
    filters = without_none(cycle=cycle, unit=unit, owner=owner, status=status_, state=state, q=q)
    clocks = without_none(as_of=as_of, known_at=known_at)
    query(context, "/v1/objectives", _tell_objectives, as_json, sort=sort, limit=limit, **filters, **clocks)


def _tell_objectives(body: Json) -> None:
    columns = ("Objective", "Title", "Owner", "State", "Score", "As committed", "Status")
    out.print(table(*columns, rows=[_objective_row(one) for one in body["items"]]))
    _tell_more(body)


def _objective_row(one: Json) -> tuple[Any, ...]:
    scores = (number(one["score"]), number(one["score_committed"]))
    return (one["id"], one["title"], one["owner"], one["state"], *scores, status(one["status"]))


def _tell_more(body: Json) -> None:
    if body["next_cursor"]:
        line(f"{len(body['items'])} of {body['total']}; --limit shows more, --json gives the cursor")


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
    query(context, f"/v1/objectives/{id}", _tell_objective, as_json, as_of=as_of, known_at=known_at)


def _tell_objective(body: Json) -> None:
    goal = body["objective"]
    out.print(f"[bold]{escape(goal['title'])}[/]  {coloured(goal['status'])}", highlight=False)
    line(
        f"{goal['state']}, {goal['owner']}, cycle {goal['cycle'] or '–'}; score {number(goal['score'])}, "
        f"as committed {number(goal['score_committed'])}, expected {number(goal['expected'])}"
    )
    columns = ("Key result", "Text", "Weight", "Score", "As committed", "Status")
    out.print(table(*columns, rows=[_key_result_row(one) for one in goal["key_results"]]))
    for link in goal["parents"]:
        line(f"{link['mode']} {link['parent']} (weight {link['weight']})")


def _key_result_row(one: Json) -> tuple[Any, ...]:
    scores = (number(one["score"]), number(one["score_committed"]))
    return (one["id"], one["text"], one["weight"], *scores, _status_of_key_result(one))


def _status_of_key_result(one: Json) -> Marked:
    return Marked("dropped") if one["dropped"] else status(one["status"])


@key_result.command("list")
def key_results(
    context: typer.Context,
    objective: Annotated[str | None, typer.Option(help="Only of this objective")] = None,
    owner: Owner = None,
    unit: Unit = None,
    cycle: Cycle = None,
    feed: Annotated[str | None, typer.Option(help="Bound to it")] = None,
    status_: Annotated[str | None, typer.Option("--status", help="As shown")] = None,
    limit: Limit = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Find key results and see how they stand.

    Example: goal-ledger key-result list --unit sales
    """
    filters = without_none(
        objective=objective, owner=owner, unit=unit, cycle=cycle, feed=feed, status=status_
    )
    clocks = without_none(as_of=as_of, known_at=known_at)
    query(context, "/v1/key-results", _tell_key_results, as_json, limit=limit, **filters, **clocks)


def _tell_key_results(body: Json) -> None:
    columns = ("Key result", "Objective", "Text", "Owner", "Score", "As committed", "Status")
    rows = [
        (
            *(one[name] for name in ("id", "objective", "text", "owner")),
            number(one["score"]),
            number(one["score_committed"]),
            _status_of_key_result(one),
        )
        for one in body["items"]
    ]
    out.print(table(*columns, rows=rows))
    _tell_more(body)


@objective.command("timeline")
def timeline(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="Id of the objective")],
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What happened to an objective, with before and after.

    Each line: seq, when it was true, what and who; then, if it was learnt later, when it was recorded.

    Example: goal-ledger objective timeline growth
    """
    clocks = without_none(as_of=as_of, known_at=known_at)
    query(context, f"/v1/objectives/{id}/timeline", _tell_timeline, as_json, limit=limit, **clocks)


def _tell_timeline(body: Json) -> None:
    for one in body["items"]:
        _tell_entry(one)
    if body["next_cursor"]:
        line(f"{len(body['items'])} shown; --limit shows more, --json gives the cursor")


_WRITTEN = ("note", "text", "retrospective", "blockers", "evidence")


def _tell_entry(one: Json) -> None:
    why = f"  “{one['reason']}”" if one["reason"] else ""
    true, recorded = one["effective_at"][:16], one["recorded_at"][:16]
    learnt = "" if true == recorded else f"  (recorded {recorded})"
    line(f"{one['seq']:>7}  {true}  {one['type']}  {one['actor']}{why}{learnt}")
    for change in one["changes"]:
        line(f"         {change['field']}: {said(change['before'])} → {said(change['after'])}")
    for name in _WRITTEN:
        if one["data"].get(name):
            line(f"         {name}: {said(one['data'][name])}")


def tree(
    context: typer.Context,
    root: Annotated[
        str | None, typer.Argument(help="Id of an objective; left out: the whole workspace")
    ] = None,
    cycle: Cycle = None,
    depth: Annotated[int | None, typer.Option(min=0, max=64, help="Levels from the root")] = None,
    show: Annotated[str, typer.Option(help="descendants, ancestors or both: from the root")] = "descendants",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What supports what, with scores.

    Example: goal-ledger tree company --depth 1 --cycle 2026-q4

    Example: goal-ledger tree --as-of 2026-10-01T00:00:00Z
    """
    asked = without_none(root=root, cycle=cycle, depth=None if root is None else depth, as_of=as_of)
    tell = partial(_tell_tree, root=root, depth=depth)
    query(context, "/v1/alignment", tell, as_json, show=show, known_at=known_at, **asked)


def _tell_tree(body: Json, root: str | None, depth: int | None) -> None:
    grown = Tree("workspace" if root is None else f"from {escape(root)}")
    growing = _Growing(body)
    for id in body["roots"]:
        growing.grow(grown, id, "", depth)
    out.print(grown)


class _Growing:
    """The nodes of an answer put beneath each other; one with two parents stands beneath both."""

    def __init__(self, body: Json) -> None:
        self._nodes = {one["id"]: one for one in body["nodes"]}
        holder = {kr["id"]: one["id"] for one in body["nodes"] for kr in one["key_results"]}
        self._children: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for link in body["links"]:
            kind, _, id = link["parent"].partition("/")
            above = id if kind == "objective" else holder.get(id, id)
            self._children[above].append((link["child"], link["mode"]))

    def grow(self, under: Tree, id: str, mode: str, depth: int | None) -> None:
        """The node and, so many levels deep, what is beneath it."""
        one = self._nodes[id]
        dim = " [dim](supports)[/]" if mode == "supports" else ""
        title = f"{escape(id)}  {escape(one['title'])}  {number(one['score'])}"
        branch = under.add(f"{title}  {coloured(one['status'])}{dim}")
        for child, how in self._children[id] if depth is None or depth > 0 else ():
            if child in self._nodes:
                self.grow(branch, child, how, None if depth is None else depth - 1)


def progress(
    context: typer.Context,
    key_result: Annotated[str, typer.Argument(help="Id of the key result")],
    from_: Annotated[str | None, typer.Option("--from", help="RFC 3339")] = None,
    to: Annotated[str | None, typer.Option(help="RFC 3339")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """A key result over time, beside the expected line.

    Example: goal-ledger progress customers
    """
    asked = {"from": from_, "to": to, "as_of": as_of, "known_at": known_at}
    query(context, f"/v1/key-results/{key_result}/progress", _tell_progress, as_json, asked_of=asked)


def _tell_progress(body: Json) -> None:
    rows = [
        (
            point["at"][:16],
            "; ".join(f"{part} {said(value)}" for part, value in point["values"].items()),
            *(number(point[name]) for name in ("score", "score_committed", "expected")),
        )
        for point in body["points"]
    ]
    out.print(table("At", "Values", "Score", "As committed", "Expected", rows=rows))


def check_ins(
    context: typer.Context,
    author: Annotated[str | None, typer.Option(help="person/<id>")] = None,
    objective: Annotated[str | None, typer.Option(help="And its key results")] = None,
    key_result: Annotated[str | None, typer.Option()] = None,
    unit: Unit = None,
    from_: Annotated[str | None, typer.Option("--from", help="RFC 3339")] = None,
    to: Annotated[str | None, typer.Option(help="RFC 3339; not included")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """What was said of goals, the latest first.

    Example: goal-ledger check-ins --author person/ada --objective growth
    """
    asked = {"author": author, "objective": objective, "key_result": key_result, "unit": unit}
    period = {"from": from_, "to": to}
    query(context, "/v1/check-ins", _tell_check_ins, as_json, limit=limit, asked_of={**asked, **period})


def _tell_check_ins(body: Json) -> None:
    rows = [
        (
            one["id"],
            one["effective_at"][:16],
            one["author"],
            one["key_result"] or f"objective/{one['objective']}",
            "; ".join(
                f"{value['part']} {said(value.get('value', value.get('done')))}" for value in one["values"]
            ),
            said(one["confidence"]),
            Marked("–") if one["status"] is None else status(one["status"]),
            one["note"],
        )
        for one in body["items"]
    ]
    out.print(table("Check-in", "At", "Who", "On", "Values", "Confidence", "Stated", "Note", rows=rows))
    _tell_more(body)


def register(app: typer.Typer) -> None:
    for one in (objectives, tree, progress):
        app.command(one.__name__)(one)
    app.command("check-ins")(check_ins)
