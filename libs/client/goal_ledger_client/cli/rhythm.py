"""Questions of the rhythm: what is owed, who has gone silent, who takes part, what a cycle came to."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client.cli.organisation import cycle
from goal_ledger_client.cli.session import AsJson, AsOf, KnownAt, line, out, query, without_none
from goal_ledger_client.cli.showing import Marked, local, number, table

Json = dict[str, Any]
Unit = Annotated[str | None, typer.Option(help="It, the units beneath it, and the people in them")]
Cycle = Annotated[str | None, typer.Option(help="Only goals of this cycle")]
_COLOURS = {"paused": "dim", "on_time": "green", "late": "yellow", "missed": "red"}


def owed(
    context: typer.Context,
    by: Annotated[str | None, typer.Option(help="person/<id>; without it, you")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What do I owe: goals with their due dates.

    Example: goal-ledger owed

    Example: goal-ledger owed --by person/bo --as-of 2027-02-01T12:00:00Z
    """
    query(context, "/v1/owed", _tell_owed, as_json, **without_none(by=by, as_of=as_of, known_at=known_at))


def _tell_owed(body: Json) -> None:
    columns = ("Objective", "Title", "Owed", "Last due", "", "Next due", "", "Last check-in")
    out.print(table(*columns, rows=[_owed_row(one) for one in body["items"]]))
    line(f"{body['by']} owes word of {body['owed']} of {len(body['items'])} active goals")


def _owed_row(one: Json) -> tuple[Any, ...]:
    spoken = [one["last_check_in_at"], *(each["last_check_in_at"] for each in one["key_results"])]
    return (
        one["objective"],
        one["title"],
        Marked("[red]overdue[/]") if one["overdue"] else "paused" if one["paused"] else one["owed"],
        *_duty(one["last"]),
        *_duty(one["next"]),
        local(max((at for at in spoken if at), default=None)),
    )


def _duty(one: Json | None) -> tuple[Any, Any]:
    if one is None:
        return None, None
    colour, said = _COLOURS.get(one["state"]), one["state"].replace("_", " ")
    return one["day"], Marked(f"[{colour}]{said}[/]" if colour else said)


def silent(
    context: typer.Context,
    unit: Unit = None,
    cycle: Cycle = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most")] = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Who has gone silent: active goals, the longest silent first.

    Example: goal-ledger silent --unit sales
    """
    asked = without_none(unit=unit, cycle=cycle, as_of=as_of, known_at=known_at)
    query(context, "/v1/silent", _tell_silent, as_json, limit=limit, **asked)


def _tell_silent(body: Json) -> None:
    columns = ("Objective", "Title", "Owner", "Ask", "Due dates missed", "Last word")
    out.print(table(*columns, rows=[_silent_row(one) for one in body["items"]]))
    line(f"{body['silent']} of {body['total']} active goals are silent")


def _silent_row(one: Json) -> tuple[Any, ...]:
    missed = Marked(f"[red]{one['missed_in_a_row']}[/]") if one["silent"] else 0
    return one["objective"], one["title"], one["owner"], one["ask"], missed, local(one["last_word_at"])


def participation(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", help="A local day; default: 13 weeks back")] = None,
    last: Annotated[str | None, typer.Option("--to", help="A local day; default: today")] = None,
    every: Annotated[str, typer.Option(help="Weeks of a period, such as P2W")] = "P1W",
    cycle: Cycle = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Who takes part: due dates met of those due, per unit and pilot wave, pilots against the rest.

    Example: goal-ledger participation --from 2027-01-04 --to 2027-01-31
    """
    clocks = without_none(as_of=as_of, known_at=known_at)
    asked = {"every": every, **without_none(to=last, cycle=cycle), **({"from": first} if first else {})}
    query(context, "/v1/participation", _tell_participation, as_json, asked_of=asked, **clocks)


def _tell_participation(body: Json) -> None:
    rows = [(name, *_rates(body[name])) for name in ("all", "pilots", "rest")]
    rows += [(f"wave {one['wave']}", *_rates(one["periods"])) for one in body["waves"]]
    rows += [(f"unit/{one['unit']}", *_rates(one["periods"])) for one in body["units"]]
    out.print(table("Met of due", *(one["start"] for one in body["periods"]), rows=rows))


def _rates(tallies: list[Json]) -> list[str | None]:
    """The rate, and of how many due dates."""
    return [f"{number(one['rate'])} of {one['due']}" if one["due"] else None for one in tallies]


@cycle.command("summary")
def summary(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="Id of the cycle")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What a cycle came to: outcomes, grades, scores, what was carried over, who took part.

    Example: goal-ledger cycle summary 2027-q1
    """
    query(context, f"/v1/cycles/{id}/summary", _tell_summary, as_json, as_of=as_of, known_at=known_at)


def _tell_summary(body: Json) -> None:
    found = body["summary"]
    line(
        f"{found['name']}, {found['start']} to {found['end']}, {found['stage']}: {found['objectives']} objectives"
    )
    out.print(table("", "How many", rows=[*_there(found["states"]), *_there(found["outcomes"])]))
    spreads = (("Scores", "scores"), ("As committed", "scores_committed"), ("Grades", "grades"))
    out.print(
        table("", "How many", "Mean", "By tenths from 0 to 1", rows=[_spread(found, *one) for one in spreads])
    )
    line(f"carried over {len(found['carried_over'])}, carried in {found['carried_in']}")
    taken = found["participation"]
    line(
        f"due dates {taken['due']}: on time {taken['on_time']}, late {taken['late']}, missed {taken['missed']}"
    )


def _there(counts: Json) -> list[tuple[str, int]]:
    return [(name, many) for name, many in counts.items() if many]


def _spread(found: Json, title: str, name: str) -> tuple[Any, ...]:
    one = found[name]
    return title, one["many"], number(one["mean"]), " ".join(map(str, one["bands"]))


def register(app: typer.Typer) -> None:
    for one in (owed, silent, participation):
        app.command(one.__name__)(one)
