"""Datasets of how goals stand: rows made from the standings of the whole tree, some hundred goals at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import orjson
from goal_ledger_contracts.canonical import EXACT, parse_instant
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.last_check_ins import (
    NO_CHECK_IN,
    CheckInsHoweverOld,
    LastCheckIn,
    LastCheckIns,
)
from goal_ledger_history.statuses import Standing

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.view import View
from goal_ledger_projection.exports.arrow import batch_of_rows
from goal_ledger_projection.exports.pages import Again
from goal_ledger_projection.exports.pyarrow_later import pa
from goal_ledger_projection.exports.schemas import (
    KEY_RESULTS,
    OBJECTIVES,
    SCORES,
    STATUSES,
    VALUES,
    Dataset,
)

GOALS_A_PAGE = 500
Pair = tuple[Standing, KeyResult]
ExportRow = tuple[Any, ...]


async def pages_of_objectives(goals: Sequence[Standing], again: Again) -> AsyncIterator[pa.Table]:
    """One row for each."""
    async for some, heard in _heard(goals, again):
        yield _table(OBJECTIVES, [_objective(one, heard) for one in some])


async def pages_of_key_results(pairs: Sequence[Pair], again: Again) -> AsyncIterator[pa.Table]:
    """One row for each."""
    for at in range(0, len(pairs), GOALS_A_PAGE):
        some = pairs[at : at + GOALS_A_PAGE]
        async with again() as view:
            heard = await _last_words(view, [(of, (one.id,)) for of, one in some])
        yield _table(KEY_RESULTS, [_key_result(of, one, heard) for of, one in some])


async def pages_of_scores(goals: Sequence[Standing], again: Again) -> AsyncIterator[pa.Table]:
    """A row for each objective, and beneath it one for each key result."""
    for at in range(0, len(goals), GOALS_A_PAGE):
        yield _table(SCORES, [row for one in goals[at : at + GOALS_A_PAGE] for row in _scores(one)])


async def pages_of_statuses(goals: Sequence[Standing], again: Again) -> AsyncIterator[pa.Table]:
    """A row for each objective, and beneath it one for each key result."""
    async for some, heard in _heard(goals, again, with_key_results=True):
        yield _table(STATUSES, [row for one in some for row in _statuses(one, heard)])


async def pages_of_values(goals: Sequence[Standing], again: Again) -> AsyncIterator[pa.Table]:
    """A row for each part of each key result."""
    for at in range(0, len(goals), GOALS_A_PAGE):
        yield _table(VALUES, [row for one in goals[at : at + GOALS_A_PAGE] for row in _values(one)])


async def _heard(
    goals: Sequence[Standing], again: Again, *, with_key_results: bool = False
) -> AsyncIterator[tuple[Sequence[Standing], LastCheckIns]]:
    """Some goals at a time, with what was said of them last."""
    for at in range(0, len(goals), GOALS_A_PAGE):
        some = goals[at : at + GOALS_A_PAGE]
        names = [tuple(kr.id for kr in one.defined.key_results) if with_key_results else () for one in some]
        async with again() as view:
            heard = await _last_words(view, list(zip(some, names, strict=True)))
        yield some, heard


async def _last_words(view: View, wanted: Sequence[tuple[Standing, tuple[str, ...]]]) -> LastCheckIns:
    values = (await view.history()).values
    return await values.check_ins_however_old(
        [
            CheckInsHoweverOld(of.goal.id, names, of.moment.true_at, of.moment.true_at, of.moment.known_to)
            for of, names in wanted
        ]
    )


def _table(dataset: Dataset, rows: list[ExportRow]) -> pa.Table:
    return pa.Table.from_batches([batch_of_rows(dataset, rows)])


def _said(heard: LastCheckIns, of: Standing, key_result: str | None) -> LastCheckIn:
    return heard.get((of.goal.id, key_result), NO_CHECK_IN)


def _both(now: Decimal | None, then: Decimal | None) -> tuple[Decimal | None, ...]:
    """As amended, as committed, the difference."""
    difference = None if now is None or then is None else EXACT.subtract(now, then)
    return now, then, difference


def _committed(one: Standing, key_result: str) -> Decimal | None:
    score = one.as_committed.key_results.get(key_result)
    return None if score is None else score.score


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _objective(one: Standing, heard: LastCheckIns) -> ExportRow:
    goal, body, status = one.goal, one.goal.body, one.status
    grade = body["closings"][-1].get("grade") if goal.closing is not None else None
    return (
        goal.id,
        body["title"],
        body.get("description"),
        body.get("kind"),
        goal.owner,
        _json(body["contributors"]),
        goal.cycle,
        goal.stage,
        goal.outcome,
        None if grade is None else Decimal(grade),
        parse_instant(body["drafted_at"]),
        goal.activated_at,
        None if goal.closing is None else goal.closing.at,
        *_both(one.amended.score, one.as_committed.score),
        one.expected,
        status.gap,
        status.shown,
        status.stated,
        status.computed,
        _said(heard, one, None).confidence,
        body.get("carried_from"),
    )


def _key_result(of: Standing, one: KeyResult, heard: LastCheckIns) -> ExportRow:
    score, own = of.amended.key_results[one.id], of.key_result(one)
    said = _said(heard, of, one.id)
    return (
        one.id,
        of.goal.id,
        of.goal.stage,
        of.goal.cycle,
        one.text,
        one.owner or of.goal.owner,
        one.weight,
        one.dropped,
        one.body["measure"]["kind"],
        _json(one.body["measure"]),
        _json(shown.bindings(one)),
        score.state,
        *_both(score.score, _committed(of, one.id)),
        own.expected,
        own.status.gap,
        of.shown[one.id],
        own.status.stated,
        own.status.computed,
        said.confidence,
        said.word.at,
    )


def _scores(of: Standing) -> Iterator[ExportRow]:
    id, kept = of.goal.id, of.amended.kept
    both = _both(of.amended.score, of.as_committed.score)
    yield f"objective/{id}", id, None, *both, None, None, of.expected, None, None, kept
    for one in of.defined.key_results:
        score = of.amended.key_results[one.id]
        yield (
            f"key-result/{one.id}",
            id,
            one.id,
            *_both(score.score, _committed(of, one.id)),
            score.raw,
            score.beyond,
            of.key_result(one).expected,
            one.weight,
            score.state,
            kept,
        )


def _statuses(of: Standing, heard: LastCheckIns) -> Iterator[ExportRow]:
    id, status, said = of.goal.id, of.status, _said(heard, of, None)
    yield (
        *(f"objective/{id}", id, None, status.shown, status.stated, status.computed, None),
        *(of.expected, status.gap, said.confidence, said.word.at),
    )
    for one in of.defined.key_results:
        own, said = of.key_result(one), _said(heard, of, one.id)
        yield (
            *(f"key-result/{one.id}", id, one.id, of.shown[one.id]),
            *(own.status.stated, own.status.computed, own.status.fresh),
            *(own.expected, own.status.gap, said.confidence, said.word.at),
        )


def _values(of: Standing) -> Iterator[ExportRow]:
    for one in of.defined.key_results:
        for name, part in of.amended.key_results[one.id].parts.items():
            given, bound = part.input, one.bindings.get(name)
            yield (
                of.goal.id,
                one.id,
                name,
                shown.number_in_force(given),
                None if given.done is None else _json(list(given.done)),
                of.unit_of(one, name),
                given.at,
                part.raw,
                part.score,
                part.state,
                part.zone,
                given.waiting_for,
                None if bound is None else bound.feed,
                None if bound is None else bound.aggregation,
                given.incomparable,
            )


PAGES_OF_GOALS: dict[str, Callable[[Sequence[Standing], Again], AsyncIterator[pa.Table]]] = {
    "objectives": pages_of_objectives,
    "scores": pages_of_scores,
    "statuses": pages_of_statuses,
    "values": pages_of_values,
}
"""By dataset."""
