"""`GET /v1/exports/check-ins`, `readings`, `facts`: what may be very many, read page by page; filtered as the lists are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from goal_ledger_projection.api import check_ins as of_check_ins
from goal_ledger_projection.api import facts as of_facts
from goal_ledger_projection.api.choices import need_feed, need_period
from goal_ledger_projection.api.clocks import instant
from goal_ledger_projection.api.exports import AsFormat, Exported, begun, form_of
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import ExportRequest, View, again_of, view_of
from goal_ledger_projection.exports.delivery import delivered
from goal_ledger_projection.exports.pages import Conditions, InTable, pages_of
from goal_ledger_projection.exports.schemas import CHECK_INS, FACTS, READINGS
from goal_ledger_projection.exports.texts_of_pages import opened_check_ins, opened_facts
from goal_ledger_projection.read_models.check_ins import exported_check_ins
from goal_ledger_projection.read_models.facts import exported_facts
from goal_ledger_projection.read_models.readings import IN_FORCE, exported_readings

routes = APIRouter(tags=["exports"], route_class=QuestionRoute)
Source = Callable[[View], Awaitable[InTable]]


async def _of_table(request: ExportRequest, source: Source, stated: str | None) -> Exported:
    form = form_of(request, stated)
    async with view_of(request) as view:
        rows = await source(view)
        export = begun(request, view, rows.dataset, form)
    return await delivered(export, lambda: pages_of(rows, again_of(request, export.clocks)))


@routes.get("/v1/exports/check-ins", summary="Check-ins as a file")
async def check_ins(
    request: ExportRequest,
    author: of_check_ins.ByAuthor = None,
    objective: of_check_ins.OnObjective = None,
    key_result: of_check_ins.OnKeyResult = None,
    unit: of_check_ins.InUnit = None,
    status: of_check_ins.Stated = None,
    from_: of_check_ins.From = None,
    to: of_check_ins.To = None,
    form: AsFormat = None,
) -> Exported:
    """A row for the content in force of each, the oldest first; personal text opened."""
    filters = of_check_ins.CheckInFilters(author, objective, key_result, unit, status, from_, to)

    async def source(view: View) -> InTable:
        question = await filters.question(view)
        key = ("effective_at", "seq")
        asked = (question.conditions, question.values)
        return InTable(CHECK_INS, exported_check_ins, key, asked, opened_check_ins)

    return await _of_table(request, source, form)


@routes.get("/v1/exports/facts", summary="Facts as a file")
async def facts(
    request: ExportRequest,
    stream: of_facts.Stream = None,
    type: of_facts.Type = None,
    actor: of_facts.Actor = None,
    recorded_from: of_facts.Edge = None,
    recorded_to: of_facts.OpenEdge = None,
    effective_from: of_facts.Edge = None,
    effective_to: of_facts.OpenEdge = None,
    after: of_facts.AboveSeq = None,
    before: of_facts.BelowSeq = None,
    q: of_facts.Containing = None,
    form: AsFormat = None,
) -> Exported:
    """A row for each, in order, with its canonical bytes and their hash; personal text opened beside them."""
    recorded, effective = (recorded_from, recorded_to), (effective_from, effective_to)
    filters = of_facts.FactSearch(stream, type, actor, recorded, effective, after, before, q)

    async def source(view: View) -> InTable:
        question = await filters.question(view)
        asked = (question.conditions, question.values)
        return InTable(FACTS, exported_facts, ("seq",), asked, opened_facts)

    return await _of_table(request, source, form)


@routes.get("/v1/exports/readings", summary="Readings as a file")
async def readings(
    request: ExportRequest,
    feed: Annotated[str | None, Query(max_length=64)] = None,
    from_: of_check_ins.From = None,
    to: of_check_ins.To = None,
    form: AsFormat = None,
) -> Exported:
    """A row for the content in force of each, quarantined ones too, feed by feed in order of time."""

    async def source(view: View) -> InTable:
        await need_feed(view, feed)
        start = None if from_ is None else instant(from_, "from")
        end = None if to is None else instant(to, "to")
        need_period(start, end, "from")
        asked = _where(view, ("feed =", feed), ("time >=", start), ("time <", end))
        return InTable(READINGS, exported_readings, ("feed", "time", "seq"), asked)

    return await _of_table(request, source, form)


def _where(view: View, *conditions: tuple[str, Any]) -> Conditions:
    """Those in force at the clocks for which what is not None holds."""
    held, values = list(IN_FORCE), [view.clocks.seq, view.clocks.as_of]
    for condition, value in conditions:
        if value is not None:
            values.append(value)
            held.append(f"{condition} ${len(values) + 1}")
    return held, values
