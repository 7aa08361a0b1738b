"""What moved a score between two answers, fact by fact."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from goal_ledger_client.cli.explaining import Target, path_of
from goal_ledger_client.cli.session import AsJson, AsOf, KnownAt, line, out, query, without_none
from goal_ledger_client.cli.showing import local, number, points, table

Json = dict[str, Any]
FromAsOf = Annotated[str | None, typer.Option(help="as_of of the earlier answer")]
FromKnownAt = Annotated[
    str | None, typer.Option(help="known_at of the earlier answer: an instant or a position")
]


def attribution(
    context: typer.Context,
    target: Target,
    from_as_of: FromAsOf = None,
    from_known_at: FromKnownAt = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What moved a score between two answers: each fact, why, and by how many points.

    Example: goal-ledger attribution objective/growth --from-as-of 2026-01-05T00:00:00Z

    Example: goal-ledger attribution customers --from-known-at 1-120
    """
    asked = without_none(from_as_of=from_as_of, from_known_at=from_known_at, as_of=as_of, known_at=known_at)
    query(context, f"{path_of(target)}/attribution", _tell_attribution, as_json, **asked)


def _tell_attribution(body: Json) -> None:
    line(f"{body['ref']}: {_headline(body)}")
    for name, sides in (("score", "score"), ("as committed", "score_committed")):
        line(f"{name}: {number(body['from'][sides])} → {number(body['to'][sides])}")
    facts = {one["event_id"]: one for one in body["facts"]}
    rows = [_row(one, facts.get(one["event_id"], {})) for one in body["parts"]]
    if rows:
        out.print(table("Fact", "Seq", "Points", "Cause", "Subject", "Who", "When", "Why", rows=rows))
    if body["by_child"]:
        children = [(one["ref"], points(one["change"])) for one in body["by_child"]]
        out.print(table("Child", "Points", rows=children))


def _headline(body: Json) -> str:
    if not body["parts"]:
        return "nothing moved"
    return f"{points(body['change'])} points: {', '.join(_causes(body['by_cause']))}"


def _causes(totals: Iterable[Json]) -> list[str]:
    return [f"{points(one['change'])} {one['cause'].replace('_', ' ')}" for one in totals]


def _row(part: Json, fact: Json) -> tuple[Any, ...]:
    learnt = part["along"] == "known_at"
    when = local(fact.get("recorded_at" if learnt else "effective_at"))
    return (
        part["event_id"],
        part["seq"],
        points(part["change"]),
        part["cause"].replace("_", " "),
        part["subject"],
        fact.get("actor"),
        f"learnt {when}" if learnt else when,
        fact.get("reason"),
    )


def register(app: typer.Typer) -> None:
    app.command("attribution")(attribution)
