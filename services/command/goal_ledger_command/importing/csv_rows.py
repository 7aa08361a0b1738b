"""CSV of objectives, key results and check-ins: one table, its column ``row`` says what each line is.

Separated by commas or semicolons (where the header has semicolons, a decimal comma is taken too). An empty cell states
nothing. A day without a time is the beginning of that day in the workspace's time zone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_edge.problems import Problem

from goal_ledger_command.importing.report import refused
from goal_ledger_command.importing.rows import Read, rows_of

OBJECTIVE = "id title owner description kind cycle contributors parent drafted_at activated_at closed_at outcome grade"
KEY_RESULT = "id objective title owner weight measure baseline target low high unit steps"
CHECK_IN = (
    "id objective key_result effective_at value done confidence status method author note blockers evidence"
)
COLUMNS: dict[str, tuple[str, ...]] = {
    "objective": tuple(OBJECTIVE.split()),
    "key_result": tuple(KEY_RESULT.split()),
    "check_in": tuple(CHECK_IN.split()),
}
"""What each kind of line may hold, beside ``row`` and ``reason``."""
ALWAYS = ("row", "reason")
_NUMBERS = frozenset(["grade", "weight", "baseline", "target", "low", "high", "value", "confidence"])
_TIMES = frozenset(["drafted_at", "activated_at", "closed_at", "effective_at"])
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Cells = dict[str, str]


def of_csv(raw: bytes, time_zone: str) -> Iterator[Read]:
    """The rows: key results become part of their objective's row where that is in the file too.

    Problem 422 for a header with unknown columns.
    """
    lines = list(_lines(raw))
    owned: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    own = {cells["id"] for _, cells in lines if cells.get("row") == "objective" and "id" in cells}
    for place, cells in lines:
        if cells.get("row") == "key_result" and cells.get("objective") in own:
            owned.setdefault(cells["objective"], []).append((place, _key_result(cells)))
    for place, cells in lines:
        yield from _read(place, cells, own, owned, time_zone)


def _lines(raw: bytes) -> Iterator[tuple[str, Cells]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        raise Problem(400, "bad_csv", f"The table is not UTF-8 (at byte {bad.start}).") from None
    header, _, _ = text.partition("\n")
    comma = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        _need_columns(names)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"line {reader.line_num}", _cells(names, cells, decimal_comma=comma == ";")
    except csv.Error as bad:
        raise Problem(400, "bad_csv", f"Line {reader.line_num} is not CSV: {bad}.") from None


def _need_columns(names: list[str]) -> None:
    known = {*ALWAYS, *(name for columns in COLUMNS.values() for name in columns)}
    unknown = [name for name in names if name not in known]
    if unknown or "row" not in names or len(set(names)) != len(names):
        what = (
            f"has no column {unknown[0][:64]!r}" if unknown else "needs the column row, and each column once"
        )
        raise Problem(422, "field_unknown", f"The table {what}.", field=unknown[0][:64] if unknown else "row")


def _cells(names: list[str], cells: list[str], *, decimal_comma: bool) -> Cells:
    found = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        found["row"] = "?"
    if decimal_comma:
        for name in _NUMBERS & found.keys():
            if found[name].count(",") == 1 and "." not in found[name]:
                found[name] = found[name].replace(",", ".")
    return found


def _read(
    place: str,
    cells: Cells,
    own: set[str],
    owned: dict[str, list[tuple[str, dict[str, Any]]]],
    time_zone: str,
) -> Iterator[Read]:
    kind, id = cells.get("row", ""), cells.get("id", "")[:64]
    if kind not in COLUMNS:
        sentence = f"row is one of {', '.join(COLUMNS)}, with as many cells as the header."
        yield refused(place, "row", id, Problem(422, "choice_unknown", sentence, field="row"))
        return
    strange = sorted(cells.keys() - {*ALWAYS, *COLUMNS[kind]})
    if strange:
        sentence = f"A {kind} has no {strange[0]}."
        yield refused(place, kind, id, Problem(422, "field_unknown", sentence, field=strange[0]))
        return
    try:
        times = {name: _instant(cells[name], time_zone) for name in _TIMES & cells.keys()}
    except ValueError:
        sentence = "A time is RFC 3339 with an offset, or a day such as 2026-11-23."
        yield refused(place, kind, id, Problem(422, "instant_malformed", sentence))
        return
    cells = cells | times
    if kind == "objective":
        yield from _objective(place, cells, owned.get(cells.get("id", ""), []))
    elif kind == "check_in":
        yield from rows_of(place, "check_ins", _check_in(cells))
    elif cells.get("objective") not in own:
        stated = _stated(cells, "objective")
        yield from rows_of(place, "key_results", stated | _key_result(cells))


def _instant(text: str, time_zone: str) -> str:
    if _DAY.fullmatch(text) is None:
        return text
    local = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(time_zone))
    return instant_text(local.astimezone(UTC))


def _stated(cells: Cells, *names: str) -> dict[str, Any]:
    return {name: cells[name] for name in names if name in cells}


def _list(text: str) -> list[str]:
    """Several things in one cell, with a vertical bar between them."""
    return [one.strip() for one in text.split("|") if one.strip()]


def _objective(place: str, cells: Cells, key_results: list[tuple[str, dict[str, Any]]]) -> Iterator[Read]:
    item: dict[str, Any] = _stated(cells, "id", "title", "owner", "description", "kind", "cycle")
    if "contributors" in cells:
        item["contributors"] = _list(cells["contributors"])
    if "parent" in cells:
        item["links"] = [{"parent": one} for one in _list(cells["parent"])]
    for name, column in (("drafted", "drafted_at"), ("activated", "activated_at")):
        if column in cells:
            item[name] = {"at": cells[column]}
    if "outcome" in cells:
        closing = _stated(cells, "outcome", "grade", "reason")
        item["closings"] = [closing | ({"at": cells["closed_at"]} if "closed_at" in cells else {})]
    item["key_results"] = [one for _, one in key_results]
    yield from rows_of(place, "objectives", item, {"key_results": [at for at, _ in key_results]})


def _key_result(cells: Cells) -> dict[str, Any]:
    item: dict[str, Any] = _stated(cells, "id", "owner", "weight")
    if "title" in cells:
        item["text"] = cells["title"]
    measure: dict[str, Any] = {"kind": cells.get("measure", "increase")}
    measure |= _stated(cells, "baseline", "low", "high", "unit")
    if "target" in cells:
        measure["limit" if measure["kind"] in ("stay_below", "stay_above") else "target"] = cells["target"]
    if "steps" in cells:
        steps = [one.partition("=") for one in _list(cells["steps"])]
        measure["steps"] = [{"id": id.strip(), "text": text.strip() or id.strip()} for id, _, text in steps]
    return item | {"measure": measure}


def _check_in(cells: Cells) -> dict[str, Any]:
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
    return item
