"""What differs between two answers to one question, and what would be if something had not been recorded."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from goal_ledger_client.cli.attributing import FromAsOf, FromKnownAt
from goal_ledger_client.cli.explaining import path_of
from goal_ledger_client.cli.session import (
    WRONG_USAGE,
    AsJson,
    AsOf,
    KnownAt,
    connected,
    fail,
    json_of,
    line,
    out,
    tell_json,
    without_none,
)
from goal_ledger_client.cli.showing import local, number, said, status, table
from goal_ledger_client.client import GoalLedger

Json = dict[str, Any]
View = Annotated[
    str, typer.Argument(help="Id of a key result, objective/<id>, or a question's path: /v1/alignment")
]
_OF_EVERY_ANSWER = ("token", "position", "as_of")


def question_of(view: str, parameters: list[str] | None = None) -> str:
    """Path and query of what is asked about."""
    path = f"/{view.lstrip('/')}" if view.lstrip("/").startswith("v1/") else path_of(view)
    pairs = [one.partition("=") for one in parameters or ()]
    query = urlencode([(name, value) for name, _, value in pairs])
    return f"{path}?{query}" if query else path


def diff(
    context: typer.Context,
    view: View,
    parameter: Annotated[list[str] | None, typer.Argument(help="name=value, of the question")] = None,
    from_as_of: FromAsOf = None,
    from_known_at: FromKnownAt = None,
    from_token: Annotated[str | None, typer.Option(help="token of the earlier answer")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """What differs between two answers to a question: each change, of which thing, from what to what.

    Example: goal-ledger diff objective/growth --from-as-of -P1W

    Example: goal-ledger diff /v1/alignment cycle=2027-q1 --from-known-at 1-120
    """
    of = question_of(view, parameter)
    with connected(context) as ledger:
        later = without_none(as_of=as_of, known_at=known_at)
        start = from_token or _token(ledger, of, later, from_as_of, from_known_at)
        body = ledger.query("/v1/diff", asked_of={"of": of, "from": start}, **later)
    if as_json:
        return tell_json(body)
    changes = [one for one in body["changes"] if one["path"].removeprefix("/") not in _OF_EVERY_ANSWER]
    line(f"{of}: {len(changes)} changes from {_side(body['from'])} to {_side(body['to'])}")
    if changes:
        out.print(table("Thing", "What", "Before", "After", rows=[_row(one) for one in changes]))


def _token(ledger: GoalLedger, of: str, later: Json, as_of: str | None, known_at: str | None) -> str:
    """That of the earlier answer; a clock that is not stated is as on the later side."""
    if as_of is None and known_at is None:
        fail(WRONG_USAGE, "State the earlier answer: --from-as-of, --from-known-at or --from-token.")
    clocks = {**later, **without_none(as_of=as_of, known_at=known_at)}
    return str(ledger.query("/v1/cycles", **clocks)["token"])


def _side(one: Json) -> str:
    return f"{local(one['as_of'])} at {one['position']}"


def _row(one: Json) -> tuple[Any, ...]:
    words = {"add": "added", "remove": "removed", "move": "moved"}
    what = one["field"] or words.get(one["op"], "")
    whole = one["field"] is None or one["op"] == "move"
    before, after = ("–", "–") if whole else (said(one.get("before")), said(one.get("value")))
    return one["thing"], what, before, after


def what_if(
    context: typer.Context,
    view: View,
    parameter: Annotated[list[str] | None, typer.Argument(help="name=value, of the question")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Event id of a fact that never was; repeatable")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help='Members of a policy: \'{"behind_points": "10"}\'')
    ] = None,
    scope: Annotated[
        str, typer.Option(help="Of the policy: workspace, unit/<id>, objective/<id>")
    ] = "workspace",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """How goals would stand without some facts, or under another policy. Nothing is recorded.

    Example: goal-ledger what-if objective/growth --policy '{"on_track_points": "1", "behind_points": "2"}'
    """
    of, clocks = question_of(view, parameter), without_none(as_of=as_of, known_at=known_at)
    with connected(context) as ledger:
        supposed = ledger.what_if(of, leave_out=without or (), policy=_members(policy), scope=scope, **clocks)
        if as_json:
            return tell_json(supposed)
        recorded = ledger.query(of, token=supposed["token"])
    told = supposed["what_if"]
    left = [f"{one['type']} ({one['event_id']})" for one in told["leave_out"]]
    line(f"what if: without {said(left)}; {said(told['scope'])}: {said(told['policy'])}")
    now, then = _standings(recorded), _standings(supposed)
    rows = [(ref, *_marks(now.get(ref)), *_marks(then.get(ref))) for ref in {**now, **then}]
    columns = ("Goal", "Score", "As committed", "Status", "What if: score", "As committed", "Status")
    out.print(table(*columns, rows=rows))


def _members(policy: str | None) -> Json | None:
    if policy is None:
        return None
    found = json_of(policy)
    if not isinstance(found, dict):
        fail(WRONG_USAGE, "--policy is a JSON object.")
    return found


def _standings(body: Json) -> dict[str, Json]:
    """By reference the goals and key results in an answer."""
    goals = body.get("nodes") or [one for one in [body.get("objective")] if one is not None]
    found = {f"objective/{one['id']}": one for one in goals}
    alone = [one for one in [body.get("key_result")] if one is not None]
    for one in [*(each for goal in goals for each in goal["key_results"]), *alone]:
        found[f"key-result/{one['id']}"] = one
    return found


def _marks(one: Json | None) -> tuple[Any, ...]:
    if one is None:
        return None, None, None
    return number(one["score"]), number(one["score_committed"]), status(one["status"])


def register(app: typer.Typer) -> None:
    app.command("diff")(diff)
    app.command("what-if")(what_if)
