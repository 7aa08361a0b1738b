"""`GET /v1/participation`: who takes part, per unit and per pilot wave over weeks, pilots against the rest (SPEC 6)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from goal_ledger_contracts.zones import zone
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.participation import Tally, participation
from goal_ledger_history.rhythm_at import owing, told
from goal_ledger_scoring.cadence import between
from goal_ledger_scoring.windows import day_end, day_start
from pydantic import Field

from goal_ledger_projection.api.answers import AnswerAtClocks, Number, Shape, answered, number
from goal_ledger_projection.api.choices import need_cycle
from goal_ledger_projection.api.lists import Json
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.memberships import ALL, PILOTS, REST, memberships
from goal_ledger_projection.history.persons_words import PersonsWordsInTables

WEEKS_BACK = 13
PERIODS_MAX = 106
_EVERY = re.compile(r"P([1-9][0-9]?)W")

FirstDay = Annotated[
    str | None,
    Query(alias="from", max_length=10, description=f"A local day; default: {WEEKS_BACK} weeks up to `to`"),
]
LastDay = Annotated[
    str | None, Query(alias="to", max_length=10, description="A local day; default: that of as_of")
]
Every = Annotated[
    str, Query(max_length=4, description="P<n>W", json_schema_extra={"pattern": _EVERY.pattern})
]
OfCycle = Annotated[str | None, Query(max_length=64, description="Only goals of this cycle")]


class PeriodShape(Shape):
    start: str = Field(description="Its first local day")
    end: str = Field(description="Its last local day")


class TallyShape(Shape):
    due: int = Field(description="Due dates in the period")
    on_time: int
    late: int
    missed: int
    pending: int
    rate: Number = Field(description="Met (on time or late) of met and missed; null: neither yet")
    owners: int = Field(description="Owners of goals (people, and units for theirs) that owed a word")
    owners_heard: int = Field(description="Those of them that met one")


class UnitTallies(Shape):
    unit: str
    name: str
    periods: list[TallyShape] = Field(description="With the units beneath it, and the people in them")


class WaveTallies(Shape):
    wave: str
    periods: list[TallyShape]


class ParticipationAnswer(AnswerAtClocks):
    every: str
    periods: list[PeriodShape]
    all: list[TallyShape] = Field(
        description="Of the whole workspace, one for each period, as in all lists here"
    )
    pilots: list[TallyShape] = Field(description="Of units that were in a pilot wave when the period ended")
    rest: list[TallyShape]
    waves: list[WaveTallies]
    units: list[UnitTallies]


@dataclass(frozen=True, slots=True)
class Periods:
    """Stretches of whole weeks, one after another, from ``first`` to ``last`` (the last may be shorter)."""

    every_weeks: int
    starts: Sequence[date]
    last: date

    def end(self, n: int) -> date:
        """The last day of one."""
        return min(self.last, self.starts[n] + timedelta(weeks=self.every_weeks, days=-1))


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/participation", summary="Who takes part")
async def takes_part(
    request: GoalsRequest,
    first: FirstDay = None,
    last: LastDay = None,
    every: Every = "P1W",
    cycle: OfCycle = None,
) -> Answers[ParticipationAnswer]:
    """What became of the due dates in each period, by the units and pilot waves that owners were in when it ended."""
    async with view_of(request) as view:
        periods = await periods_asked(view, first, last, every, cycle)
        tallies = await tallied(view, periods, cycle)
        body = {"every": every, **await _body(view, periods, tallies)}
        return answered(request, view.clocks, body)


async def tallied(view: View, periods: Periods, cycle: str | None = None) -> dict[str, list[Tally]]:
    """By `all`, `pilots`, `rest`, `unit/<id>`, `wave/<name>`: a tally for each period."""
    history, context, at = await view.history(), await view.context(), view.moment
    goals = await owing(history.definitions, at, closed_too=True)
    if cycle is not None:
        goals = [one for one in goals if one.goal.cycle == cycle]
    many = await told(
        PersonsWordsInTables(view.snapshot),
        history.values,
        goals,
        lambda rules: between(
            rules, day_start(periods.starts[0], rules.time_zone), day_end(periods.last, rules.time_zone)
        ),
        at,
    )
    zone_name = context.time_zone(at.known_to, at.true_at)
    times = [min(day_end(periods.end(n), zone_name), at.true_at) for n in range(len(periods.starts))]
    groups = await memberships(view.snapshot, context, times, at.known_to)
    return await asyncio.to_thread(participation, many, periods.starts, groups.groups_of, at.true_at)


async def periods_asked(
    view: View, first: str | None, last: str | None, every: str, cycle: str | None
) -> Periods:
    """Problems 422 `bad_date`, `bad_period`, `choice_unknown`, `dates_reversed`, `too_many_periods`."""
    await need_cycle(view, cycle)
    context, at = await view.context(), view.moment
    today = at.true_at.astimezone(zone(context.time_zone(at.known_to, at.true_at))).date()
    found = _EVERY.fullmatch(every)
    if found is None:
        raise Problem(422, "bad_period", "every is a number of weeks: P1W … P99W.", field="every")
    weeks = int(found[1])
    end = today if last is None else _day(last, "to")
    start = end - timedelta(weeks=WEEKS_BACK, days=-1) if first is None else _day(first, "from")
    if start > end:
        raise Problem(422, "dates_reversed", "The first day lies after the last.", field="to")
    many = (end - start).days // (7 * weeks) + 1
    if many > PERIODS_MAX:
        sentence = f"At most {PERIODS_MAX} periods: these are {many}."
        raise Problem(422, "too_many_periods", sentence, field="every", limit=PERIODS_MAX)
    return Periods(weeks, [start + timedelta(weeks=weeks * n) for n in range(many)], end)


def _day(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
        if len(text) != 10 or not 1900 <= day.year <= 2999:
            raise ValueError
        return day
    except ValueError:
        raise Problem(422, "bad_date", f"{field} is a local day, YYYY-MM-DD.", field=field) from None


async def _body(view: View, periods: Periods, tallies: dict[str, list[Tally]]) -> Json:
    context, at = await view.context(), view.moment
    nothing = [Tally() for _ in periods.starts]

    def series(group: str) -> list[Json]:
        return [tally_shape(one) for one in tallies.get(group, nothing)]

    return {
        "periods": [
            {"start": one.isoformat(), "end": periods.end(n).isoformat()}
            for n, one in enumerate(periods.starts)
        ],
        **{name: series(name) for name in (ALL, PILOTS, REST)},
        "waves": [
            {"wave": one.removeprefix("wave/"), "periods": series(one)}
            for one in sorted(tallies)
            if one.startswith("wave/")
        ],
        "units": [
            {"unit": id, "name": body["name"], "periods": series(f"unit/{id}")}
            for id, _, body in sorted(context.all("unit", at.known_to, at.true_at))
            if f"unit/{id}" in tallies
        ],
    }


def tally_shape(one: Tally) -> Json:
    """The members of :class:`TallyShape`."""
    return {
        "due": one.due,
        "on_time": one.on_time,
        "late": one.late,
        "missed": one.missed,
        "pending": one.pending,
        "rate": number(one.rate),
        "owners": one.owners,
        "owners_heard": one.owners_heard,
    }
