"""What became of a row: created, changed, unchanged, or refused with code, sentence and field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goal_ledger_domain.refusals import Refusal
from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.submission import LedgerError
from goal_ledger_observability.logs import logger

CREATED, CHANGED, UNCHANGED, REFUSED, NOT_RECORDED = (
    "created",
    "changed",
    "unchanged",
    "refused",
    "not_recorded",
)
OUTCOMES = (UNCHANGED, CHANGED, CREATED, REFUSED, NOT_RECORDED)
"""The later ones win where a row came to several."""


log = logger("goal_ledger.imports")


@dataclass(slots=True)
class Report:
    place: str
    kind: str
    id: str
    outcome: str
    code: str | None = None
    detail: str | None = None
    field: str | None = None

    def add(self, other: Report) -> None:
        """Another step of the same row; the first refusal stays."""
        if OUTCOMES.index(other.outcome) > OUTCOMES.index(self.outcome):
            self.outcome = other.outcome
            self.code, self.detail, self.field = other.code, other.detail, other.field

    def document(self) -> dict[str, Any]:
        told = {"row": self.place, "kind": self.kind, "id": self.id, "outcome": self.outcome}
        more = {"code": self.code, "detail": self.detail, "field": self.field}
        return told | {name: text for name, text in more.items() if text is not None}


def refused(place: str, kind: str, id: str, why: Exception) -> Report:
    """The report on what was not taken. An error of ours costs one row: the log has the rest."""
    if isinstance(why, Refusal):
        return Report(place, kind, id, REFUSED, why.code, why.sentence, _in_row(kind, why.field))
    if isinstance(why, Problem):
        return Report(place, kind, id, REFUSED, why.code, why.sentence, why.field)
    if isinstance(why, LedgerError):
        outcome = REFUSED if why.code in ("fact_too_large", "person_shredded") else NOT_RECORDED
        return Report(place, kind, id, outcome, why.code, why.sentence)
    log.error("an import's row failed", exc_info=why, row=place)
    sentence = "The server met an error of its own; the log has the details."
    return Report(place, kind, id, NOT_RECORDED, "internal_error", sentence)


def _in_row(kind: str, field: str | None) -> str | None:
    """The JSON pointer of a decider's field within the row; a row's own id has that name in it, a feed's is its name."""
    if field is None:
        return None
    own = "/name" if kind in ("feed", "moment") else "/id"
    return own if field == kind.replace(" ", "_").replace("-", "_") else f"/{field}"
