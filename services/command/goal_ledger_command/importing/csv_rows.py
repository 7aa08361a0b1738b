"""CSV of an OKR set: one table, its column ``row`` says what each line is.

Separated by commas, semicolons or tabs. Lines before the header may say how the table is written: ``sep=;`` as
spreadsheets do, ``numbers=1.234,5`` or ``percent=yes`` (:mod:`goal_ledger_command.importing.csv_numbers`). An empty cell
states nothing; columns without a name are taken if they are empty.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from goal_ledger_edge.problems import Problem

from goal_ledger_command.importing.csv_numbers import NUMBERS, Style, number, style_of
from goal_ledger_command.importing.report import refused
from goal_ledger_command.importing.rows import Read, known, rows_of

COLUMNS: dict[str, tuple[str, ...]] = {
    kind: tuple(columns.split())
    for kind, columns in {
        "unit": "id name parent lead since",
        "person": "id name units since",
        "objective": "id title owner description kind cycle contributors parent drafted_at activated_at closed_at outcome"
        " grade retrospective",
        "key_result": "id objective title owner description weight measure baseline target low high unit steps",
        "check_in": "id objective key_result effective_at value done confidence status method author note blockers"
        " evidence",
    }.items()
}
"""What each kind of line may hold, beside ``row`` and ``reason``."""
ALWAYS = ("row", "reason")
KNOWN = tuple(dict.fromkeys((*ALWAYS, *(name for columns in COLUMNS.values() for name in columns))))
_OPTIONS = ("sep", "numbers", "percent")
Cells = dict[str, str]


def of_csv(lines: Iterable[bytes], style: Style | None = None) -> Iterator[Read]:
    """The rows, one a line. ``style``: how the request says that the table is written.

    Problem 400 for what is no CSV in UTF-8, 422 for a header with unknown columns.
    """
    options, header, rest = _options(_text(lines))
    comma = options.get("sep") or max(",;\t", key=header.count)
    written = (style or Style()).with_(style_of(options, decimal_comma=comma == ";"))
    reader = csv.reader(chain([header], rest), delimiter=comma, strict=True)
    try:
        names = _names(next(reader, []))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield from _read(f"line {reader.line_num + len(options)}", names, cells, written)
    except csv.Error as bad:
        sentence = f"Line {reader.line_num + len(options)} is not CSV: {bad}."
        raise Problem(400, "bad_csv", sentence) from None


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    """The lines with their ends. Problem 400."""
    before = 0
    for line in lines:
        if not before:
            need_table(line)
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield line.decode() + "\n"
        except UnicodeDecodeError as bad:
            sentence = f"The table is not UTF-8 (at byte {before + bad.start}): save it as CSV UTF-8."
            raise Problem(400, "bad_csv", sentence) from None
        before += len(line) + 1


_SPREADSHEETS = (
    (b"PK\x03\x04", "a spreadsheet's own file (.xlsx, .ods)"),
    (b"\xd0\xcf\x11\xe0", "an older spreadsheet's own file (.xls)"),
)
_NO_TABLES = (*_SPREADSHEETS, (b"\xff\xfe", "text in UTF-16"), (b"\xfe\xff", "text in UTF-16"))


def need_table(first: bytes, no_tables: tuple[tuple[bytes, str], ...] = _NO_TABLES) -> None:
    """Problem 400 for what begins as something that is no table."""
    for beginning, what in no_tables:
        if first.startswith(beginning):
            raise Problem(400, "bad_csv", f"This is {what}, no table: save it as CSV UTF-8 and send that.")


def need_no_spreadsheet(first: bytes) -> None:
    """Problem 400 for what begins as a spreadsheet's own file, whatever it is said to be."""
    need_table(first, _SPREADSHEETS)


def _options(lines: Iterator[str]) -> tuple[dict[str, str], str, Iterator[str]]:
    """What lines before the header say, the header, and the rest."""
    found: dict[str, str] = {}
    for line in lines:
        name, sign, value = line.strip("\r\n ").strip('"').partition("=")
        name, value = name.strip().lower(), value if name == "sep" else value.rstrip(";,")
        if not sign or name not in _OPTIONS:
            return found, line, lines
        found[name] = value[:1] if name == "sep" else value.strip()
    return found, "", lines


def _names(header: list[str]) -> list[str]:
    """The columns' names as they are known. Problem 422."""
    names = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]
    named = [name for name in names if name]
    for name, given in zip(names, header, strict=True):
        if name and name not in KNOWN:
            sentence = f"The table has no column {given[:64]!r}.{known(name, KNOWN)}"
            raise Problem(422, "field_unknown", sentence, field=given[:64])
    if "row" not in named:
        sentence = f"The table needs the column row, which says what a line is: {', '.join(COLUMNS)}."
        raise Problem(422, "field_required", sentence, field="row")
    for name in named:
        if named.count(name) > 1:
            raise Problem(422, "field_unknown", f"The table has the column {name} twice.", field=name)
    return names


def _read(place: str, names: list[str], line: list[str], style: Style) -> Iterator[Read]:
    cells = {name: cell.strip() for name, cell in zip(names, line, strict=False) if cell.strip()}
    kind, id = cells.get("row", "").lower().replace(" ", "_").replace("-", "_"), cells.get("id", "")[:64]
    try:
        _need_fit(kind, cells, line[len(names) :])
        cells |= {name: number(cells[name], name, style) for name in NUMBERS & cells.keys()}
    except Problem as wrong:
        yield refused(place, kind.replace("_", " ") if kind in COLUMNS else "row", id, wrong)
        return
    section, item = _ITEM_OF[kind](cells)
    yield from rows_of(place, section, item, inside=True)


def _need_fit(kind: str, cells: Cells, over: list[str]) -> None:
    if kind not in COLUMNS:
        nearest = difflib.get_close_matches(kind, COLUMNS, n=1)
        hint = f" Is {nearest[0]} meant?" if nearest else ""
        raise Problem(422, "choice_unknown", f"row is one of {', '.join(COLUMNS)}.{hint}", field="row")
    if any(cell.strip() for cell in over):
        sentence = (
            "The line has more cells than the header: a text with the separator in it stands in quotes."
        )
        raise Problem(422, "field_unknown", sentence)
    strange = [name for name in cells if name and name not in (*ALWAYS, *COLUMNS[kind])]
    if "" in cells:
        raise Problem(422, "field_unknown", "A cell stands in a column without a name.")
    if strange:
        sentence = f"A {kind} has no {strange[0]}; it has {', '.join(COLUMNS[kind])}."
        raise Problem(422, "field_unknown", sentence, field=strange[0])


def _stated(cells: Cells, *names: str) -> dict[str, Any]:
    return {name: cells[name] for name in names if name in cells}


def _list(text: str) -> list[str]:
    """Several things in one cell, with a vertical bar between them."""
    return [one.strip() for one in text.split("|") if one.strip()]


def _unit(cells: Cells) -> tuple[str, dict[str, Any]]:
    return "units", _stated(cells, "id", "name", "parent", "lead", "since", "reason")


def _person(cells: Cells) -> tuple[str, dict[str, Any]]:
    item = _stated(cells, "id", "since", "reason") | (
        {"display_name": cells["name"]} if "name" in cells else {}
    )
    return "people", item | ({"units": _list(cells["units"])} if "units" in cells else {})


def _objective(cells: Cells) -> tuple[str, dict[str, Any]]:
    item: dict[str, Any] = _stated(cells, "id", "title", "owner", "description", "kind", "cycle", "reason")
    why = _stated(cells, "reason")
    if "contributors" in cells:
        item["contributors"] = _list(cells["contributors"])
    if "parent" in cells:
        item["links"] = [{"parent": one, **why} for one in _list(cells["parent"])]
    for name, column in (("drafted", "drafted_at"), ("activated", "activated_at")):
        if column in cells:
            item[name] = {"at": cells[column]}
    if "outcome" in cells or "closed_at" in cells:
        closing = _stated(cells, "outcome", "grade", "retrospective") | why
        item["closings"] = [closing | ({"at": cells["closed_at"]} if "closed_at" in cells else {})]
    return "objectives", item


def _key_result(cells: Cells) -> tuple[str, dict[str, Any]]:
    item: dict[str, Any] = _stated(cells, "id", "objective", "owner", "description", "weight", "reason")
    if "title" in cells:
        item["text"] = cells["title"]
    measure: dict[str, Any] = {"kind": cells.get("measure", "increase")}
    measure |= _stated(cells, "baseline", "low", "high", "unit")
    if "target" in cells:
        measure["limit" if measure["kind"] in ("stay_below", "stay_above") else "target"] = cells["target"]
    if "steps" in cells:
        steps = [one.partition("=") for one in _list(cells["steps"])]
        measure["steps"] = [{"id": id.strip(), "text": text.strip() or id.strip()} for id, _, text in steps]
    return "key_results", item | {"measure": measure}


def _check_in(cells: Cells) -> tuple[str, dict[str, Any]]:
    item: dict[str, Any] = _stated(
        cells,
        *("id", "objective", "key_result", "effective_at", "confidence", "status", "method", "author"),
        *("note", "reason"),
    )
    if "value" in cells:
        item["values"] = [{"part": "value", "value": cells["value"]}]
    elif "done" in cells:
        done = [] if cells["done"] == "-" else _list(cells["done"])
        item["values"] = [{"part": "value", "done": done}]
    for name in ("blockers", "evidence"):
        if name in cells:
            item[name] = _list(cells[name])
    return "check_ins", item


_ITEM_OF = {
    "unit": _unit,
    "person": _person,
    "objective": _objective,
    "key_result": _key_result,
    "check_in": _check_in,
}
