"""`GET /v1/amendments`: every change of goals after their activation in a period, the newest first or by effect, and what
amendments added to scores: the amendment dividend by unit, cycle and owner (SPEC 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from goal_ledger_history.dividend import Dividend, dividends
from goal_ledger_history.goals import Goal
from goal_ledger_scoring.numbers import ZERO
from pydantic import Field

from goal_ledger_projection.api.answers import Listed, Number, Shape, number
from goal_ledger_projection.api.choices import need_objective, need_period, need_word, word
from goal_ledger_projection.api.clocks import instant
from goal_ledger_projection.api.goalpost_moves import (
    GoalpostMoveShape,
    MovesLimit,
    changes_in,
    moves_of,
    moves_written,
    only,
)
from goal_ledger_projection.api.lists import Json, listed, page_of
from goal_ledger_projection.api.members import names_of_units
from goal_ledger_projection.api.owned import InCycle, InUnit, Owned, OwnedBy
from goal_ledger_projection.api.routes import After, QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.changes_of_goals import ChangeOfGoal
from goal_ledger_projection.history.memberships import ALL, Memberships, memberships

NEWEST, EFFECT = "newest", "effect"
SORTS = (NEWEST, EFFECT)
SORTED_BY_EFFECT_MAX = 1000


class AmendmentShape(GoalpostMoveShape):
    goalpost: bool = Field(
        description="It changed what the goal's score is computed from: one of /v1/goalpost-moves"
    )


class DividendShape(Shape):
    goals: int = Field(description="Those that were activated once")
    measured: int = Field(description="Those of them that have both scores")
    raised: int = Field(description="Those whose score as amended is above that as committed")
    lowered: int
    dividend: Number = Field(
        description="The mean of amended minus committed score over the measured; null: none is measured"
    )


class UnitDividend(DividendShape):
    unit: str
    name: str


class CycleDividend(DividendShape):
    cycle: str


class OwnerDividend(DividendShape):
    owner: str


class Dividends(Shape):
    all: DividendShape
    units: list[UnitDividend] = Field(description="With the units beneath it, and the people in them")
    cycles: list[CycleDividend]
    owners: list[OwnerDividend]


class AmendmentsAnswer(Listed):
    dividend: Dividends = Field(
        description="Of all goals that the filters but the period match, as they are at `as_of`"
    )
    items: list[AmendmentShape]


From = Annotated[
    str | None, Query(alias="from", max_length=40, description="Took effect at that instant or later")
]
To = Annotated[str | None, Query(max_length=40, description="Took effect before that instant")]

routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` on and before ``end``; None: no bound."""

    start: datetime | None
    end: datetime | None

    @staticmethod
    def stated(start: str | None, end: str | None) -> Period:
        """Problems 422 `bad_instant`, `dates_reversed`."""
        found = Period(
            None if start is None else instant(start, "from"), None if end is None else instant(end, "to")
        )
        need_period(found.start, found.end, "from")
        return found

    def holds(self, at: datetime) -> bool:
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)


@routes.get(
    "/v1/amendments", summary="Every change of goals after their activation, and what that added to scores"
)
async def amendments(
    request: GoalsRequest,
    objective: Annotated[str | None, Query(max_length=64)] = None,
    cycle: InCycle = None,
    unit: InUnit = None,
    owner: OwnedBy = None,
    from_: From = None,
    to: To = None,
    sort: Annotated[
        str, word(SORTS, "effect: the largest on the score as amended first, whichever way")
    ] = NEWEST,
    limit: MovesLimit = 25,
    cursor: After = None,
) -> Answers[AmendmentsAnswer]:
    """Words and owners too, each with its diff, reason, endorsements and effect on both scores. A change matches the filters
    by what the goal was before or after it; baselines that were found later complete a commitment and are left out."""
    async with view_of(request) as view:
        await need_objective(view, objective)
        need_word(sort, "sort", SORTS)
        owned, period = await Owned.of(view, cycle, unit, owner), Period.stated(from_, to)
        there = await changes_in(view, only(objective))
        found = [one for one in there if period.holds(one.at) and owned.has(one.owners, one.cycles)]
        if sort == EFFECT:
            found = await _by_effect(view, found)
        page = page_of(request, view, found, limit, cursor)
        written = await moves_written(view, page.items)
        items = [{**item, "goalpost": one.is_move} for one, item in zip(page.items, written, strict=True)]
        return listed(request, view, page, items, dividend=await _dividends(view, owned, objective))


async def _by_effect(view: View, changes: list[ChangeOfGoal]) -> list[ChangeOfGoal]:
    """Those without an effect that is measured come last. Problem 422 `too_many_changes`."""
    if len(changes) > SORTED_BY_EFFECT_MAX:
        sentence = f"At most {SORTED_BY_EFFECT_MAX} changes are sorted by effect: these are {len(changes)}."
        raise Problem(422, "too_many_changes", sentence, field="sort", limit=SORTED_BY_EFFECT_MAX)
    moves = await moves_of(view, changes)
    sized = [(one, _size(move.effect)) for one, move in zip(changes, moves, strict=True)]
    return [one for one, _ in sorted(sized, key=lambda both: both[1])]


def _size(effect: Decimal | None) -> tuple[bool, Decimal]:
    return effect is None, -abs(effect or ZERO)


async def _dividends(view: View, owned: Owned, objective: str | None) -> Json:
    tree = await view.trees.whole(view.snapshot, view.moment)
    there = [
        one
        for id, one in sorted(tree.standings.items())
        if owned.has((one.goal.owner,), (one.goal.cycle,)) and objective in (None, id)
    ]
    context, at = await view.context(), view.moment
    places = await memberships(view.snapshot, context, [at.true_at], at.known_to)
    found = dividends(there, lambda one: _groups(one.goal, places))
    names = await names_of_units(view)
    return {
        "all": _dividend(found.get(ALL, Dividend())),
        "units": [one | {"name": names[one["unit"]]} for one in _of(found, "unit") if one["unit"] in names],
        "cycles": _of(found, "cycle"),
        "owners": _of(found, "owner"),
    }


def _groups(goal: Goal, places: Memberships) -> Iterable[str]:
    yield ALL
    yield f"owner/{goal.owner}"
    if goal.cycle is not None:
        yield f"cycle/{goal.cycle}"
    yield from (group for group in places.groups_of(goal.owner, 0) if group.startswith("unit/"))


def _of(found: Mapping[str, Dividend], kind: str) -> list[Json]:
    """The groups of one kind."""
    prefix = f"{kind}/"
    return [
        {kind: group.removeprefix(prefix), **_dividend(one)}
        for group, one in sorted(found.items())
        if group.startswith(prefix)
    ]


def _dividend(one: Dividend) -> Json:
    counts = {name: getattr(one, name) for name in ("goals", "measured", "raised", "lowered")}
    return {**counts, "dividend": number(one.mean)}
