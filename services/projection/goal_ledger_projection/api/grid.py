"""`GET /v1/grid`: goals × dates in one answer: scores, raw, status and expected score as of each date.

Each cell is what the questions about that goal answer at (date, known_at): `known=now` by the record as it stands at the
answer's clocks, `known=then` by what was recorded by the date itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.position import Position
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.windows import times_from
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import AnswerAtClocks, Number, Shape, answered, number
from goal_ledger_projection.api.choices import need_period
from goal_ledger_projection.api.objectives import InCycle, InState, InUnit, ObjectiveFilters, OfKind, OwnedBy
from goal_ledger_projection.api.routes import ALSO_BY_CALENDAR, QuestionRoute
from goal_ledger_projection.api.shown import Scores
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.tree import whole_tree
from goal_ledger_projection.read_models.facts import SEQ_RECORDED_BY

CELLS_MAX, DATES_MAX = 100_000, 400
Json = dict[str, Any]
Subject = tuple[str, str | None]
"""An objective, and one of its key results or None."""


class GridDate(Shape):
    as_of: str
    known_at: str = Field(description="The position that the cells of this date are known at")


class GridCell(Scores):
    raw: Number = Field(description="Unclamped; of key results")
    expected: Number
    status: str


class GridRow(Shape):
    subject: str = Field(description="objective/<id> or key-result/<id>")
    objective: str
    cells: list[GridCell | None] = Field(
        description="One for each date, in order; null: it did not exist then"
    )


class GridAnswer(AnswerAtClocks):
    known: str
    dates: list[GridDate]
    rows: list[GridRow] = Field(description="By objective: itself, then its key results")


routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/grid", summary="Goals × dates")
async def grid(
    request: GoalsRequest,
    dates: Annotated[
        str | None,
        Query(
            max_length=4000,
            description=f"Instants, with commas; instead of every and from. {ALSO_BY_CALENDAR}",
            json_schema_extra={"pattern": r"^[-0-9A-Za-z_:.,+ ]+$"},
        ),
    ] = None,
    every: Annotated[
        str | None, Query(max_length=20, description="The distance of two dates", examples=["P1W"])
    ] = None,
    from_: Annotated[
        str | None, Query(alias="from", max_length=80, description=f"The first date. {ALSO_BY_CALENDAR}")
    ] = None,
    to: Annotated[
        str | None, Query(max_length=80, description="The last at most, in the same forms; default: as_of")
    ] = None,
    known: Annotated[
        Literal["now", "then"], Query(description="then: by what was recorded by the date")
    ] = "now",
    of: Annotated[Literal["objectives", "key-results", "all"], Query(description="Which rows")] = "all",
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    kind: OfKind = None,
    state: InState = None,
) -> Answers[GridAnswer]:
    """Of the objectives that the filters find at the answer's clocks; at most 100,000 cells and 400 dates."""
    async with view_of(request) as view:
        filters = ObjectiveFilters(cycle, unit, owner, None, kind, state, None)
        await filters.need_possible(view)
        times = await _times(view, dates, every, from_, to)
        subjects = [one for goal in await filters.matching(view) for one in _subjects(goal, of)]
        _need_few(len(subjects), len(times))
        moments = [AsOf(at, await _known_to(view, at, known)) for at in times]
        cells: dict[Subject, list[Json | None]] = {one: [] for one in subjects}
        for moment in moments:
            await _fill(view, moment, cells)
        body = {
            "known": known,
            "dates": [_date(view, one) for one in moments],
            "rows": [_row(subject, of_it) for subject, of_it in cells.items()],
        }
        return answered(request, view.clocks, body)


async def _times(
    view: View, dates: str | None, every: str | None, start: str | None, end: str | None
) -> list[datetime]:
    """The dates, none after `as_of`. Problem 422."""
    if dates is not None:
        if every or start or end:
            raise Problem(422, "invalid", "dates stands alone, without every, from and to.", field="dates")
        times = sorted({await view.instant(one.strip(), "dates") for one in dates.split(",")})
    else:
        if every is None or start is None:
            raise Problem(422, "invalid", "Give dates, or every and from.", field="every")
        last = view.clocks.as_of if end is None else await view.instant(end, "to")
        first = await view.instant(start, "from")
        if first != last:
            need_period(first, last, "from")
        times = _spaced(
            first, every, last, (await view.context()).time_zone(view.clocks.seq, view.clocks.as_of)
        )
    if len(times) > DATES_MAX:
        _refuse(f"There are more than {DATES_MAX} dates; ask for fewer.", DATES_MAX)
    if times[-1] > view.clocks.as_of:
        raise Problem(422, "invalid", "No date lies after as_of.", field="to" if dates is None else "dates")
    return times


def _spaced(first: datetime, every: str, last: datetime, zone: str) -> list[datetime]:
    try:
        return times_from(first, every, last, zone, DATES_MAX + 1)
    except (ValueError, OverflowError):
        sentence = "every is an ISO 8601 duration of whole numbers, above zero, such as P1W."
        raise Problem(422, "invalid", sentence, field="every") from None


def _need_few(subjects: int, dates: int) -> None:
    cells = subjects * dates
    if cells > CELLS_MAX:
        _refuse(
            f"{subjects} rows × {dates} dates are {cells} cells, and {CELLS_MAX} are the most: filter, take fewer dates, "
            "or have /v1/exports/scores as a file for each date.",
            CELLS_MAX,
        )


def _refuse(sentence: str, limit: int) -> None:
    raise Problem(422, "too_many_cells", sentence, field="every", limit=limit)


def _subjects(standing: Standing, of: str) -> Iterator[Subject]:
    if of != "key-results":
        yield standing.goal.id, None
    if of != "objectives":
        for one in standing.defined.key_results:
            yield standing.goal.id, one.id


async def _known_to(view: View, at: datetime, known: str) -> int:
    if known == "now":
        return view.clocks.seq
    row = await view.snapshot.first(SEQ_RECORDED_BY, at)
    return min(view.clocks.seq, 0 if row is None else int(row[0]))


async def _fill(view: View, moment: AsOf, cells: dict[Subject, list[Json | None]]) -> None:
    """One date: the whole tree at once, for goals count in each other."""
    tree = await whole_tree(view.snapshot, await view.history(), moment)
    for (goal, key_result), of_it in cells.items():
        standing = tree.standings.get(goal)
        of_it.append(None if standing is None else _cell(standing, key_result))


def _cell(standing: Standing, key_result: str | None) -> Json | None:
    if key_result is None:
        return {
            **shown.scores(standing.amended, standing.as_committed),
            "raw": None,
            "expected": number(standing.expected),
            "status": standing.status.shown,
        }
    one = standing.defined.key_result(key_result)
    if one is None:
        return None
    score = standing.amended.key_results[key_result]
    return {
        **shown.scores(score, standing.as_committed.key_results.get(key_result)),
        "raw": number(score.raw),
        "expected": number(standing.key_result(one).expected),
        "status": standing.shown[key_result],
    }


def _date(view: View, moment: AsOf) -> Json:
    position = Position(view.clocks.known.epoch, moment.known_to)
    return {"as_of": instant_text(moment.true_at), "known_at": str(position)}


def _row(subject: Subject, cells: list[Json | None]) -> Json:
    goal, key_result = subject
    name = f"objective/{goal}" if key_result is None else f"key-result/{key_result}"
    return {"subject": name, "objective": goal, "cells": cells}
