"""From a request's body to rows: the document, its rows line by line, or CSV. A row that is wrong is refused alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.strict_json import NotJson, parse
from goal_ledger_edge.problems import Problem
from pydantic import ValidationError

from goal_ledger_command.api.refusals import of_validation
from goal_ledger_command.api.values import Piece
from goal_ledger_command.importing.document import FORMAT, NESTED, ROWS
from goal_ledger_command.importing.report import Report, refused

MAX_LINE_BYTES = 1024 * 1024
_KIND = {
    "units": "unit",
    "people": "person",
    "systems": "system",
    "feeds": "feed",
    "cycles": "cycle",
    "policies": "policy",
    "moments": "moment",
    "objectives": "objective",
    "check_ins": "check-in",
    "readings": "reading",
    "workspace": "workspace",
    "key_results": "key result",
    "links": "link",
    "closings": "closing",
}


@dataclass(frozen=True, slots=True)
class Row:
    """``place``: JSON pointer in the document, or ``line <n>``."""

    place: str
    section: str
    item: Piece
    places: Mapping[str, tuple[str, ...]]
    """Of the rows within it, by section."""


Read = Row | Report


def of_document(document: Any) -> Iterator[Read]:
    """Problem 422 if it is no document of the format."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Problem(422, "wrong_format", f'The document has "format": "{FORMAT}".', field="/format")
    unknown = sorted(set(document) - set(ROWS) - {"format", "exported"})
    if unknown:
        raise Problem(
            422, "field_unknown", f"The format has no {unknown[0][:64]}.", field=f"/{unknown[0][:64]}"
        )
    if document.get("workspace") is not None:
        yield from rows_of("/workspace", "workspace", document["workspace"])
    for section in ROWS:
        if section == "workspace":
            continue
        items = document.get(section, [])
        if not isinstance(items, list):
            raise Problem(422, "wrong_type", f"{section} is a list.", field=f"/{section}")
        for number, item in enumerate(items):
            yield from rows_of(f"/{section}/{number}", section, item)


def of_lines(lines: Iterable[bytes]) -> Iterator[Read]:
    """Rows of JSON Lines: each an item of the document with its ``section``."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            item = parse(line, MAX_LINE_BYTES)
        except NotJson as bad:
            yield refused(place, "row", "", Problem(400, "bad_json", str(bad)))
            continue
        section = item.pop("section", None) if isinstance(item, dict) else None
        if not isinstance(section, str) or section not in ROWS:
            sentence = f"A line is an object with a section: {', '.join(ROWS)}."
            yield refused(place, "row", "", Problem(422, "field_required", sentence, field="/section"))
            continue
        yield from rows_of(place, section, item)


def rows_of(
    place: str, section: str, item: Any, places: Mapping[str, list[str]] | None = None
) -> Iterator[Read]:
    """The row, and the reports that refuse it or rows within it. ``places``: where those within stand."""
    kept: dict[str, tuple[str, ...]] = {}
    if section == "objectives" and isinstance(item, dict):
        item = dict(item)
        for within, shape in NESTED.items():
            if isinstance(item.get(within), list):
                stand = (places or {}).get(within) or [
                    f"{place}/{within}/{number}" for number in range(len(item[within]))
                ]
                good = []
                for at, one in zip(stand, item[within], strict=True):
                    try:
                        good.append((at, shape.model_validate(one)))
                    except ValidationError as wrong:
                        yield refused(at, _KIND[within], _id_in(one), of_validation(wrong))
                item[within] = tuple(one for _, one in good)
                kept[within] = tuple(at for at, _ in good)
    try:
        yield Row(place, section, ROWS[section].model_validate(item), kept)
    except ValidationError as wrong:
        yield refused(place, _KIND[section], _id_in(item), of_validation(wrong))


def _id_in(item: Any) -> str:
    found = (item.get("id") or item.get("name") or "") if isinstance(item, dict) else ""
    return found[:64] if isinstance(found, str) else ""
