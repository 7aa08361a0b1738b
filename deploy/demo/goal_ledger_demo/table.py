"""The live table: the alignment tree with its rolled-up scores, as the query API answers it."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

BAR_WIDTH = 10
BESIDE_THE_TITLE = 55
COLOURS = {
    "on_track": "green",
    "behind": "yellow",
    "at_risk": "red",
    "outdated": "magenta",
    "pending": "cyan",
}


def shown(score: str | None) -> str:
    """Display: 4 places; null is a dash, never 0."""
    return "–" if score is None else f"{float(score):.4f}"


def _bar(score: str | None, width: int = BAR_WIDTH) -> Text:
    filled = 0 if score is None else round(float(score) * width)
    return Text("█" * filled, style="green") + Text("░" * (width - filled), style="dim")


def goals_table(answer: dict[str, Any], console_width: int) -> Table:
    """A row per objective (in tree order, indented) and per key result; the titles give way on a narrow screen."""
    table = Table(title=f"Goals at position {answer['position']}", title_justify="left", expand=False)
    table.add_column(
        "goal",
        no_wrap=True,
        overflow="ellipsis",
        max_width=max(16, min(64, console_width - BESIDE_THE_TITLE)),
    )
    table.add_column("", no_wrap=True, min_width=BAR_WIDTH)
    table.add_column("score", justify="right", no_wrap=True, min_width=6)
    table.add_column("expected", justify="right", no_wrap=True, min_width=8)
    table.add_column("status", no_wrap=True, min_width=12)
    nodes = {node["id"]: node for node in answer["nodes"]}
    key_results = {kr["id"]: node for node in nodes.values() for kr in node["key_results"]}
    children: dict[str, list[str]] = {}
    for link in answer["links"]:
        kind, _, name = link["parent"].partition("/")
        parent = name if kind == "objective" else key_results[name]["id"]
        children.setdefault(parent, []).append(link["child"])
    for root in answer["roots"]:
        _add(table, nodes, children, root, 0)
    return table


def _add(table: Table, nodes: dict[str, Any], children: dict[str, list[str]], name: str, depth: int) -> None:
    node = nodes[name]
    indent = "  " * depth
    _row(table, Text(indent + node["title"], style="bold"), node, node["expected"])
    for key_result in node["key_results"]:
        _row(table, Text(f"{indent}  · {key_result['text']}"), key_result, None)
    for child in children.get(name, []):
        _add(table, nodes, children, child, depth + 1)


def _row(table: Table, title: Text, goal: dict[str, Any], expected: str | None) -> None:
    status = Text(goal["status"].replace("_", " "), style=COLOURS.get(goal["status"], ""))
    table.add_row(
        title, _bar(goal["score"]), shown(goal["score"]), shown(expected) if expected else "", status
    )
