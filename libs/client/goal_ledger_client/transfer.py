"""Whole organisations in and out: an import sent row by row with its reports as they come, and every fact in order."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from goal_ledger_client import exchange
from goal_ledger_client.client import GoalLedger
from goal_ledger_client.exchange import Problem, Unavailable

FORMAT = "goal-ledger.organisation.v1"
SECTIONS = (
    *("workspace", "units", "people", "systems", "feeds", "cycles", "policies", "moments", "objectives"),
    *("key_results", "check_ins", "readings"),
)
JSON_LINES, CSV = "application/jsonl", "text/csv"
PAGE_FACTS = 1000
PAGE_LOG_FACTS = 5000


PIECE_BYTES = 1024 * 1024
"""What is larger is sent in pieces of so many bytes."""


@dataclass(frozen=True, slots=True)
class RowsToSend:
    """What is sent: each row on a line of its own; ``places``: where each stands in the document, if it was one."""

    content: bytes
    media_type: str
    places: tuple[str, ...] = ()

    @property
    def import_id(self) -> str:
        """Follows from the content: who sends the same again goes on with the same import."""
        digest = hashlib.sha256(self.media_type.encode() + b"\0" + self.content).hexdigest()
        return f"import-{digest[:32]}"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How an import is meant. ``numbers`` and ``percent``: how a table's numbers are written (docs/guide/import.md)."""

    dry_run: bool = False
    numbers: str | None = None
    percent: bool = False
    import_id: str | None = None
    create_owners: bool = False

    def params(self) -> dict[str, str]:
        found = {"dry_run": "true"} if self.dry_run else {}
        found |= {"percent": "true"} if self.percent else {}
        found |= {"create_owners": "true"} if self.create_owners else {}
        return found | ({"numbers": self.numbers} if self.numbers is not None else {})


def rows_of_file(path: Path, form: str | None = None) -> RowsToSend:
    """A document (.json), its rows (.jsonl) or a table (.csv); ``-`` is stdin. Raises ValueError if it is none of these.

    ``form``: json, jsonl or csv; left out it follows from the name, and without one from the content.
    """
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError(
            "this is a spreadsheet's own file (.xlsx, .ods, .xls), no table: save it as CSV UTF-8"
        )
    form = form or _FORM_OF.get(path.suffix.lower()) or _form_in(raw)
    if form == "csv":
        return RowsToSend(raw, CSV)
    return (
        RowsToSend(raw, JSON_LINES) if form == "jsonl" else rows_of_document(json.loads(raw, parse_float=str))
    )


_FORM_OF = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json"}


def _form_in(raw: bytes) -> str:
    text = raw.lstrip()
    if not text.startswith(b"{"):
        return "csv"
    return "jsonl" if b'"section"' in text.partition(b"\n")[0] else "json"


def rows_of_document(document: Any) -> RowsToSend:
    """The rows of a document, so that its size is not limited by what a server parses at once. Raises ValueError."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'not a document with "format": "{FORMAT}"')
    unknown = sorted(set(document) - set(SECTIONS) - {"format", "exported"})
    if unknown:
        raise ValueError(f"the format has no {unknown[0]}; it has {', '.join(SECTIONS)}")
    lines: list[str] = []
    places: list[str] = []
    for section in [name for name in document if name in SECTIONS]:
        if section == "workspace":
            given = [document[section]] if document.get(section) else []
        else:
            given = document.get(section) or []
        for number, item in enumerate(given):
            places.append(f"/{section}" if section == "workspace" else f"/{section}/{number}")
            row = {"section": section, **item} if isinstance(item, dict) else item
            lines.append(json.dumps(row, ensure_ascii=False))
    return RowsToSend("\n".join(lines).encode(), JSON_LINES, tuple(places))


def import_rows(
    ledger: GoalLedger, rows: RowsToSend, *, dry_run: bool = False, reading: ImportOptions | None = None
) -> Iterator[dict[str, Any]]:
    """``{"rows": n}``, then a report per row, then ``{"summary": …}``; of many rows ``{"steps_done": …}`` on the way.

    What is large goes in pieces under one import id, and goes on by itself where it was broken off. Raises Problem if it
    is refused as a whole, Unavailable if it broke off: send it again, only what is missing is recorded.
    """
    reading = reading or ImportOptions(dry_run)
    if len(rows.content) > PIECE_BYTES:
        return _in_pieces(ledger, rows, reading)
    id = reading.import_id or rows.import_id
    return _reports(ledger, "/v1/imports", {**reading.params(), "import_id": id}, rows, rows.content)


def _reports(
    ledger: GoalLedger, path: str, params: Mapping[str, str], rows: RowsToSend, content: bytes | None
) -> Iterator[dict[str, Any]]:
    sent = exchange.headers(ledger.token) | {"Content-Type": rows.media_type, "Accept": JSON_LINES}
    url = f"{ledger.command_url}{path}"
    try:
        with ledger.http.stream(
            "POST", url, headers=sent, content=content, params=dict(params), timeout=None
        ) as response:
            if response.status_code >= 400:
                raise exchange.problem(response.status_code, response.read())
            complete = False
            for line in response.iter_lines():
                told = json.loads(line)
                if "problem" in told:
                    raise Unavailable(told["problem"]["status"], told["problem"])
                complete = "summary" in told
                yield _placed(told, rows.places)
    except (httpx2.TransportError, json.JSONDecodeError) as broke:
        raise _broken_off(broke) from broke
    if not complete:
        raise _broken_off(None)


def _in_pieces(ledger: GoalLedger, rows: RowsToSend, reading: ImportOptions) -> Iterator[dict[str, Any]]:
    """Send what is not there yet, run it, go on with it if it breaks off."""
    id = reading.import_id or rows.import_id
    pieces = [rows.content[at : at + PIECE_BYTES] for at in range(0, len(rows.content), PIECE_BYTES)]
    path, given_out = f"/v1/imports/{id}", 0
    for attempt in range(ledger.retry.attempts):
        try:
            here = _pieces_here(ledger, path) if id == rows.import_id else frozenset()
            for number, piece in enumerate(pieces, 1):
                if number not in here:
                    ledger.send("PUT", f"{path}/pieces/{number}", piece, rows.media_type)
            params = {**reading.params(), "pieces": str(len(pieces))}
            for told in _news(_reports(ledger, f"{path}/run", params, rows, None), given_out):
                yield told
                given_out += "row" in told
            break
        except Unavailable:
            if attempt == ledger.retry.attempts - 1:
                raise
            time.sleep(ledger.retry.pause_s(attempt))
    if reading.dry_run:
        ledger.send("DELETE", path)


def _news(told: Iterator[dict[str, Any]], given_out: int) -> Iterator[dict[str, Any]]:
    """Without the first reports, which were given out before it broke off."""
    passed = 0
    for one in told:
        passed += "row" in one
        if "row" not in one or passed > given_out:
            yield one


def _pieces_here(ledger: GoalLedger, path: str) -> frozenset[int]:
    try:
        return frozenset(one["number"] for one in ledger.send("GET", path).json()["pieces"])
    except Problem as none:
        if none.status != 404:
            raise
        return frozenset()


def _broken_off(why: Exception | None) -> Unavailable:
    title = "The import broke off; send it again: only what is missing is recorded."
    return Unavailable(0, {"code": "broken_off", "title": title if why is None else f"{title} ({why})"})


def _placed(told: dict[str, Any], places: tuple[str, ...]) -> dict[str, Any]:
    """The report with its row's place in the document instead of its line."""
    row = told.get("row")
    if not places or not isinstance(row, str) or not row.startswith("line "):
        return told
    line, slash, within = row.removeprefix("line ").partition("/")
    return told | {"row": places[int(line) - 1] + slash + within}


def facts(ledger: GoalLedger, *, position: str | None = None, **asked: Any) -> Iterator[dict[str, Any]]:
    """Every fact that ``asked`` (parameters of ``/v1/facts``) finds, in order, all at the clocks of the first page.

    ``position``: the answer includes it.
    """
    wanted = {"limit": PAGE_FACTS, **asked}
    page = ledger.query("/v1/facts", after=position, asked_of=wanted)
    while True:
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        later = {name: one for name, one in wanted.items() if name not in ("as_of", "known_at")}
        page = ledger.query("/v1/facts", asked_of={**later, "cursor": page["next_cursor"]})


def log_lines(ledger: GoalLedger, *, after: int = 0) -> Iterator[bytes]:
    """The log itself: each fact's canonical bytes, in order, up to its end. Needs the role auditor."""
    sent = exchange.headers(ledger.token)
    while True:
        params = {"after": after, "limit": PAGE_LOG_FACTS}
        try:
            response = ledger.http.get(f"{ledger.command_url}/v1/log", headers=sent, params=params)
        except httpx2.TransportError as broke:
            raise Unavailable(
                0, {"code": "unreachable", "title": f"{ledger.command_url}: {broke}"}
            ) from broke
        if response.status_code >= 400:
            raise exchange.problem(response.status_code, response.content)
        lines = response.content.splitlines()
        if not lines:
            return
        yield from lines
        after = json.loads(lines[-1])["seq"]


__all__ = [
    "FORMAT",
    "ImportOptions",
    "Problem",
    "RowsToSend",
    "facts",
    "import_rows",
    "log_lines",
    "rows_of_document",
    "rows_of_file",
]
