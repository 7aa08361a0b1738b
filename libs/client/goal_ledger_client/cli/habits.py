"""Questions of habits: goals that deserve attention, a policy tried over the past, forecasts, a goal through its cycles."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client.cli.rhythm import Unit
from goal_ledger_client.cli.session import AsJson, AsOf, KnownAt, line, out, query, without_none
from goal_ledger_client.cli.showing import local, number, said, table

Json = dict[str, Any]
Cycle = Annotated[str | None, typer.Option(help="This one; without it, all closed ones")]
_VERDICTS = ("true_positive", "false_positive", "false_negative", "true_negative")


def habits(
    context: typer.Context,
    cycle: Annotated[str, typer.Argument(help="Id of the cycle")],
    unit: Unit = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Which goals of a cycle deserve attention: watermelons, frozen ones, hockey sticks, sandbags, those that fell off.

    Example: goal-ledger habits 2027-q1
    """
    asked = without_none(unit=unit, as_of=as_of, known_at=known_at)
    query(context, "/v1/habits", _tell_habits, as_json, cycle=cycle, **asked)


def _tell_habits(body: Json) -> None:
    names = list(body["flags"])
    rows = [(f"unit/{one['unit']}", one["objectives"], *one["flags"].values()) for one in body["units"]]
    whole = ("all", body["objectives"], *body["flags"].values())
    out.print(table("", "Objectives", *(name.replace("_", " ") for name in names), rows=[whole, *rows]))
    flags = [(one, flag) for one in body["items"] for flag in one["flags"]]
    if flags:
        rows = [_flag_row(one, flag) for one, flag in flags]
        out.print(table("Objective", "Title", "Flag", "Since", "", "Facts", rows=rows))


def _flag_row(one: Json, flag: Json) -> tuple[Any, ...]:
    value = number(flag["value"]) if "." in flag["value"] else flag["value"]
    name = flag["flag"].replace("_", " ")
    return one["objective"], one["title"], name, local(flag["at"]), value, len(flag["facts"])


def back_test(
    context: typer.Context,
    on_track_points: Annotated[str | None, typer.Option(help="Without it, as set")] = None,
    behind_points: Annotated[str | None, typer.Option(help="Without it, as set")] = None,
    warns: Annotated[str, typer.Option(help="at_risk, or behind: that too")] = "at_risk",
    short: Annotated[
        str, typer.Option(help="What falls short: missed, missed_or_partial")
    ] = "missed_or_partial",
    cycle: Cycle = None,
    unit: Unit = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """A status policy tried over closed cycles: how often and how early it would have warned, against the outcomes.

    Example: goal-ledger back-test --behind-points 15
    """
    policy = without_none(on_track_points=on_track_points, behind_points=behind_points)
    filters = without_none(cycle=cycle, unit=unit, as_of=as_of, known_at=known_at)
    query(context, "/v1/back-test", _tell_back_test, as_json, warns=warns, short=short, **policy, **filters)


def _tell_back_test(body: Json) -> None:
    rows = [("tried", *_sum(body["tried"])), ("as set", *_sum(body["as_set"]))]
    rows += [(f"{one['cycle']}: {name}", *_sum(one[key])) for one in body["cycles"] for name, key in _SIDES]
    names = [name.replace("_", " ") for name in _VERDICTS]
    out.print(table("", *names, "Precision", "Recall", "Days ahead", rows=rows))
    if body["items"]:
        columns = ("Objective", "Title", "Outcome", "Verdict", "Warned", "Days ahead", "As set")
        out.print(table(*columns, rows=[_tried_row(one) for one in body["items"]]))


_SIDES = (("tried", "tried"), ("as set", "as_set"))


def _sum(one: Json) -> list[Any]:
    lead = None if one["mean_lead_days"] is None else one["mean_lead_days"].partition(".")[0]
    return [*(one[name] for name in _VERDICTS), number(one["precision"]), number(one["recall"]), lead]


def _tried_row(one: Json) -> tuple[Any, ...]:
    return (
        one["objective"],
        one["title"],
        one["outcome"],
        one["verdict"].replace("_", " "),
        local(one["warned_at"]),
        one["lead_days"],
        one["verdict_as_set"].replace("_", " "),
    )


def calibration(
    context: typer.Context,
    cycle: Cycle = None,
    unit: Unit = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """How well confidence foretold what came of goals: Brier scores and the calibration curve.

    Example: goal-ledger calibration --cycle 2027-q1
    """
    asked = without_none(cycle=cycle, unit=unit, as_of=as_of, known_at=known_at)
    query(context, "/v1/calibration", _tell_calibration, as_json, **asked)


def _tell_calibration(body: Json) -> None:
    named = [("all", body), *((f"unit/{one['unit']}", one) for one in body["units"])]
    named += [(f"cycle {one['cycle']}", one) for one in body["cycles"]]
    rows = [(name, one["forecasts"], number(one["brier"]), number(one["base_rate"])) for name, one in named]
    out.print(table("", "Forecasts", "Brier score", "Came true", rows=rows))
    if body["curve"]:
        curve = [(one["confidence"], one["forecasts"], number(one["rate"])) for one in body["curve"]]
        out.print(table("Confidence", "Forecasts", "Came true", rows=curve))


def lineage(
    context: typer.Context,
    objective: Annotated[str, typer.Argument(help="Id of an objective")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """A goal through its cycles: how often carried over, targets lowered, how much of the ambition is left.

    Example: goal-ledger lineage growth
    """
    clocks = without_none(as_of=as_of, known_at=known_at)
    query(context, f"/v1/objectives/{objective}/lineage", _tell_lineage, as_json, **clocks)


def _tell_lineage(body: Json) -> None:
    columns = ("Objective", "Title", "Cycle", "State", "Outcome", "Score", "As committed", "Grade")
    out.print(table(*columns, rows=[_step_row(one) for one in body["objectives"]]))
    rows = [
        (said(one["key_results"]), one["text"], one["lowered"], number(one["ambition_kept"]))
        for one in body["key_results"]
    ]
    out.print(table("Key result", "Text", "Lowered", "Ambition kept", rows=rows))
    kept = number(body["ambition_kept"])
    line(
        f"carried over {body['carried_over']} times, targets lowered {body['lowered']} times, ambition kept {kept}"
    )


def _step_row(one: Json) -> tuple[Any, ...]:
    names = ("objective", "title", "cycle", "state", "outcome")
    marks = (number(one[name]) for name in ("score", "score_committed", "grade"))
    return (*(one[name] for name in names), *marks)


def register(app: typer.Typer) -> None:
    for one in (habits, calibration, lineage):
        app.command(one.__name__)(one)
    app.command("back-test")(back_test)
