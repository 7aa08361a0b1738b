"""Why a number is what it is: its derivation down to the facts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.tree import Tree

from goal_ledger_client.cli.session import (
    AsJson,
    AsOf,
    KnownAt,
    line,
    out,
    query,
    without_none,
)
from goal_ledger_client.cli.showing import coloured, number, said, table

Json = dict[str, Any]
Target = Annotated[str, typer.Argument(help="Id of a key result, or objective/<id>")]


def path_of(target: str) -> str:
    """The address of a key result, or of an objective."""
    kind, _, id = target.rpartition("/")
    return f"/v1/objectives/{id}" if kind == "objective" else f"/v1/key-results/{id}"


def explain(
    context: typer.Context,
    target: Target,
    committed: Annotated[bool, typer.Option("--committed", help="The score as committed")] = False,
    depth: Annotated[int | None, typer.Option(help="So many levels of the objectives beneath; all")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """How a score and a status came about: formula, values, weights, policy, and who said it.

    Example: goal-ledger explain objective/growth

    Example: goal-ledger explain customers --committed
    """
    clocks = without_none(as_of=as_of, known_at=known_at, depth=depth)
    tell = partial(_tell_explanation, committed=committed)
    query(context, f"{path_of(target)}/explain", tell, as_json, **clocks)


def _tell_explanation(body: Json, committed: bool) -> None:
    status, facts = body["status"], {one["event_id"]: one for one in body["facts"]}
    scores = f"score {number(body['score'])}, as committed {number(body['score_committed'])}"
    line(f"{body['ref']}: {scores}, formulas {body['formulas']}")
    out.print(f"{coloured(status['shown'])}: {status['decided_by']}, {_gap(status)}", highlight=False)
    start = body["committed"] if committed else body["amended"]
    if start is None:
        return line("never activated: nothing is committed")
    telling = _Telling(body["nodes"], facts)
    grown = Tree(escape(telling.title(start)))
    telling.grow(grown, start, {start})
    out.print(grown)
    rows = [_fact_row(one) for one in body["facts"]]
    out.print(table("Fact", "Seq", "What", "Who", "Effective at", "Recorded at", "Why", rows=rows))


def _gap(status: Json) -> str:
    if status["gap"] is None:
        return f"expected {number(status['expected'])}"
    bands = f"on track to {status['on_track_points']}, behind to {status['behind_points']}"
    return f"expected {number(status['expected'])}, gap {status['gap']} points ({bands})"


def _fact_row(one: Json) -> tuple[Any, ...]:
    times = (one["effective_at"][:16], one["recorded_at"][:16])
    return (one["event_id"], one["seq"], one["type"], one["actor"], *times, one["reason"])


class _Telling:
    """The nodes of an answer put beneath each other, each with the facts that it rests on."""

    def __init__(self, nodes: list[Json], facts: dict[str, Json]) -> None:
        self._nodes, self._facts = nodes, facts

    def title(self, place: int) -> str:
        node = self._nodes[place]
        clamped = f", clamped from {node['raw']}" if node.get("clamped") else ""
        id = f"objective/{node['objective']}"
        if node["kind"] == "key_result":
            id = f"key-result/{node['key_result']}"
        elif node["kept_by"]:
            clamped += ", kept since its closing"
        return f"{id}  {number(node['score'])}  {node['formula']}{_sides(node['quotient'])}{clamped}"

    def grow(self, under: Tree, place: int, above: set[int]) -> None:
        """What is beneath a node."""
        node = self._nodes[place]
        for part in node.get("parts", ()):
            for text in self._part(part, node):
                under.add(escape(text))
        for one in node["counted"]:
            weight = f"weight {one['weight']}{self._by(one['weight_by'])}"
            beneath = one["node"]
            title = f"{one['ref']}  {number(one['score'])}" if beneath is None else self.title(beneath)
            branch = under.add(escape(f"{weight}: {title}"))
            if beneath is not None and beneath not in above:
                self.grow(branch, beneath, above | {beneath})
        for one in node["left_out"]:
            under.add(escape(f"left out, {one['why']}: {one['ref']}{self._by(one['because'])}"))

    def _part(self, part: Json, node: Json) -> Iterator[str]:
        value = said(part["done"] if part["value"] is None else part["value"])
        unit = "" if part["unit"] is None else f" {part['unit']}"
        raw = "" if part["raw"] is None else f" → {part['raw']}{_sides(part['quotient'])}"
        by = "".join(self._by(one) for one in part["said_by"])
        yield f"{part['part']}: {value}{unit}{raw}  {part['state']}{by}"
        yield f"{said(node['measure'])}{self._by(node['measure_by'])}"
        if part["fed"]:
            fed = part["fed"]
            yield f"{fed['aggregation']} of feed/{fed['feed']}{self._by(fed['bound_by'])}"
            for reading in (one for stretch in fed["stretches"] for one in stretch["readings"]):
                what = f"{reading['role']} {reading['value']} at {reading['time'][:16]}"
                yield f"{what}{self._by(reading['recorded_by'])}"

    def _by(self, event_id: str | None) -> str:
        if event_id is None:
            return ""
        fact = self._facts[event_id]
        return f"  [{fact['seq']} {fact['actor']}]"


def _sides(quotient: Json | None) -> str:
    if quotient is None:
        return ""
    rounded = ", rounded" if quotient["rounded"] else ""
    return f" = {quotient['numerator']} / {quotient['denominator']}{rounded}"


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)
