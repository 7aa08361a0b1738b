"""From rows to a workbook whose steps are in order: what stands twice is refused, what others depend on is noted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from goal_ledger_edge.problems import Problem

from goal_ledger_command.importing import lives
from goal_ledger_command.importing.document import CheckInRow, ClosingRow, KeyResultRow, ObjectiveRow
from goal_ledger_command.importing.order import above, key_of, steps_of
from goal_ledger_command.importing.report import NOT_RECORDED, REFUSED, UNCHANGED, Report, refused
from goal_ledger_command.importing.rows import ImportRow, Read
from goal_ledger_command.importing.workbook import Workbook

_OF_A_CAUSE = frozenset(["objective_is_draft", "key_result_dropped", "unknown_person"])


def fill(book: Workbook, reads: Iterable[Read], max_rows: int | None = None) -> None:
    """Puts the rows down. Problem 413 if there are more than ``max_rows``."""
    for one in reads:
        if max_rows is not None and book.told_rows >= max_rows:
            sentence = f"An import in one piece has at most {max_rows} rows; send it in pieces."
            raise Problem(413, "too_many_items", sentence, max_items=max_rows)
        book.add(one)


def plan(book: Workbook) -> int:
    """Puts the steps of all rows in order; how many there are."""
    _refuse_what_is_given_twice(book)
    for _, row in book.rows():
        _note(book, row)
    for n, row in book.rows():
        steps = list(steps_of(row, book))
        for i, step in enumerate(steps):
            book.add_step(n, i, key_of(step, row, book))
        if not steps:
            book.report(n, Report(row.place, row.kind, row.id, UNCHANGED))
    return book.sort()


def _refuse_what_is_given_twice(book: Workbook) -> None:
    for n, other in list(book.given_twice()):
        row = book.row(n)
        if row is not None:
            sentence = f"{row.place} and {book.place(other)} state the same {row.kind}: which one is meant?"
            book.refuse(
                n, refused(row.place, row.kind, row.id, Problem(409, "given_twice", sentence, field="/id"))
            )


def _note(book: Workbook, row: ImportRow) -> None:
    item = row.item
    if isinstance(item, ObjectiveRow):
        book.note_life(item.id, lives.of_objective(item))
    elif isinstance(item, KeyResultRow):
        book.note_added(item.id, row.of, item.added)
        book.note_life(row.of, lives.of_key_result(item))
    elif isinstance(item, ClosingRow):
        book.note_life(row.of, lives.of_closing(item))
    elif isinstance(item, CheckInRow) and item.effective_at is not None:
        on = f"key-result/{item.key_result}" if item.key_result is not None else f"objective/{item.objective}"
        book.note_said(on, item.effective_at)
    other = above(row)
    if other is not None:
        book.note_above(row.names[0], other)


def ready(book: Workbook) -> Iterator[Report]:
    """The reports that can be given out and were not, in the order of the file; what another row's refusal caused comes
    after that one's."""
    while book.next_told <= book.count:
        chain = _with_causes(book, book.next_told)
        if chain is None:
            return
        book.next_told += 1
        for one, report in reversed(chain):
            book.tell(one)
            yield report


def _with_causes(book: Workbook, n: int) -> list[tuple[int, Report]] | None:
    """The row's report, then its cause's, that one's cause's …; None if one of them is not whole yet."""
    chain: list[tuple[int, Report]] = []
    at: int | None = n
    while at is not None and at not in [one for one, _ in chain]:
        told = book.told(at)
        if told is None:
            return None
        report, is_told = told
        cause = _cause(book, at, report)
        if cause is not None:
            report = replace(report, because=book.place(cause))
        if is_told:
            break
        chain.append((at, report))
        at = cause
    return chain


def _cause(book: Workbook, n: int, report: Report) -> int | None:
    """The refused row that the refused row could not do without."""
    if report.outcome != REFUSED or report.code is None:
        return None
    if not (report.code.startswith("unknown_") or report.code in _OF_A_CAUSE):
        return None
    row = book.row_as_read(n)
    for name in needs(row) if row is not None else ():
        other = book.named(name)
        told = None if other is None or other == n else book.told(other)
        if told is not None and told[0].outcome in (REFUSED, NOT_RECORDED):
            return other
    return None


def needs(row: ImportRow) -> Iterator[str]:
    """The names of what the row cannot do without."""
    item: Any = row.item
    if row.of:
        yield f"objective/{row.of}"
    for field, kind in _REFERRED.items():
        found = getattr(item, field, None)
        if isinstance(found, str):
            yield f"{kind}/{found}" if kind else found
    if row.section == "links":
        yield item.parent
    if row.section in ("units", "cycles") and item.parent is not None:
        yield f"{row.kind}/{item.parent}"
    if row.section == "people":
        yield from (f"unit/{one if isinstance(one, str) else one.unit}" for one in item.units)
    for bound in getattr(item, "bindings", ()):
        yield f"feed/{bound.feed}"
    yield from getattr(item, "contributors", ())


_REFERRED = {
    "key_result": "key-result",
    "objective": "objective",
    "feed": "feed",
    "system": "system",
    "cycle": "cycle",
    "lead": "person",
    "carried_from": "objective",
    "owner": "",
    "author": "",
    "scope": "",
}
"""Members that name another thing, and its kind; empty: the member has it in it."""
