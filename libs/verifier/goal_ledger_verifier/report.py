"""What was checked and what was found, for a person and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from goal_ledger_verifier.findings import CODES, Finding, Findings
from goal_ledger_verifier.log import CheckedLog

WHOLE, FOUND, NOT_CHECKED = range(3)
"""Exit codes."""


@dataclass(slots=True)
class Report:
    """``not_checked``: what was given and could not be checked. ``remarks``: what a reader must know of a clean result."""

    log: CheckedLog
    findings: Findings
    checked: dict[str, int] = field(default_factory=dict)
    not_computed: dict[str, int] = field(default_factory=dict)
    not_checked: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """1 before 2: what was found stands, whatever could not be read."""
        if self.findings.count:
            return FOUND
        return NOT_CHECKED if self.not_checked else WHOLE

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "verdict": ("whole", "findings", "not_checked")[self.exit_code],
            "log": self.log_document(),
            "checked": self.checked,
            "findings": [one.document() for one in self.findings.kept],
            "findings_count": self.findings.count,
            "not_computed": self.not_computed,
            "not_checked": self.not_checked,
            "remarks": self.remarks,
        }

    def log_document(self) -> dict[str, Any]:
        """Of the log itself."""
        log = self.log
        return {
            "place": log.place,
            "workspace": log.workspace,
            "epoch": log.epoch,
            "facts": log.facts,
            "root": log.root.hex(),
            "streams": log.streams,
            "first_recorded_at": log.first_recorded_at,
            "last_recorded_at": log.last_recorded_at,
            "sealed_texts": log.texts,
            "erased_texts": log.erased,
            "shredded": log.shredded,
            "epochs": [{"epoch": one.number, "fork_seq": one.fork} for one in log.epochs],
        }

    def heading(self) -> Iterator[str]:
        """Which log it is."""
        log = self.log
        yield f"{log.place}: workspace {log.workspace}, epoch {log.epoch}, {log.facts:,} facts in {log.streams:,} streams,"
        yield f"recorded {log.first_recorded_at} to {log.last_recorded_at}; root {log.root.hex()}"
        yield f"{log.texts:,} sealed texts, of which {log.erased:,} are erased: {len(log.shredded)} persons were shredded"
        for one in log.epochs:
            yield f"epoch {one.number} began after fact {one.fork}"

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield from self.heading()
        yield ""
        for what, count in self.checked.items():
            yield f"{count:>12,}  {what}"
        yield ""
        for found in self.findings.kept:
            yield told(found)
        if self.findings.count > len(self.findings.kept):
            yield f"… and {self.findings.count - len(self.findings.kept):,} more"
        for name, count in sorted(self.not_computed.items()):
            yield f"not recomputed: {name} ({count})"
        yield from (f"NOT CHECKED {one}" for one in self.not_checked)
        yield from (f"note: {one}" for one in self.remarks)
        yield self._verdict()

    def _verdict(self) -> str:
        if self.findings.count:
            return f"{self.findings.count:,} finding{'s' if self.findings.count > 1 else ''}."
        return "Nothing found, but not everything was checked." if self.not_checked else "Nothing found."


def told(one: Finding) -> str:
    """A finding in one line."""
    where = [one.place] if one.place else []
    if one.seq is not None:
        where.append(f"fact {one.seq}" if one.upto is None else f"facts {one.seq} to {one.upto}")
    where += [part for part in (one.stream, one.event_id) if part]
    return f"FOUND {one.code} ({', '.join(where)}): {CODES[one.code]}: {one.detail}"
