"""A certificate of erasure, checked offline: that the fact which erased a person's texts stands in the log that was signed.

It holds that fact's stored bytes and its C2SP tlog-proof, and says how long the operator keeps backups of keys: only after them is an
erasure complete. That a key is gone, and backups of it too, no bytes can show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.envelope import leaf_hash

from goal_ledger_verifier.canonical_lines import read
from goal_ledger_verifier.findings import Finding, Findings
from goal_ledger_verifier.heads import Heads, Proof, Trust, parse_proof
from goal_ledger_verifier.log import CheckedLog
from goal_ledger_verifier.log_files import CannotRead
from goal_ledger_verifier.members import Row, rows_of
from goal_ledger_verifier.notes import BadHead
from goal_ledger_verifier.report import Report
from goal_ledger_verifier.tree import climbed

FORMAT = "goal-ledger.erasure.v1"
MAX_BYTES = 1 << 20
_BEGINS = b'{"format":"goal-ledger.erasure.'

Json = dict[str, Any]


@dataclass(slots=True)
class ErasureReport(Report):
    """``of``: what the certificate says, in the words of its fact."""

    of: Json | None = None

    def log_document(self) -> Json:
        return {"place": self.log.place, "workspace": self.log.workspace, "erasure": self.of}

    def heading(self) -> Iterator[str]:
        if self.of is not None:
            yield f"{self.log.place}: the texts of {self.of['subject']} in {self.log.workspace} were erased"
            yield f"by fact {self.of['seq']}, recorded {self.of['recorded_at']} by {self.of['actor']}: {self.of['reason']};"
            yield f"complete at {self.of['complete_at']}, when the last backup of keys that may hold its key has ended"


def is_certificate(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS


def verify_erasure(path: Path, trust: Trust) -> ErasureReport:
    """Raises CannotRead: it is no certificate of this format; CannotVerify."""
    line, proof, days = _read(path)
    findings, place = Findings(), str(path)
    row, reason = _fact(line, place, findings)
    log = CheckedLog(place, workspace=row.workspace if row else "")
    report = ErasureReport(log, findings)
    heads = Heads(log, trust, findings)
    heads.check_signed(proof.head)
    if row is not None:
        _proven(row, line, proof, place, findings)
        ends = datetime.fromisoformat(row.recorded_at) + timedelta(days=days)
        report.of = {name: getattr(row, name) for name in ("seq", "event_id", "recorded_at", "actor")}
        report.of |= {"subject": row.stream, "reason": reason, "complete_at": instant_text(ends)}
    report.checked = {"facts proven": int(not findings.count), "heads signed by a key given": heads.signed}
    report.remarks = [
        "that the key is gone, and its backups with it, no bytes can show: it is the operator's word"
    ]
    if not trust.keys:
        report.remarks.append("no key was given: the signature of the head was not looked at")
    return report


def _read(path: Path) -> tuple[bytes, Proof, int]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES:,} bytes")
        said = json.loads(path.read_bytes())
        if said["format"] != FORMAT or type(said["key_backups_days"]) is not int:
            raise ValueError(f"its format is {said['format']!r}, not {FORMAT}")
        return said["fact"].encode(), parse_proof(said["proof"], str(path)), said["key_backups_days"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, BadHead) as wrong:
        raise CannotRead(f"{path}: no certificate of erasure: {wrong!r}"[:300]) from None


def _fact(line: bytes, place: str, findings: Findings) -> tuple[Row | None, str | None]:
    fact, why = read(line)
    rows = None if fact is None else rows_of([fact])
    if fact is None or rows is None:
        findings.add(Finding("certificate_wrong", f"it holds no fact: {why}", place))
        return None, None
    row = Row(*rows[0])
    if why is not None:
        findings.add(Finding("not_canonical", why, place, row.seq, None, row.event_id, row.stream))
    if row.type != "PersonShredded" or not row.stream.startswith("person/"):
        findings.add(
            Finding(
                "certificate_wrong", f"its fact is {row.type}", place, row.seq, None, row.event_id, row.stream
            )
        )
    return row, fact.get("reason")


def _proven(row: Row, line: bytes, proof: Proof, place: str, findings: Findings) -> None:
    head = proof.head
    if head.log is None or head.log[0] != row.workspace:
        findings.add(Finding("head_of_another_log", f"{head.origin}; the fact is of {row.workspace}", place))
    elif proof.seq != row.seq or climbed(leaf_hash(line), proof.seq - 1, head.size, proof.path) != head.root:
        detail = "the fact is not the one that was proven"
        findings.add(Finding("proof_wrong", detail, place, row.seq, None, row.event_id, row.stream))
