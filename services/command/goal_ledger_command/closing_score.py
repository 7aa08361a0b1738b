"""The score of a goal that is being closed, from the facts of the ledger's own store: it suggests the grade (SPEC 3).

Definitions come from the folded state; values from the check-ins of the goal and of those that count in it, and from
the readings of the feeds they are bound to: indexed reads of their streams. The arithmetic is the scoring library's.

Known limits: a feed of more than :data:`MAX_READINGS` readings suggests nothing; a closed child is scored at its closing
by the definitions, policies and moments of now, which differ from those of then only if they were changed since.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_contracts.feed import (
    ReadingCorrected,
    ReadingQuarantined,
    ReadingRecorded,
    ReadingRejected,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_contracts.measures import Aligned, Measure, Simple, parts_of
from goal_ledger_domain import cycle, feed, policy
from goal_ledger_domain.goal import Archived, Closed, Drafted, KeyResult, Objective
from goal_ledger_domain.moment import Recorded
from goal_ledger_domain.world import World
from goal_ledger_ledger.store import raw_connection
from goal_ledger_scoring import ChildLink, GoalInput, Kept, KeyResultInput, PartInput, score_tree
from goal_ledger_scoring.aggregation import LAST, FeedDefinition, Reading, combine, stretches, sum_up
from goal_ledger_scoring.inputs import ACTIVE, CLOSED, DRAFT, KEY_RESULTS
from goal_ledger_scoring.windows import Span, cycle_span, resolve
from sqlalchemy.ext.asyncio import AsyncEngine

MAX_READINGS = 20_000
READ_AT_ONCE_FACTS = 500
"""Facts that are taken apart before other requests get their turn."""
LAST_SEQ = 2**63 - 1
_TYPES = [
    "CheckInRecorded",
    "CheckInCorrected",
    "CheckInRetracted",
    "KeyResultAdded",
    "MeasureChanged",
    "ObjectiveClosed",
]
_OF_GOALS = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = ANY($2::text[]) AND type = ANY($3::text[])
ORDER BY seq
"""
_OF_FEED = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = $2 AND type LIKE 'Reading%' ORDER BY version LIMIT $3
"""


class TooManyReadings(Exception):
    """No suggestion is made."""


@dataclass(slots=True)
class _Value:
    """A part's value in one revision of a check-in. ``measured_as``: kind and unit when it was recorded."""

    at: datetime
    seq: int
    value: facts.PartValue
    measured_as: tuple[str, str | None] | None
    ended: int = LAST_SEQ + 1


@dataclass(slots=True)
class _History:
    """Of one objective's stream."""

    values: dict[tuple[str, str], list[_Value]] = field(default_factory=lambda: defaultdict(list))
    measures: dict[str, Measure] = field(default_factory=dict)
    said: dict[str, list[_Value]] = field(default_factory=dict)
    closing: Fact | None = None

    def take(self, fact: Fact) -> None:
        data = fact.data
        match data:
            case facts.KeyResultAdded() | facts.MeasureChanged():
                self.measures[data.key_result] = data.measure
            case facts.ObjectiveClosed():
                self.closing = fact
            case _:
                for earlier in self.said.pop(data.check_in, ()):
                    earlier.ended = fact.seq
                if not isinstance(data, facts.CheckInRetracted) and data.key_result is not None:
                    self.said[data.check_in] = [self._value(fact, data.key_result, v) for v in data.values]

    def _value(self, fact: Fact, key_result: str, value: facts.PartValue) -> _Value:
        part = parts_of(self.measures[key_result]).get(value.part)
        made = _Value(fact.effective_at, fact.seq, value, None if part is None else _measured_as(part))
        self.values[key_result, value.part].append(made)
        return made


def _measured_as(part: Simple) -> tuple[str, str | None]:
    return part.kind, getattr(part, "unit", None)


@dataclass(frozen=True, slots=True)
class _Moment:
    at: datetime
    seq: int = LAST_SEQ


class Closings:
    """Scores goals of one workspace, by the definitions of now."""

    def __init__(self, workspace: str, world: World, engine: AsyncEngine) -> None:
        self._workspace, self._engine = workspace, engine
        self._world = world.copy()
        self._histories: dict[str, _History] = {}
        self._readings: dict[str, list[Fact]] = {}
        self._children: dict[str, list[ChildLink]] = defaultdict(list)

    async def score(self, objective: str, at: datetime) -> Decimal | None:
        """The objective's score as amended at ``at``, as known now; None if there is none, or it is not known."""
        if self._world.get("objective", objective) is None:
            return None
        self._link()
        goals = self._beneath(objective)
        try:
            await self._read(goals)
        except TooManyReadings:
            return None
        return self._scored(objective, _Moment(at), closing=objective)

    def _link(self) -> None:
        for id, state in self._world.all("objective"):
            for link in state.goal.links.values():
                kind, _, parent = link.parent.partition("/")
                above = parent if kind == "objective" else self._world.get("key-result", parent)
                of = None if kind == "objective" else parent
                child = ChildLink(id, link.mode == "contributes", link.weight, of)
                self._children[above].append(child)

    def _beneath(self, objective: str) -> set[str]:
        """The objective and all whose scores may count in its."""
        found, waiting = {objective}, [objective]
        while waiting:
            for link in self._counting(waiting.pop()):
                if link.child not in found:
                    found.add(link.child)
                    waiting.append(link.child)
        return found

    def _counting(self, id: str) -> Iterator[ChildLink]:
        goal = self._world.get("objective", id).goal
        for link in self._children.get(id, ()):
            if not link.contributes:
                continue
            if link.key_result is None:
                if self._roll_up(id) != KEY_RESULTS:
                    yield link
            elif isinstance(goal.key_results[link.key_result].measure, Aligned):
                yield link

    def _roll_up(self, id: str) -> str:
        return (
            policy.in_force(self._world, self._world.get("objective", id).goal.owner, id).roll_up
            or KEY_RESULTS
        )

    async def _read(self, goals: Iterable[str]) -> None:
        feeds = {
            bound.feed
            for id in goals
            for one in self._world.get("objective", id).goal.key_results.values()
            for bound in one.bindings.values()
        }
        async with raw_connection(self._engine) as raw:
            streams = [f"objective/{id}" for id in goals]
            rows = await raw.fetch(_OF_GOALS, self._workspace, streams, _TYPES)
            for fact in await _parsed(rows):
                self._histories.setdefault(fact.stream_id, _History()).take(fact)
            for name in feeds:
                rows = await raw.fetch(_OF_FEED, self._workspace, f"feed/{name}", MAX_READINGS + 1)
                if len(rows) > MAX_READINGS:
                    raise TooManyReadings
                self._readings[name] = await _parsed(rows)

    def _scored(self, id: str, moment: _Moment, closing: str | None = None) -> Decimal | None:
        inputs: dict[str, GoalInput] = {}
        self._gather(id, moment, inputs, closing)
        return score_tree(inputs)[id].score

    def _gather(self, id: str, moment: _Moment, inputs: dict[str, GoalInput], closing: str | None) -> None:
        """The inputs of a goal and of those beneath; a closed one keeps its score at its closing."""
        state: Objective = self._world.get("objective", id)
        history = self._histories.get(id) or _History()
        if id != closing and history.closing is not None and isinstance(state, Closed | Archived):
            then = _Moment(history.closing.effective_at, history.closing.seq)
            if then.seq < moment.seq:
                kept = Kept(self._scored(id, then, closing=id))
                outcome = history.closing.data.outcome
                inputs[id] = GoalInput(id, kept=kept, state=CLOSED, outcome=outcome)
                return
        counting = tuple(self._counting(id))
        inputs[id] = GoalInput(
            id,
            tuple(self._key_result(state, one, history, moment) for one in state.goal.key_results.values()),
            counting,
            self._roll_up(id),
            DRAFT if isinstance(state, Drafted) and id != closing else ACTIVE,
        )
        for link in counting:
            if link.child not in inputs:
                self._gather(link.child, moment, inputs, None)

    def _key_result(
        self, state: Objective, one: KeyResult, history: _History, moment: _Moment
    ) -> KeyResultInput:
        values = {
            part: self._part(state, one, part, measure, history, moment)
            for part, measure in parts_of(one.measure).items()
        }
        return KeyResultInput(one.id, one.measure, one.weight, values, one.dropped)

    def _part(
        self, state: Objective, one: KeyResult, part: str, measure: Simple, history: _History, moment: _Moment
    ) -> PartInput:
        rules = policy.in_force(self._world, state.goal.owner, state.goal.id)
        zone = rules.time_zone or "UTC"
        recorded = {name: m.at for name, m in self._world.all("moment") if isinstance(m, Recorded)}
        span = resolve(measure.window, recorded, zone, moment.at)
        if span.waiting_for is not None:
            return PartInput(waiting_for=span.waiting_for)
        bound = one.bindings.get(part)
        if bound is None:
            return _in_force(history.values.get((one.id, part), []), span, moment, _measured_as(measure))
        if measure.window is None and bound.aggregation != LAST:
            within = cycle.cycle_state(self._world, state.goal.cycle)
            if within is None:
                return PartInput(feed=bound.feed)
            span = cycle_span(within.plan.start, within.plan.end, zone)
        return self._fed(bound.feed, bound.aggregation, getattr(measure, "unit", None), span, moment)

    def _fed(self, name: str, aggregation: str, unit: str | None, span: Span, moment: _Moment) -> PartInput:
        definitions = [
            FeedDefinition(
                segment.definition.kind, segment.definition.unit, segment.since if number else None
            )
            for number, segment in enumerate(feed.feed(self._world, name).segments)
        ]
        accepted = list(_accepted(self._readings.get(name, ()), moment.seq))
        sums = [sum_up(accepted, one, unit, moment.at) for one in stretches(definitions, span, aggregation)]
        return combine(aggregation, sums, name)


async def _parsed(rows: Sequence[Any]) -> list[Fact]:
    found: list[Fact] = []
    for number, row in enumerate(rows):
        found.append(from_bytes(row[0]))
        if number % READ_AT_ONCE_FACTS == 0:
            await asyncio.sleep(0)
    return found


def _in_force(
    values: list[_Value], span: Span, moment: _Moment, measured_as: tuple[str, str | None]
) -> PartInput:
    """The last value by (effective_at, seq) inside the window, recorded under the part's unit and kind."""
    counting = [
        one
        for one in values
        if one.at <= moment.at
        and one.seq <= moment.seq < one.ended
        and one.measured_as == measured_as
        and (span.start is None or one.at >= span.start)
        and (span.end is None or one.at < span.end)
    ]
    if not counting:
        return PartInput()
    last = max(counting, key=lambda one: (one.at, one.seq))
    return PartInput(last.value.value, done=last.value.done, at=last.at, evidence=(str(last.seq),))


def _accepted(recorded: Iterable[Fact], until: int) -> Iterator[Reading]:
    """The readings in force at ``until``, from the facts of a feed's stream in order."""
    found: dict[tuple[str, str], tuple[bool, int, Any]] = {}
    for fact in recorded:
        data = fact.data
        if fact.seq > until:
            break
        key = (data.source, data.id)
        match data:
            case ReadingRecorded() | ReadingCorrected():
                found[key] = (True, fact.seq, data)
            case ReadingQuarantined():
                found[key] = (False, fact.seq, data)
            case ReadingReleased() if key in found:
                found[key] = (True, fact.seq, found[key][2])
            case ReadingRejected() | ReadingRetracted():
                found.pop(key, None)
    for counts, order, data in found.values():
        if counts:
            yield Reading(data.time, order, data.value, data.unit, str(order))
