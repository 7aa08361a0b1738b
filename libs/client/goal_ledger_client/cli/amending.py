"""What was committed to, what was changed in goals after that, and to what effect: the register of commitments, goalpost
moves, amendments and their dividend."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client.cli.goal_questions import Owner
from goal_ledger_client.cli.session import AsJson, AsOf, KnownAt, line, out, query, without_none
from goal_ledger_client.cli.showing import local, number, points, said, table

Json = dict[str, Any]
Objective = Annotated[str | None, typer.Option(help="Of this objective alone")]
Cycle = Annotated[str | None, typer.Option(help="Of goals that were in this cycle")]
Unit = Annotated[
    str | None, typer.Option(help="Of goals of it, the units beneath it, and the people in them")
]
Limit = Annotated[int, typer.Option(help="How many at most")]


def goalpost_moves(
    context: typer.Context,
    objective: Objective = None,
    cycle: Cycle = None,
    limit: Limit = 25,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What was changed in goals after their activation: eased or tightened, by whom, why, and to what effect.

    Example: goal-ledger goalpost-moves --objective growth
    """
    asked = without_none(objective=objective, cycle=cycle, limit=limit, as_of=as_of, known_at=known_at)
    query(context, "/v1/goalpost-moves", _tell_changes, as_json, **asked)


def amendments(
    context: typer.Context,
    objective: Objective = None,
    cycle: Cycle = None,
    unit: Unit = None,
    owner: Owner = None,
    first: Annotated[str | None, typer.Option("--from", help="Took effect at that instant or later")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Took effect before that instant")] = None,
    sort: Annotated[str, typer.Option(help="newest, or effect: the largest first")] = "newest",
    limit: Limit = 25,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Every change of goals after their activation, and what that added to scores by unit, cycle and owner.

    Example: goal-ledger amendments --cycle 2027-q1 --sort effect
    """
    filters = without_none(objective=objective, cycle=cycle, unit=unit, owner=owner, to=to)
    clocks = without_none(as_of=as_of, known_at=known_at)
    asked = {**filters, "sort": sort, "limit": limit, **({"from": first} if first else {})}
    query(context, "/v1/amendments", _tell_amendments, as_json, asked_of=asked, **clocks)


def _tell_amendments(body: Json) -> None:
    _tell_changes(body)
    _tell_dividend(body["dividend"])


def commitments(
    context: typer.Context,
    cycle: Cycle = None,
    unit: Unit = None,
    owner: Owner = None,
    objective: Objective = None,
    state: Annotated[str | None, typer.Option(help="active, closed or archived")] = None,
    limit: Limit = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """The register of commitments: what was committed to, by whom, when, and what became of it.

    Example: goal-ledger commitments --cycle 2027-q1 --as-of 2027-02-01
    """
    filters = without_none(objective=objective, cycle=cycle, unit=unit, owner=owner, state=state, limit=limit)
    clocks = without_none(as_of=as_of, known_at=known_at)
    query(context, "/v1/commitments", _tell_commitments, as_json, **filters, **clocks)


def _tell_commitments(body: Json) -> None:
    columns = ("Objective", "Committed", "By", "Title", "Owner", "Ends", "Key results", "State", "Changes")
    rows = [_commitment_row(one) for one in body["items"]]
    out.print(table(*columns, "As committed", "As amended", rows=rows))
    _tell_more(body)


def _commitment_row(one: Json) -> tuple[Any, ...]:
    return (
        one["objective"],
        local(one["committed_at"]),
        one["by"],
        one["title"],
        one["owner"],
        one["end"],
        [each["id"] for each in one["key_results"]],
        one["outcome"] or one["state"],
        one["amendments"],
        number(one["score_committed"]),
        number(one["score"]),
    )


def _tell_more(body: Json) -> None:
    if body["next_cursor"]:
        line(f"{body['total']} in all; --limit shows more")


def _tell_changes(body: Json) -> None:
    columns = ("Fact", "At", "Goal", "What", "Points", "Flags", "Who", "Why", "Changes")
    out.print(table(*columns, rows=[_change_row(one) for one in body["items"]]))
    _tell_more(body)


def _change_row(one: Json) -> tuple[Any, ...]:
    goal = f"objective/{one['objective']}" if one["key_result"] is None else f"key-result/{one['key_result']}"
    effect = None if one["effect"] is None else points(one["effect"])
    flags = [flag.replace("_", " ") for flag in one["flags"]]
    what = f"{one['direction']}: {one['type']}"
    changes = [f"{each['field']}: {said(each['before'])} → {said(each['after'])}" for each in one["changes"]]
    return (
        one["event_id"],
        local(one["at"]),
        goal,
        what,
        effect,
        flags,
        one["actor"],
        one["reason"],
        changes,
    )


def _tell_dividend(found: Json) -> None:
    rows = [("all", *_dividend(found["all"]))]
    rows += [(f"unit/{one['unit']}", *_dividend(one)) for one in found["units"]]
    rows += [(f"cycle {one['cycle']}", *_dividend(one)) for one in found["cycles"]]
    rows += [(f"owner {one['owner']}", *_dividend(one)) for one in found["owners"]]
    out.print(table("Amendment dividend", "Points", "Goals", "Measured", "Raised", "Lowered", rows=rows))


def _dividend(one: Json) -> tuple[Any, ...]:
    mean = None if one["dividend"] is None else points(one["dividend"])
    return (mean, *(one[name] for name in ("goals", "measured", "raised", "lowered")))


def register(app: typer.Typer) -> None:
    app.command("goalpost-moves")(goalpost_moves)
    app.command("amendments")(amendments)
    app.command("commitments")(commitments)
