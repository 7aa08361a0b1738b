"""What was checked of a dossier's bundle and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from goal_ledger_verifier.report import Report


@dataclass(slots=True)
class DossierReport(Report):
    """``log``: the signed head's, as far as the bundle shows it."""

    objective: str = ""
    position: str = ""

    def log_document(self) -> dict[str, Any]:
        log = self.log
        return {
            "place": log.place,
            "workspace": log.workspace,
            "objective": self.objective,
            "position": self.position,
            "root": log.root.hex(),
            "streams": log.streams,
            "first_recorded_at": log.first_recorded_at,
            "last_recorded_at": log.last_recorded_at,
        }

    def heading(self) -> Iterator[str]:
        log = self.log
        yield f"{log.place}: dossier of objective/{self.objective} in {log.workspace}, as known at {self.position};"
        yield f"facts of {log.streams:,} streams, recorded {log.first_recorded_at} to {log.last_recorded_at};"
        yield f"signed root {log.root.hex()}"
