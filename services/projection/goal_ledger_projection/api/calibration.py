"""`GET /v1/calibration`: how well confidence foretold what came of goals, by unit and cycle."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fastapi import APIRouter
from goal_ledger_edge.routing import Answers
from goal_ledger_history.calibration import Calibration, calibrated, judged
from goal_ledger_history.explanation import Cited
from goal_ledger_history.followed import FollowedGoal
from goal_ledger_scoring.numbers import quotient
from pydantic import Field

from goal_ledger_projection.api import cited
from goal_ledger_projection.api.answers import AnswerAtClocks, Number, Shape, answered, number
from goal_ledger_projection.api.following import Json, OfCycle, OfUnit, followed
from goal_ledger_projection.api.members import names_of_units
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import GoalsRequest, view_of


class CurvePoint(Shape):
    confidence: str
    forecasts: int
    came_true: int
    rate: str = Field(description="came_true of forecasts; well calibrated: as high as the confidence")


class CalibrationShape(Shape):
    forecasts: int = Field(description="Due dates at which a confidence stood, of objectives and key results")
    brier: Number = Field(description="Mean of (confidence - outcome)²: 0 is best, 0.25 what 0.5 always gets")
    base_rate: Number = Field(description="How often it came true")
    curve: list[CurvePoint]


class UnitCalibration(CalibrationShape):
    unit: str
    name: str


class CycleCalibration(CalibrationShape):
    cycle: str


class CalibrationAnswer(AnswerAtClocks, CalibrationShape):
    units: list[UnitCalibration] = Field(description="With the units beneath, and the people in them")
    cycles: list[CycleCalibration]
    facts: list[str] = Field(description="Event ids of the check-ins and closings that it rests on")


routes = APIRouter(tags=["rhythm"], route_class=QuestionRoute)


@routes.get("/v1/calibration", summary="How well confidence foretold what came of goals")
async def calibration(
    request: GoalsRequest, cycle: OfCycle = None, unit: OfUnit = None
) -> Answers[CalibrationAnswer]:
    """The calibration curve and the Brier score of goals that were achieved, partly or not at all."""
    async with view_of(request) as view:
        found = await followed(view, cycle, unit)
        names = await names_of_units(view)
        facts = await cited.cited_facts(view.snapshot, _facts(found.goals))
        body = {
            **_shape(found.goals),
            "units": [
                {"unit": id, "name": names.get(id, id), **_shape(goals)}
                for id, goals in found.by_unit().items()
            ],
            "cycles": [{"cycle": id, **_shape(goals)} for id, goals in found.by_cycle().items()],
            "facts": [one["event_id"] for one in facts.values()],
        }
        return answered(request, view.clocks, body)


def _facts(goals: Iterable[FollowedGoal]) -> set[Cited]:
    found: set[Cited] = set()
    for one in goals:
        forecasts = [Cited(each.seq) for each in judged(one)]
        if forecasts and one.goal.closing is not None:
            found.update((*forecasts, Cited(one.goal.closing.seq)))
    return found


def _shape(goals: Iterable[FollowedGoal]) -> Json:
    found: Calibration = calibrated(each for one in goals for each in judged(one))
    return {
        "forecasts": found.many,
        "brier": number(found.brier),
        "base_rate": number(found.base_rate),
        "curve": [
            {
                "confidence": number(at),
                "forecasts": many,
                "came_true": true,
                "rate": number(quotient(Decimal(true), Decimal(many))),
            }
            for at, (many, true) in found.curve.items()
        ],
    }
