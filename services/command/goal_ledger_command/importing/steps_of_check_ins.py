"""Check-ins: the steps of their rows. A row is the check-in's whole content, as it counts now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise

from goal_ledger_contracts.decision import ENDED, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.objective import CheckInCorrected, CheckInRecorded
from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn, RetractCheckIn, identity
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decider import Command
from goal_ledger_domain.part_values import clean
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import CheckInRow, EarlierSaid, Happened, Said
from goal_ledger_command.importing.steps import ImportStep, Missing, Rank, timed


def check_in_steps(row: CheckInRow) -> Iterator[ImportStep]:
    """A value may be true before its goal was activated or its key result added; it is told after that."""
    known_as = identity(row.id)
    on = f"key-result/{row.key_result}" if row.key_result is not None else f"objective/{row.objective}"
    first = row.earlier[0] if row.earlier else row

    def recorded(world: World, situation: Situation, meta: Meta) -> Command | None:
        found = situation.found.get(known_as)
        if found is None:
            return _record(row, first, meta)
        objective, _, key_result = found.subject.partition("|")
        if (row.key_result or "") != key_result or row.objective not in (None, objective):
            return _record(row, row, meta)
        if row.corrected is not None or (row.retracted is not None and found.state == ENDED):
            return None
        return _correct(row, row, meta)

    def corrected(
        before: Said, to: EarlierSaid, _: World, situation: Situation, meta: Meta
    ) -> Command | None:
        found = situation.found.get(known_as)
        if found is None or not _says(found.fact, before, is_first=before is first):
            return None
        return _correct(row, to, replace(meta, effective_at=to.effective_at))

    def at_last(world: World, situation: Situation, meta: Meta) -> Command | None:
        found = situation.found.get(known_as)
        if found is not None and found.state == ENDED and row.retracted is not None:
            return None
        return _correct(row, row, replace(meta, effective_at=row.effective_at))

    def retracted(world: World, _: Situation, meta: Meta) -> Command:
        return RetractCheckIn(meta, row.id)

    at = first.effective_at or row.effective_at
    happened = Happened.model_construct(at=at, order=row.order, reason=row.reason)
    after = (f"open/{on}",)
    yield timed(Rank.CHECK_IN, recorded, happened, after=after, lookups=(known_as,))
    later: list[tuple[Happened | None, Missing]] = [
        (
            Happened.model_construct(at=None, order=one.order, reason=one.reason),
            partial(corrected, before, one),
        )
        for before, one in pairwise(row.earlier)
    ]
    for happened_then, missing in (*later, (row.corrected, at_last), (row.retracted, retracted)):
        if happened_then is not None:
            yield timed(Rank.CYCLE, missing, happened_then, after=after, lookups=(known_as,))


def _says(fact: Fact, said: Said, *, is_first: bool) -> bool:
    """Whether the check-in is at this revision still."""
    if is_first:
        return isinstance(fact.data, CheckInRecorded)
    values = clean(said.part_values())
    return isinstance(fact.data, CheckInCorrected) and (fact.data.values, fact.data.note) == (
        values,
        said.note,
    )


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


def _correct(row: CheckInRow, said: Said, meta: Meta) -> CorrectCheckIn:
    return CorrectCheckIn(
        meta,
        check_in=row.id,
        values=said.part_values(),
        confidence=said.confidence,
        status=said.status,
        method=said.method,
        author=said.author,
        note=said.note,
        blockers=said.blockers,
        evidence=said.evidence,
    )
