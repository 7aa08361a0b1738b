"""An objective's definition after each of its facts, folded from the facts themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import parts_of

from goal_ledger_history.goals import Binding, Closing, Goal, KeyResult, begun, ended

ACTIVE, ARCHIVED, CLOSED, DRAFT = "active", "archived", "closed", "draft"


def defined_by(before: Goal | None, fact: Fact) -> Goal | None:
    """The definition after the fact; None if the fact defines nothing (a check-in, a comment, kudos, an endorsement)."""
    data = fact.data
    if isinstance(data, facts.ObjectiveDrafted):
        return Goal(
            fact.stream_id, fact.seq, DRAFT, data.owner, data.cycle, None, None, None, (), False, False
        )
    if before is None or isinstance(data, _DEFINING_NOTHING):
        return None
    return replace(before, seq=fact.seq, **_changed(before, fact))


_DEFINING_NOTHING = (
    facts.CheckInRecorded,
    facts.CheckInCorrected,
    facts.CheckInRetracted,
    facts.CommentAdded,
    facts.KudosGiven,
    facts.ChangeEndorsed,
)


def _changed(before: Goal, fact: Fact) -> dict[str, Any]:
    match data := fact.data:
        case facts.ObjectiveAssigned():
            return {"owner": data.owner}
        case facts.PutInCycle() | facts.MovedToCycle():
            return {"cycle": data.cycle}
        case facts.ObjectiveActivated():
            return _activated(before, fact)
        case facts.ObjectiveClosed():
            closing = Closing(fact.seq, fact.effective_at, data.outcome)
            return {"stage": CLOSED, "closing": closing, "pauses": ended(before.pauses, fact.effective_at)}
        case facts.ObjectivePaused():
            return {"pauses": begun(before.pauses, fact.effective_at)}
        case facts.ObjectiveResumed():
            return {"pauses": ended(before.pauses, fact.effective_at)}
        case facts.ObjectiveReopened():
            return {"stage": DRAFT if before.activated_seq is None else ACTIVE, "closing": None}
        case facts.ObjectiveArchived():
            return {"stage": ARCHIVED}
        case facts.KeyResultAdded():
            return _with(*before.key_results, _added(data, fact.seq))
        case _ if hasattr(data, "key_result"):
            return _with(
                *(
                    replace(one, **_changed_key_result(one, fact)) if one.id == data.key_result else one
                    for one in before.key_results
                )
            )
    return {}


def _activated(before: Goal, fact: Fact) -> dict[str, Any]:
    if before.activated_seq is not None:
        return {"stage": ACTIVE}
    return {"stage": ACTIVE, "activated_seq": fact.seq, "activated_at": fact.effective_at}


def _added(data: facts.KeyResultAdded, seq: int) -> KeyResult:
    return KeyResult(
        data.key_result,
        data.text,
        data.weight,
        data.owner,
        False,
        data.measure,
        seq,
        parts_of(data.measure),
        {},
    )


def _changed_key_result(one: KeyResult, fact: Fact) -> dict[str, Any]:
    match data := fact.data:
        case facts.KeyResultReworded():
            return {"text": data.text}
        case facts.MeasureChanged():
            return {"measure": data.measure, "measure_seq": fact.seq, "parts": parts_of(data.measure)}
        case facts.KeyResultWeightChanged():
            return {"weight": data.weight}
        case facts.KeyResultOwnerChanged():
            return {"owner": data.owner}
        case facts.PartBound():
            bound = Binding(data.feed, data.aggregation, fact.seq)
            return {"bindings": {**one.bindings, data.part: bound}}
        case facts.PartUnbound():
            return {"bindings": {part: b for part, b in one.bindings.items() if part != data.part}}
        case facts.KeyResultDropped():
            return {"dropped": True}
        case facts.KeyResultTakenUp():
            return {"dropped": False}
    return {}


def _with(*key_results: KeyResult) -> dict[str, Any]:
    return {
        "key_results": key_results,
        "is_fed": any(one.bindings for one in key_results),
        "has_windows": any(part.window for part in _parts(key_results)),
    }


def _parts(key_results: Iterable[KeyResult]) -> Iterable[Any]:
    return (part for one in key_results for part in one.parts.values())
