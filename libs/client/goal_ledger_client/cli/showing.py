"""How answers are shown to people: tables whose ids stay whole, and values in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.markup import escape
from rich.table import Table

_COLOURS = {"on_track": "green", "behind": "yellow", "at_risk": "red", "outdated": "magenta"}


def number(text: str | None) -> str:
    """A score with 4 places, as it is displayed; a dash where nothing is measured."""
    return "–" if text is None else f"{Decimal(text):.4f}"


def points(change: str) -> str:
    """A change of a score in points of 100, signed, as far as two places."""
    return f"{Decimal(change) * 100:+.2f}".rstrip("0").rstrip(".")


def local(at: str | None) -> str | None:
    """An instant by the clock of this machine, with its zone."""
    return None if at is None else datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def coloured(status: str) -> str:
    colour = _COLOURS.get(status)
    return f"[{colour}]{status}[/]" if colour else escape(status)


def table(*columns: str, rows: Iterable[Sequence[Any]]) -> Table:
    """The first column holds ids: they are never cut. Nothing in a cell is markup, save a status's colour."""
    rows = list(rows)
    made = Table(*columns)
    made.columns[0].no_wrap = True
    made.columns[0].min_width = max((len(str(row[0])) for row in rows), default=1)
    for row in rows:
        made.add_row(*(one if isinstance(one, Marked) else escape(said(one)) for one in row))
    return made


class Marked(str):
    """Text with markup of ours."""


def status(name: str) -> Marked:
    return Marked(coloured(name))


def said(value: Any) -> str:
    """A value in words: no form of the program's own."""
    if value is None or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _structure(value)
    if isinstance(value, list | tuple):
        return ", ".join(said(one) for one in value)
    return str(value)


def _structure(value: Mapping[str, Any]) -> str:
    """A measure by its kind, a step or part by its id, anything else by its members."""
    members = {name: one for name, one in value.items() if name != "seq" and one not in (None, [], {})}
    first = members.pop("kind", None) or members.pop("id", None)
    rest = ", ".join(f"{name} {_within(one)}" for name, one in members.items() if name != "text")
    return rest if first is None else f"{first} ({rest})" if rest else str(first)


def _within(value: Any) -> str:
    many = isinstance(value, list | tuple) and len(value) > 1
    return f"[{said(value)}]" if many else said(value)
