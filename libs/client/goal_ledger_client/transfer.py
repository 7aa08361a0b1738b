"""Whole organisations in and out: an import sent row by row with its reports as they come, and every fact in order."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator
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


@dataclass(frozen=True, slots=True)
class Rows:
    """What is sent: each row on a line of its own; ``places``: where each stands in the document, if it was one."""

    content: bytes
    media_type: str
    places: tuple[str, ...] = ()


def rows_of_file(path: Path) -> Rows:
    """A document (.json), its rows (.jsonl) or a table (.csv). Raises ValueError if it is none of these."""
    raw = path.read_bytes()
    kind = path.suffix.lower() or (mimetypes.guess_type(path.name)[0] or "")
    if kind in (".csv", ".tsv"):
        return Rows(raw, CSV)
    if kind in (".jsonl", ".ndjson"):
        return Rows(raw, JSON_LINES)
    return rows_of_document(json.loads(raw, parse_float=str))


def rows_of_document(document: Any) -> Rows:
    """The rows of a document, so that its size is not limited by what a server parses at once. Raises ValueError."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'not a document with "format": "{FORMAT}"')
    unknown = sorted(set(document) - set(SECTIONS) - {"format", "exported"})
    if unknown:
        raise ValueError(f"the format has no {unknown[0]}")
    lines: list[str] = []
    places: list[str] = []
    for section in SECTIONS:
        if section == "workspace":
            given = [document[section]] if document.get(section) else []
        else:
            given = document.get(section) or []
        for number, item in enumerate(given):
            places.append(f"/{section}" if section == "workspace" else f"/{section}/{number}")
            row = {"section": section, **item} if isinstance(item, dict) else item
            lines.append(json.dumps(row, ensure_ascii=False))
    return Rows("\n".join(lines).encode(), JSON_LINES, tuple(places))


def import_rows(ledger: GoalLedger, rows: Rows, *, dry_run: bool = False) -> Iterator[dict[str, Any]]:
    """``{"rows": n}``, then a report per row as it comes, then ``{"summary": …}``.

    Raises Problem if it is refused as a whole, Unavailable if it broke off: send it again, only what is missing is
    recorded.
    """
    sent = exchange.headers(ledger.token) | {"Content-Type": rows.media_type, "Accept": JSON_LINES}
    params = {"dry_run": "true"} if dry_run else {}
    url = f"{ledger.command_url}/v1/imports"
    try:
        with ledger.http.stream(
            "POST", url, headers=sent, content=rows.content, params=params, timeout=None
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
    "Problem",
    "Rows",
    "facts",
    "import_rows",
    "log_lines",
    "rows_of_document",
    "rows_of_file",
]
