"""Check-ins: the steps of their rows. A row is the check-in's whole content, as it counts now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from goal_ledger_contracts.decision import ENDED, Situation
from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn, RetractCheckIn, identity
from goal_ledger_domain.command import Meta
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import CheckInRow, Happened, Said
from goal_ledger_command.importing.steps import Command, Rank, Step, timed


def of_check_in(place: str, row: CheckInRow, activated: Mapping[str, datetime]) -> Iterator[Step]:
    """``activated``: when the objectives and key results of the import were activated: a value may be true before."""
    known_as = identity(row.id)
    on = f"key-result/{row.key_result}" if row.key_result is not None else f"objective/{row.objective}"

    def recorded(world: World, situation: Situation, meta: Meta) -> Command | None:
        found = situation.found.get(known_as)
        if found is None:
            return _record(row, row.at_closing or row, meta)
        objective, _, key_result = found.subject.partition("|")
        if (row.key_result or "") != key_result or row.objective not in (None, objective):
            return _record(row, row, meta)
        if row.corrected is not None or (row.retracted is not None and found.state == ENDED):
            return None
        return _correct(row, meta)

    def corrected(world: World, _: Situation, meta: Meta) -> Command:
        return _correct(row, replace(meta, effective_at=row.effective_at))

    def retracted(world: World, _: Situation, meta: Meta) -> Command:
        return RetractCheckIn(meta, row.id)

    at = row.effective_at
    if row.at_closing is not None and row.at_closing.effective_at is not None:
        at = row.at_closing.effective_at
    happened = Happened.model_construct(at=at, order=row.order, reason=row.reason)
    step = timed(place, "check-in", row.id, Rank.CHECK_IN, recorded, happened, lookups=(known_as,))
    if at is not None and on in activated:
        step.comes_at = max(at, activated[on])
    yield step
    for happened_after, missing in ((row.corrected, corrected), (row.retracted, retracted)):
        if happened_after is not None:
            later = timed(place, "check-in", row.id, Rank.CYCLE, missing, happened_after, lookups=(known_as,))
            yield later


def _record(row: CheckInRow, said: Said, meta: Meta) -> RecordCheckIn:
    return RecordCheckIn(
        meta,
        check_in=row.id,
        objective=row.objective,
        key_result=row.key_result,
        values=said.part_values(),
        confidence=said.confidence,
        status=said.status,
        method=said.method,
        author=said.author,
        note=said.note,
        blockers=said.blockers,
        evidence=said.evidence,
    )


def _correct(row: CheckInRow, meta: Meta) -> CorrectCheckIn:
    return CorrectCheckIn(
        meta,
        check_in=row.id,
        values=row.part_values(),
        confidence=row.confidence,
        status=row.status,
        method=row.method,
        author=row.author,
        note=row.note,
        blockers=row.blockers,
        evidence=row.evidence,
    )
