"""Writes ``docs/refusals.md`` and ``docs/limits.md`` from the tables: ``python -m goal_ledger_domain.documents docs``.

A test says that the two files are what this writes.
"""

from __future__ import annotations

import ast
import inspect
import sys
from datetime import timedelta
from pathlib import Path

from goal_ledger_contracts.envelope import MAX_FACT_BYTES
from goal_ledger_contracts.refusal_codes import CLIENT, ELSEWHERE, QUARANTINE, STANDING_STILL

from goal_ledger_domain import limits, policy
from goal_ledger_domain.refusals import GENERAL, STATUS
from goal_ledger_domain.refusals_of_goals import GOALS
from goal_ledger_domain.refusals_of_organisation import ORGANISATION

WRITTEN = "Written by `python -m goal_ledger_domain.documents docs`; not by hand."


def refusals() -> str:
    """Every code of every part, with its HTTP status and what it means."""
    lines = [
        "# Refusals",
        "",
        "A refused command records nothing. Its problem document has a `code` that never changes its meaning, a",
        "sentence for people, and the `field` where there is one.",
        "",
        WRITTEN,
        "",
    ]
    for title, codes in (
        ("Everywhere", GENERAL),
        ("Workspace, access, units, people, cycles, feeds and readings", ORGANISATION),
        ("Objectives, key results, links, check-ins and comments", GOALS),
    ):
        rows = [
            f"| `{code}` | {STATUS[kind]} | {meaning} |" for code, (kind, meaning) in sorted(codes.items())
        ]
        lines += [f"## {title}", "", "| Code | Status | Meaning |", "|---|---|---|", *rows, ""]
    for title, others in ELSEWHERE:
        rows = [f"| `{code}` | {status} | {meaning} |" for code, (status, meaning) in sorted(others.items())]
        lines += [f"## {title}", "", "| Code | Status | Meaning |", "|---|---|---|", *rows, ""]
    for title, reasons in (
        ("Why a reading is quarantined", QUARANTINE),
        (
            "Why a workspace stands still (the header Goal-Ledger-Parked; docs/operations/standing-still.md)",
            STANDING_STILL,
        ),
        ("Said by the client", CLIENT),
    ):
        rows = [f"| `{code}` | {meaning} |" for code, meaning in sorted(reasons.items())]
        lines += [f"## {title}", "", "| Code | Meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def limits_page() -> str:
    """Every limit on what a command may hold."""
    lines = [
        "# Limits",
        "",
        f"What a command may hold. The names say the unit. A fact as it is stored has at most {MAX_FACT_BYTES:,} bytes: each",
        "text, list and number below may be as large as it says, but not all of one fact at once (413 `fact_too_large`, with",
        "`size_bytes` and `limit_bytes`). A character is up to 4 bytes; sealed text (notes, blockers, evidence) takes a third more.",
        "",
        WRITTEN,
        "",
        "| Limit | Value | Of |",
        "|---|---|---|",
        *(f"| `{name}` | {_shown(getattr(limits, name))} | {said} |" for name, said in _named_limits()),
        "",
        "## Ids and texts",
        "",
        "Ids: 1–64 of `A–Z a–z 0–9 . _ -`, compared as they are written; not `.` or `..`, which URLs lose on their way.",
        "Workspaces and systems: 1–40 of `a–z 0–9 -`. Of readings `source` and `id` are texts of their emitter's.",
        "",
        "Texts are kept in Unicode NFC, without white space at their ends. Refused (`text_has_control_characters`):",
        "",
        "| Characters | |",
        "|---|---|",
        "| U+0000–001F, U+007F–009F, U+2028, U+2029 | control; a line break and a tab are fine in descriptions, notes, comments, reasons |",
        "| U+202A–202E, U+2066–2069 | bidirectional embeddings, overrides, isolates |",
        "| U+206A–206F | deprecated format characters |",
        "| U+E0000–E007F | tags, which nobody sees; but in the emoji flags of regions (🏴󠁧󠁢󠁳󠁣󠁴󠁿) |",
        "| U+D800–DFFF | halves of surrogate pairs |",
        "",
        "Allowed: U+200E, U+200F, U+061C (marks that texts in Arabic and Hebrew need and that override nothing), U+200C and",
        "U+200D (joiners, of emoji too). A text of invisible characters alone is empty (`text_empty`).",
        "",
        "## Numbers of a policy",
        "",
        "| Field | From | To |",
        "|---|---|---|",
        *(f"| `{name}` | {least} | {greatest} |" for name, (least, greatest) in policy.RANGES.items()),
        "",
        "## Questions",
        "",
        "An attribution replays at most 20,000 facts, all that the asked thing rests on (422 `too_many_facts`, with `limit`).",
        "An explanation tells of at most 1,000 objectives (422 `too_many_goals`, with `limit`); `depth` bounds it.",
        "Of amendments at most 1,000 are sorted by effect (422 `too_many_changes`, with `limit`).",
        "",
    ]
    return "\n".join(lines)


def _shown(limit: int | timedelta) -> str:
    return f"{limit // timedelta(minutes=1)} minutes" if isinstance(limit, timedelta) else str(limit)


def _named_limits() -> list[tuple[str, str]]:
    """(name, docstring) in the order of the source."""
    found: list[tuple[str, str]] = []
    for node in ast.parse(inspect.getsource(limits)).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                found.append((name, ""))
            case ast.Expr(value=ast.Constant(value=str() as said)) if found:
                found[-1] = (found[-1][0], " ".join(said.replace("``", "`").split()))
    return found


PAGES = {"refusals.md": refusals, "limits.md": limits_page}

if __name__ == "__main__":
    for file_name, page in PAGES.items():
        Path(sys.argv[1], file_name).write_text(page(), encoding="utf-8")
