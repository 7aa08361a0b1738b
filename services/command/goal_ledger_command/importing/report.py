"""What became of a row: created, changed, unchanged, or refused with code, sentence and field."""

from __future__ import annotations

from dataclasses import dataclass, replace
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

AFTER_CLOSING = (
    "after_closing",
    "Recorded after the closing: the score that the goal kept does not count it. What belongs to a goal comes in with it.",
)
"""Code and sentence of a warning."""
TIME_MOVED = "time_moved"

log = logger("goal_ledger.imports")


@dataclass(frozen=True, slots=True)
class Report:
    """``rest``: what became of the row where ``outcome`` tells of a part of it that was refused; ``because``: the row
    whose refusal is the cause."""

    place: str
    kind: str
    id: str
    outcome: str
    code: str | None = None
    detail: str | None = None
    field: str | None = None
    earliest: str | None = None
    rest: str | None = None
    warning: tuple[str, str] | None = None
    because: str | None = None

    def with_(self, other: Report) -> Report:
        """With another step of the same row; the first refusal stays."""
        later = OUTCOMES.index(other.outcome) > OUTCOMES.index(self.outcome)
        first, second = (other, self) if later else (self, other)
        warning = self.warning or other.warning
        if first.outcome in (REFUSED, NOT_RECORDED):
            done = [one for one in (first.rest, second.rest, second.outcome) if one in (CREATED, CHANGED)]
            return replace(first, rest=max(done, key=OUTCOMES.index, default=None), warning=warning)
        return replace(first, warning=warning)

    def document(self) -> dict[str, Any]:
        told = {"row": self.place, "kind": self.kind, "id": self.id, "outcome": self.outcome}
        more: dict[str, Any] = {
            "code": self.code,
            "detail": self.detail,
            "field": self.field,
            "earliest": self.earliest,
            "rest": self.rest,
            "because": self.because,
        }
        if self.warning is not None:
            more["warning"] = dict(zip(("code", "detail"), self.warning, strict=True))
        return told | {name: one for name, one in more.items() if one is not None}


_TIME_OF = {
    **dict.fromkeys(("unit", "person", "feed"), "/since"),
    "cycle": "/planned/at",
    "objective": "/drafted/at",
    "key result": "/added/at",
    "link": "/linked/at",
    "closing": "/at",
}
"""Where a row says when it took effect, by its kind; the others say ``effective_at``."""


def refused(place: str, kind: str, id: str, why: Exception, within: str = "") -> Report:
    """The report on what was not taken. ``within``: what of the row it was. An error of ours costs one row: the log has
    the rest."""
    if isinstance(why, Refusal):
        field = _in_row(kind, why.field, within)
        earliest = why.details.get("last_effective_at")
        sentence = (
            why.sentence if earliest is None else f"{why.sentence} The earliest that would do is {earliest}."
        )
        return Report(place, kind, id, REFUSED, why.code, sentence, field, earliest)
    if isinstance(why, Problem):
        return Report(place, kind, id, REFUSED, why.code, why.sentence, why.field)
    if isinstance(why, LedgerError):
        outcome = REFUSED if why.code in ("fact_too_large", "person_shredded") else NOT_RECORDED
        return Report(place, kind, id, outcome, why.code, why.sentence)
    log.error("an import's row failed", exc_info=why, row=place)
    sentence = "The server met an error of its own; the log has the details."
    return Report(place, kind, id, NOT_RECORDED, "internal_error", sentence)


def _in_row(kind: str, field: str | None, within: str) -> str | None:
    """The JSON pointer of a decider's field within the row; a row's own id has that name in it, a feed's is its name."""
    if within and (field == "effective_at" or not within.startswith("changed/")):
        return f"/{within}/at" if field == "effective_at" else f"/{within}"
    if field is None:
        return None
    if field == "effective_at":
        return _TIME_OF.get(kind, "/effective_at")
    own = "/name" if kind in ("feed", "moment") else "/id"
    return own if field == kind.replace(" ", "_").replace("-", "_") else f"/{field}"
