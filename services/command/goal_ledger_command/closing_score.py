"""The score of a goal that is being closed, from the facts of the ledger's own store: it suggests the grade (SPEC 3).

Definitions come from the folded state, those of a closed child from its closing (``definitions.py``); values from the
check-ins of the goal and of those that count in it, and from the readings of the feeds they are bound to: indexed
reads of their streams. The arithmetic is the scoring library's.

Known limits: a feed with more than :data:`MAX_JUDGED` readings quarantined, corrected or retracted suggests nothing, nor
does one whose readings cannot be summed up within the database's time limit (some millions).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_contracts.facts import STREAM_OF
from goal_ledger_contracts.measures import Measure, Simple, parts_of
from goal_ledger_domain import cycle, evolve, feed
from goal_ledger_domain.carry_over import LastValue
from goal_ledger_domain.goal import Archived, Closed, Drafted, KeyResult
from goal_ledger_domain.workspace import workspace as workspace_of
from goal_ledger_domain.world import World
from goal_ledger_ledger.store import raw_connection
from goal_ledger_scoring import GoalInput, Kept, KeyResultInput, PartInput, score_tree
from goal_ledger_scoring.aggregation import LAST, FeedDefinition, combine, stretches, with_restarts
from goal_ledger_scoring.inputs import ACTIVE, CLOSED, DRAFT
from goal_ledger_scoring.numbers import shown_mean
from goal_ledger_scoring.windows import Span, cycle_span, resolve
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.definitions import LAST_SEQ, Definitions, Moment, ever_beneath
from goal_ledger_command.feed_sums import JUDGED, summed

MAX_JUDGED = 20_000
READ_AT_ONCE_FACTS = 500
"""Facts that are taken apart before other requests get their turn."""
_TYPES = [
    "CheckInRecorded",
    "CheckInCorrected",
    "CheckInRetracted",
    "KeyResultAdded",
    "MeasureChanged",
    "PartBound",
    "ObjectiveClosed",
]
_OF_GOALS = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = ANY($2::text[]) AND type = ANY($3::text[])
ORDER BY seq
"""
_VERSIONS = """
SELECT s.stream, (SELECT max(version) FROM facts f WHERE f.workspace = $1 AND f.stream = s.stream) AS version
FROM unnest($2::text[]) AS s (stream)
"""
_DEFINING = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = ANY($2::text[]) AND type = ANY($3::text[]) ORDER BY seq
"""
_DEFINING_TYPES = sorted(
    name
    for name in evolve.FOLDED
    if STREAM_OF[name] in ("objective", "unit", "cycle", "feed")
    or name.startswith(("WorkspaceCreated", "Policy", "Moment"))
)
_FEED_TYPES = ["FeedRegistered", "FeedRedefined"]
_OF_FEED = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = $2 AND type = ANY($4::text[]) ORDER BY version LIMIT $3
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
    closings: list[Fact] = field(default_factory=list)
    bound: dict[tuple[str, str], list[Fact]] = field(default_factory=lambda: defaultdict(list))

    def binding(self, key_result: str, part: str, moment: Moment) -> int:
        """The seq of the binding in effect of a part that is bound."""
        many = self.bound[key_result, part]
        return [one.seq for one in many if one.seq <= moment.seq and one.effective_at <= moment.at][-1]

    def closing(self, moment: Moment) -> Fact:
        """The last one at the moment."""
        return [one for one in self.closings if one.seq <= moment.seq and one.effective_at <= moment.at][-1]

    def take(self, fact: Fact) -> None:
        data = fact.data
        match data:
            case facts.KeyResultAdded() | facts.MeasureChanged():
                self.measures[data.key_result] = data.measure
            case facts.ObjectiveClosed():
                self.closings.append(fact)
            case facts.PartBound():
                self.bound[data.key_result, data.part].append(fact)
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


class Closings:
    """Scores goals of one workspace, which is at ``world`` now."""

    def __init__(self, workspace: str, world: World, engine: AsyncEngine) -> None:
        self._workspace, self._engine = workspace, engine
        self._now = Definitions(world.copy())
        self._histories: dict[str, _History] = {}
        self._judged: dict[str, list[Fact]] = {}
        self._definitions: dict[str, list[Fact]] = {}
        self._defining: list[Fact] | None = None
        self.seen: dict[str, int] = {}
        """The versions of the streams that the score depends on, as they were before they were read."""
        self._objective = ""

    async def score(self, objective: str, at: datetime | None = None) -> Decimal | None:
        """The objective's score as amended at ``at`` (None: now), as known now; None if there is none, or it is not
        known."""
        if self._now.objective(objective) is None:
            return None
        self._objective = objective
        moment = Moment(datetime.now(UTC) if at is None else at)
        try:
            async with raw_connection(self._engine) as raw:
                await self._see(raw, [workspace_of(self._now.world).stream])
            defined = self._now if at is None else await self._then(moment)
            return await self._scored(defined, objective, moment)
        except (TooManyReadings, asyncpg.QueryCanceledError):
            return None

    async def last_values(self, objective: str, at: datetime | None = None) -> list[LastValue]:
        """The values of its parts in force at ``at`` (None: now), as known now, rounded half-even to 6 places."""
        self._objective = objective
        moment = Moment(datetime.now(UTC) if at is None else at)
        found: list[LastValue] = []
        try:
            defined = self._now if at is None else await self._then(moment)
            await self._read(defined, [objective])
            for one in defined.key_results(objective):
                for part, measure in parts_of(one.measure).items():
                    value = await self._part(defined, objective, one, part, measure, moment)
                    if value.value is not None:
                        found.append(LastValue(one.id, part, shown_mean(value.value, value.divisor)))
        except (TooManyReadings, asyncpg.QueryCanceledError):
            return found
        return found

    async def _then(self, moment: Moment) -> Definitions:
        if self._defining is None:
            streams = [f"objective/{id}" for id in ever_beneath(self._now.world, self._objective)]
            streams += [
                f"{kind}/{id}" for kind in ("unit", "cycle", "feed") for id, _ in self._now.world.all(kind)
            ]
            streams.append(workspace_of(self._now.world).stream)
            async with raw_connection(self._engine) as raw:
                rows = await raw.fetch(_DEFINING, self._workspace, streams, _DEFINING_TYPES)
            self._defining = await _parsed(rows)
        return Definitions.then(self._defining, moment)

    async def _scored(self, defined: Definitions, id: str, moment: Moment) -> Decimal | None:
        """The score of a goal as if it were not closed. Raises TooManyReadings."""
        if defined.objective(id) is None:
            return None
        await self._read(defined, defined.beneath(id))
        inputs: dict[str, GoalInput] = {}
        await self._gather(defined, id, moment, inputs, unclosed=True)
        return score_tree(inputs)[id].score

    async def _read(self, defined: Definitions, goals: Iterable[str]) -> None:
        """What was said and read of these goals, where it is not at hand."""
        missing = [id for id in goals if id not in self._histories]
        bound = {name for id in goals for one in defined.key_results(id) for name in _feeds(one)}
        async with raw_connection(self._engine) as raw:
            if missing:
                self._histories.update((id, _History()) for id in missing)
                streams = [f"objective/{id}" for id in missing]
                await self._see(raw, streams)
                for fact in await _parsed(await raw.fetch(_OF_GOALS, self._workspace, streams, _TYPES)):
                    self._histories[fact.stream_id].take(fact)
            await self._see(raw, [f"feed/{name}" for name in bound - self._judged.keys()])
            for name in bound - self._judged.keys():
                rows = await raw.fetch(_OF_FEED, self._workspace, f"feed/{name}", MAX_JUDGED + 1, JUDGED)
                if len(rows) > MAX_JUDGED:
                    raise TooManyReadings
                self._judged[name] = await _parsed(rows)
                defined_by = await raw.fetch(_DEFINING, self._workspace, [f"feed/{name}"], _FEED_TYPES)
                self._definitions[name] = await _parsed(defined_by)

    async def _see(self, raw: Any, streams: list[str]) -> None:
        if streams:
            for row in await raw.fetch(_VERSIONS, self._workspace, streams):
                self.seen[row["stream"]] = row["version"] or 0

    async def _gather(
        self,
        defined: Definitions,
        id: str,
        moment: Moment,
        inputs: dict[str, GoalInput],
        *,
        unclosed: bool = False,
    ) -> None:
        """The inputs of a goal and of those beneath; a closed one keeps its score at its closing."""
        state = defined.objective(id)
        if state is None:
            return
        if isinstance(state, Closed | Archived) and not unclosed:
            closing = self._histories[id].closing(moment)
            then = Moment(closing.effective_at, closing.seq)
            kept = Kept(await self._scored(await self._then(then), id, then))
            inputs[id] = GoalInput(id, kept=kept, state=CLOSED, outcome=closing.data.outcome)
            return
        counting = tuple(defined.counting(id))
        inputs[id] = GoalInput(
            id,
            tuple([await self._key_result(defined, id, one, moment) for one in defined.key_results(id)]),
            counting,
            defined.rules(id).roll_up,
            DRAFT if isinstance(state, Drafted) and not unclosed else ACTIVE,
        )
        for link in counting:
            if link.child not in inputs:
                await self._gather(defined, link.child, moment, inputs)

    async def _key_result(
        self, defined: Definitions, objective: str, one: KeyResult, moment: Moment
    ) -> KeyResultInput:
        values = {
            part: await self._part(defined, objective, one, part, measure, moment)
            for part, measure in parts_of(one.measure).items()
        }
        return KeyResultInput(one.id, one.measure, one.weight, values, one.dropped)

    async def _part(
        self,
        defined: Definitions,
        objective: str,
        one: KeyResult,
        part: str,
        measure: Simple,
        moment: Moment,
    ) -> PartInput:
        zone = defined.rules(objective).time_zone
        span = resolve(measure.window, defined.moments, zone, moment.at)
        if span.waiting_for is not None:
            return PartInput(waiting_for=span.waiting_for)
        bound = one.bindings.get(part)
        if bound is None:
            said = self._histories[objective].values.get((one.id, part), [])
            return _in_force(said, span, moment, _measured_as(measure))
        if measure.window is None and bound.aggregation != LAST:
            state = defined.world.get("objective", objective)
            within = cycle.cycle_state(defined.world, state.goal.cycle)
            if within is None:
                return PartInput(feed=bound.feed)
            span = cycle_span(within.plan.start, within.plan.end, zone)
        unit = getattr(measure, "unit", None)
        if unit is None:
            unit = self._unit_at(bound.feed, self._histories[objective].binding(one.id, part, moment))
        return await self._fed(defined, bound.feed, bound.aggregation, unit, span, moment)

    def _unit_at(self, feed: str, seq: int) -> str | None:
        """The feed's unit as it was defined at a binding."""
        unit: str | None = [one.data.unit for one in self._definitions[feed] if one.seq <= seq][-1]
        return unit

    async def _fed(
        self,
        defined: Definitions,
        name: str,
        aggregation: str,
        unit: str | None,
        span: Span,
        moment: Moment,
    ) -> PartInput:
        definitions = [
            FeedDefinition(
                segment.definition.kind, segment.definition.unit, segment.since if number else None
            )
            for number, segment in enumerate(feed.feed(defined.world, name).segments)
        ]
        restarts = [(one.at, one.base) for one in feed.feed(defined.world, name).restarts]
        definitions = with_restarts(definitions, restarts)
        async with raw_connection(self._engine) as raw:
            sums = [
                await summed(raw, self._workspace, name, self._judged[name], one, unit, moment)
                for one in stretches(definitions, span, aggregation)
            ]
        return combine(aggregation, sums, name)


def _feeds(one: KeyResult) -> list[str]:
    return [bound.feed for bound in one.bindings.values()]


async def _parsed(rows: Sequence[Any]) -> list[Fact]:
    found: list[Fact] = []
    for number, row in enumerate(rows):
        found.append(from_bytes(row[0]))
        if number % READ_AT_ONCE_FACTS == 0:
            await asyncio.sleep(0)
    return found


def _in_force(
    values: list[_Value], span: Span, moment: Moment, measured_as: tuple[str, str | None]
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
