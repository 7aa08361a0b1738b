"""Measures as they are written in bodies (SPEC 5). The names are those of the stored facts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from goal_ledger_command.api.values import Id, Instant, Number, Piece, Whole
from goal_ledger_contracts import measures
from pydantic import Field


class WindowBody(Piece):
    """Fixed ``[start, end)``, or an ISO duration from a named moment. Only values inside count."""

    start: Instant | None = None
    end: Instant | None = None
    moment: str | None = Field(default=None, examples=["launch"])
    duration: str | None = Field(default=None, examples=["P1M"])

    def definition(self) -> measures.Window:
        return measures.Window(self.start, self.end, self.moment, self.duration)


class _Windowed(Piece):
    window: WindowBody | None = None

    def _window(self) -> measures.Window | None:
        return None if self.window is None else self.window.definition()


class IncreaseBody(_Windowed):
    kind: Literal["increase"]
    target: Number
    baseline: Number | None = Field(
        default=None, description="Left out: still to be found; no score until it is set"
    )
    unit: str | None = None

    def definition(self) -> measures.Increase:
        return measures.Increase(self.target, self.baseline, self.unit, self._window())


class DecreaseBody(_Windowed):
    kind: Literal["decrease"]
    target: Number
    baseline: Number | None = None
    unit: str | None = None

    def definition(self) -> measures.Decrease:
        return measures.Decrease(self.target, self.baseline, self.unit, self._window())


class ReachBody(_Windowed):
    kind: Literal["reach"]
    target: Number
    baseline: Number | None = None
    unit: str | None = None

    def definition(self) -> measures.Reach:
        return measures.Reach(self.target, self.baseline, self.unit, self._window())


class StayBelowBody(_Windowed):
    kind: Literal["stay_below"]
    limit: Number
    risk: Number | None = None
    unit: str | None = None

    def definition(self) -> measures.StayBelow:
        return measures.StayBelow(self.limit, self.risk, self.unit, self._window())


class StayAboveBody(_Windowed):
    kind: Literal["stay_above"]
    limit: Number
    risk: Number | None = None
    unit: str | None = None

    def definition(self) -> measures.StayAbove:
        return measures.StayAbove(self.limit, self.risk, self.unit, self._window())


class StayBetweenBody(_Windowed):
    kind: Literal["stay_between"]
    low: Number
    high: Number
    tolerance: Number | None = None
    unit: str | None = None

    def definition(self) -> measures.StayBetween:
        return measures.StayBetween(self.low, self.high, self.tolerance, self.unit, self._window())


class StepBody(Piece):
    id: Id
    text: str
    weight: Number = Decimal(1)

    def definition(self) -> measures.Step:
        return measures.Step(self.id, self.text, self.weight)


class ChecklistBody(_Windowed):
    kind: Literal["checklist"]
    steps: tuple[StepBody, ...]

    def definition(self) -> measures.Checklist:
        return measures.Checklist(tuple(step.definition() for step in self.steps), self._window())


class DoneOrNotBody(_Windowed):
    kind: Literal["done_or_not"]

    def definition(self) -> measures.DoneOrNot:
        return measures.DoneOrNot(self._window())


class ZonesBody(Piece):
    """What each zone means, in words; a zone is named for the value that it begins at."""

    baseline: str | None = None
    commit: str | None = None
    target: str | None = None
    stretch: str | None = None

    def definition(self) -> measures.Zones:
        return measures.Zones(self.baseline, self.commit, self.target, self.stretch)


class RangedBody(_Windowed):
    """Piecewise linear through four strictly monotone values."""

    kind: Literal["ranged"]
    baseline: Number
    commit: Number
    target: Number
    stretch: Number
    scores: tuple[Number, ...] | None = Field(default=None, description="Four scores; default 0, 0.3, 0.7, 1")
    unit: str | None = None
    zones: ZonesBody | None = None

    def definition(self) -> measures.Ranged:
        return measures.Ranged(
            self.baseline,
            self.commit,
            self.target,
            self.stretch,
            self.scores,
            self.unit,
            self._window(),
            None if self.zones is None else self.zones.definition(),
        )


SimpleBody = Annotated[
    IncreaseBody
    | DecreaseBody
    | ReachBody
    | StayBelowBody
    | StayAboveBody
    | StayBetweenBody
    | ChecklistBody
    | DoneOrNotBody
    | RangedBody,
    Field(discriminator="kind"),
]


class PartBody(Piece):
    id: Id
    measure: SimpleBody
    weight: Number = Decimal(1)

    def definition(self) -> measures.Part:
        return measures.Part(self.id, self.measure.definition(), self.weight)


class CompoundBody(Piece):
    """Parts that are measures, each with its own window; ``n`` only with at_least."""

    kind: Literal["compound"]
    combine: str = Field(examples=["all"], description="all, any, at_least or weighted")
    parts: tuple[PartBody, ...]
    n: Whole | None = None

    def definition(self) -> measures.Compound:
        return measures.Compound(self.combine, tuple(part.definition() for part in self.parts), self.n)


class AlignedBody(Piece):
    """The weighted mean of the scores of the objectives that contribute to the key result."""

    kind: Literal["aligned"]

    def definition(self) -> measures.Aligned:
        return measures.Aligned()


MeasureBody = Annotated[
    IncreaseBody
    | DecreaseBody
    | ReachBody
    | StayBelowBody
    | StayAboveBody
    | StayBetweenBody
    | ChecklistBody
    | DoneOrNotBody
    | RangedBody
    | CompoundBody
    | AlignedBody,
    Field(discriminator="kind"),
]
