"""Receipts over HTTP: what became of a reading, in the same members as on the emitter's receipts topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.decision import Decision, Found
from goal_ledger_contracts.feed import ReadingQuarantined
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.refusal_codes import why_quarantined
from goal_ledger_domain.refusals import Refusal
from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.submission import CommandAnswer, LedgerError
from goal_ledger_messaging.reading_event import PLACES, NotAReading, ReadingEvent
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

Receipt = dict[str, Any]

UNDECIDABLE = NotAReading(
    "reading_undecidable", "It cannot be decided, for a reason that does not pass; the operator's log has it."
)
"""Said of a reading that fails where nobody expected it."""

log = logger("goal_ledger.command.receipts")


@dataclass(slots=True)
class ReadingOverHttp:
    """A reading on its way: what was last decided about it."""

    event: ReadingEvent
    decision: Decision | None = None

    def receipt(self, outcome: CommandAnswer | Exception) -> Receipt:
        """The receipt of what the ledger answered."""
        if isinstance(outcome, CommandAnswer):
            fact = outcome.facts[0]
            return self._decided(fact.event_id, Position(outcome.position.epoch, fact.seq))
        if isinstance(outcome, WouldBe):
            return self._decided(None, None)
        receipt = {
            "source": self.event.source,
            "id": self.event.id,
            "feed": self.event.feed,
            "outcome": "refused",
        }
        if isinstance(outcome, Refusal | Problem):
            receipt |= {"reason": outcome.code, "detail": outcome.sentence}
            field = place_in_event(outcome.field)
            return receipt if field is None else receipt | {"field": field}
        if isinstance(outcome, LedgerError):
            return receipt | {"outcome": "not_recorded", "reason": outcome.code, "detail": outcome.sentence}
        return receipt | undecidable(outcome)

    def _decided(self, event_id: str | None, position: Position | None) -> Receipt:
        decision = self.decision
        assert decision is not None
        receipt: Receipt = {
            "source": self.event.source,
            "id": self.event.id,
            "feed": self.event.feed,
            "outcome": "applied",
        }
        if decision.same_as is not None:
            receipt["outcome"] = "duplicate"
        elif isinstance(data := decision.drafts[0].data, ReadingQuarantined):
            receipt |= {"outcome": "quarantined"} | why_quarantined(data.why)
        if event_id is not None:
            receipt |= {"event_id": event_id, "position": str(position)}
        return receipt


def place_in_event(field: str | None) -> str | None:
    """Where a decider's field lies in the event: a JSON pointer into its structured form."""
    return None if field is None else PLACES.get(field, field)


class WouldBe(Exception):
    """Ends the decision of a dry run, so that nothing is recorded."""

    def __init__(self, taken: ReadingOverHttp) -> None:
        self.taken = taken


def undecidable(failure: Exception) -> Receipt:
    """The outcome of a reading that failed in its own way, which the log tells."""
    log.error("a reading cannot be decided: refused", error=failure_text(failure)[:500])
    return {"outcome": "refused", "reason": UNDECIDABLE.code, "detail": UNDECIDABLE.sentence}


def unreadable(bad: NotAReading) -> Receipt:
    """The receipt of what is no reading; source and id as far as they could be read."""
    receipt = {
        "source": bad.source,
        "id": bad.id,
        "feed": bad.feed,
        "outcome": "refused",
        "reason": bad.code,
        "detail": bad.sentence,
    }
    return receipt if bad.field is None else receipt | {"field": bad.field}


def looked_up(found: Found, epoch: int) -> Receipt:
    """The receipt of a reading that is recorded, as it was given when it was taken, and its ``state`` now."""
    fact = found.fact
    data = fact.data
    receipt = {
        "source": data.source,
        "id": data.id,
        "feed": fact.stream_id,
        "outcome": "applied",
        "event_id": fact.event_id,
        "position": str(Position(epoch, fact.seq)),
        "state": found.subject,
    }
    if isinstance(data, ReadingQuarantined):
        receipt |= {"outcome": "quarantined"} | why_quarantined(data.why)
    return receipt
