"""From a request's body to rows: the document, its rows line by line, or CSV. A row that is wrong is refused alone.

Rows are the items of the sections, and within an objective those of ``key_results``, ``links`` and ``closings``: each is
checked, decided and reported on its own, also where the objective around it cannot be read.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from goal_ledger_contracts.strict_json import NotJson, parse
from goal_ledger_edge.problems import Problem, pointer, shown
from pydantic import ValidationError

from goal_ledger_command.api.refusals import of_validation
from goal_ledger_command.api.values import Piece
from goal_ledger_command.importing.document import (
    FORMAT,
    NESTED,
    ROWS,
    ClosingRow,
    Happened,
    KeyResultOfObjective,
    KeyResultRow,
    LinkRow,
)
from goal_ledger_command.importing.report import Report, refused

MAX_LINE_BYTES = 1024 * 1024
LINKS, CLOSINGS = "links", "closings"
KIND = {
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
    LINKS: "link",
    CLOSINGS: "closing",
    "owners": "owner",
}
_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """``place``: JSON pointer in the document, or ``line <n>``."""

    place: str
    section: str
    item: Piece
    of: str = ""
    """The objective of a key result, link or closing."""
    is_last: bool = True
    """Of the links with its parent, or of the closings: how it stands now."""
    is_inside: bool = False
    """Told of in the report of the row before it that is not."""

    @property
    def kind(self) -> str:
        return KIND[self.section]

    @property
    def id(self) -> str:
        """As reports name it."""
        item: Any = self.item
        if isinstance(item, LinkRow):
            return f"{self.of} → {item.parent}"
        if isinstance(item, ClosingRow):
            return self.of
        return str(getattr(item, "id", None) or getattr(item, "name", None) or getattr(item, "scope", ""))

    @property
    def reason(self) -> str | None:
        found: str | None = getattr(self.item, "reason", None)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """What the row alone may state in an import."""
        item: Any = self.item
        match self.section:
            case "readings":
                return (f"reading/{item.source}\0{item.id}",)
            case "links":
                when = item.linked or Happened()
                alone = f"link/{self.of} → {item.parent} {when.order} {when.at}"
                return (alone,) if item.id is None else (alone, f"link/{item.id}")
            case "closings":
                return (f"closing/{self.of} {item.order} {item.at}",)
            case "owners":
                return (f"{item.kind}/{item.id}",)
            case section:
                return (f"{KIND[section].replace(' ', '-')}/{self.id}",)


Read = ImportRow | Report


def of_document(document: Any) -> Iterator[Read]:
    """Problem 422 if it is no document of the format."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Problem(422, "wrong_format", f'The document has "format": "{FORMAT}".', field="/format")
    _need_sections(document)
    for section, items in document.items():
        if section == "workspace" and items is not None:
            yield from rows_of("/workspace", section, items)
        elif section in ROWS and section != "workspace":
            for number, item in enumerate(items):
                yield from rows_of(f"/{section}/{number}", section, item)


def _need_sections(document: dict[str, Any]) -> None:
    for section, items in document.items():
        if section not in (*ROWS, "format", "exported"):
            sentence = f"The format has no {shown(section)}.{known(section, ROWS)}"
            raise Problem(422, "field_unknown", sentence, field=pointer([section]))
        if section in ROWS and section != "workspace" and not isinstance(items, list):
            raise Problem(422, "wrong_type", f"{section} is a list.", field=f"/{section}")


def known(given: str, names: Iterable[str]) -> str:
    """The end of a sentence on a name that is none of those known: the nearest, and all."""
    all_of_them = tuple(names)
    nearest = difflib.get_close_matches(given[:64], all_of_them, n=1)
    return f"{f' Is {nearest[0]} meant?' if nearest else ''} It has {', '.join(all_of_them)}."


def of_lines(lines: Iterable[bytes], first: int = 1) -> Iterator[Read]:
    """Rows of JSON Lines: each an item of the document with its ``section``. ``first``: the first line's number."""
    for number, line in enumerate(lines, first):
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


def rows_of(place: str, section: str, item: Any, *, inside: bool = False) -> Iterator[Read]:
    """The row and those within it, or the reports that refuse them, in the order of the file.

    ``inside``: there is one report for all.
    """
    within: list[tuple[str, list[Any]]] = []
    if section == "objectives" and isinstance(item, dict):
        within = [(name, one) for name, one in item.items() if name in NESTED and isinstance(one, list)]
        item = {name: one for name, one in item.items() if name not in dict(within)}
    try:
        row = ROWS[section].model_validate(item)
        of = row.objective if isinstance(row, KeyResultOfObjective) else ""
        yield ImportRow(place, section, row, of)
    except ValidationError as wrong:
        yield refused(place, KIND[section], _id_in(item), _wrong(wrong, ROWS[section]))
        if inside:
            return
    for name, items in within:
        for one in _nested(f"{place}/{name}", name, item.get("id"), items):
            yield replace(one, place=place, is_inside=True) if inside and isinstance(one, ImportRow) else one


def _wrong(error: ValidationError, row: type[Piece]) -> Problem:
    """What is wrong; a member that there is not, with those that there are, before what is missing perhaps for it."""
    problem = of_validation(error)
    for one in problem.members.get("errors", [{"code": problem.code, "field": problem.field or ""}]):
        name = one["field"].removeprefix("/")
        if one["code"] == "field_unknown" and "/" not in name:
            sentence = f"The row has no {name}.{known(name, row.model_fields)}"
            return Problem(422, "field_unknown", sentence, field=one["field"])
    return problem


def _nested(place: str, section: str, objective: Any, items: list[Any]) -> Iterator[Read]:
    found: list[Report | ImportRow] = []
    for number, one in enumerate(items):
        at = f"{place}/{number}"
        try:
            if not isinstance(objective, str):
                sentence = "The objective around it has no id that can be read."
                raise Problem(422, "field_required", sentence, field="/objective")
            found.append(ImportRow(at, section, NESTED[section].model_validate(one), objective, False))
        except ValidationError as wrong:
            found.append(refused(at, KIND[section], _id_in(one), _wrong(wrong, NESTED[section])))
        except Problem as wrong:
            found.append(refused(at, KIND[section], _id_in(one), wrong))
    last = _last_of([one for one in found if isinstance(one, ImportRow)])
    for one in found:
        if isinstance(one, ImportRow):
            yield ImportRow(one.place, one.section, one.item, one.of, one.place in last)
        else:
            yield one


def _last_of(rows: list[ImportRow]) -> set[str]:
    """The places of those that say how things stand: every key result, the last link with each parent, the last closing."""
    last: dict[Any, str] = {}
    for row in sorted(rows, key=_when):
        item: Any = row.item
        what = item.id if isinstance(item, KeyResultRow) else getattr(item, "parent", None)
        last[what] = row.place
    return set(last.values())


def _when(row: ImportRow) -> tuple[Any, ...]:
    """Stated times order rows of one kind, however they stand; without, it is where they stand."""
    item: Any = row.item
    happened = item if isinstance(item, ClosingRow) else getattr(item, "linked", None)
    if happened is None:
        return (0, 0, _FIRST)
    return (1, happened.order or 0, happened.at or _FIRST)


def _id_in(item: Any) -> str:
    found = (item.get("id") or item.get("name") or "") if isinstance(item, dict) else ""
    return found[:64] if isinstance(found, str) else ""
