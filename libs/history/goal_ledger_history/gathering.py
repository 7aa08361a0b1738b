"""From definitions to the scoring library's inputs: which values each part asks for, and where they go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from goal_ledger_contracts.measures import Simple
from goal_ledger_scoring.aggregation import LAST, stretches
from goal_ledger_scoring.inputs import NOTHING, KeyResultInput, PartInput
from goal_ledger_scoring.windows import ALWAYS, Span, resolve

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Background
from goal_ledger_history.goals import Binding, KeyResult
from goal_ledger_history.protocols import CheckedIn, Fed, Values, Wanted

ByPart = dict[str, PartInput]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a goal's parts are looked up by: its moment, its cycle's instants and its time zone."""

    objective: str
    moment: AsOf
    cycle: Span | None
    time_zone: str


def unit_of(background: Background, measure: Simple, binding: Binding | None) -> str | None:
    """The part's unit: its measure's, else its feed's as it was defined at the binding (SPEC 5 "Units")."""
    unit: str | None = getattr(measure, "unit", None)
    if unit is not None or binding is None:
        return unit
    return background.feed_unit(binding.feed, binding.seq)


@dataclass(slots=True)
class Gathering:
    """Collects what is wanted; :meth:`fetch` then fills the inputs handed out."""

    background: Background
    _wanted: list[Wanted] = field(default_factory=list)
    _places: list[tuple[ByPart, str]] = field(default_factory=list)
    _values: dict[tuple[object, ...], ByPart] = field(default_factory=dict)
    _inputs: dict[tuple[object, ...], KeyResultInput] = field(default_factory=dict)
    _moments: dict[int, dict[str, datetime]] = field(default_factory=dict)
    _alive: list[AsOf] = field(default_factory=list)

    def key_result(self, one: KeyResult, ground: Ground, *, dropped: bool) -> KeyResultInput:
        """The input of a key result; the same object for the same definition at the same moment."""
        bindings = tuple(one.bindings.items()) if one.bindings else ()
        # the moment by identity: kept alive below, for hashing it for every key result costs more than the rest
        key = (one.id, one.measure_seq, bindings, ground.cycle if bindings else None, id(ground.moment))
        values = self._values.get(key)
        if values is None:
            values = self._values[key] = {}
            self._alive.append(ground.moment)
            for part in one.parts:
                self._ask(values, one, part, ground)
        whole = (*key, one.weight, dropped)
        known = self._inputs.get(whole)
        if known is None:
            known = self._inputs[whole] = KeyResultInput(one.id, one.measure, one.weight, values, dropped)
        return known

    async def fetch(self, source: Values) -> None:
        """Look up everything wanted and put it in place."""
        if not self._wanted:
            return
        found = await source.in_force(self._wanted)
        for (values, part), value in zip(self._places, found, strict=True):
            values[part] = value
        self._wanted.clear()
        self._places.clear()

    def span(self, measure: Simple, ground: Ground) -> Span:
        """The part's window as seen at the moment."""
        if measure.window is None:
            return ALWAYS
        seq = ground.moment.known_to
        moments = self._moments.get(seq)
        if moments is None:
            moments = self._moments[seq] = self.background.moments(seq)
        return resolve(measure.window, moments, ground.time_zone, ground.moment.true_at)

    def expected_span(self, one: KeyResult, ground: Ground) -> Span | None:
        """What the key result is expected over: from the first start to the last end of its parts' windows if every
        part has one (None while one of them waits), else the cycle."""
        if not one.parts or any(part.window is None for part in one.parts.values()):
            return ground.cycle
        spans = [self.span(part, ground) for part in one.parts.values()]
        starts, ends = [s.start for s in spans if s.start], [s.end for s in spans if s.end]
        if len(starts) < len(spans) or len(ends) < len(spans):
            return None
        return Span(min(starts), max(ends))

    def wanted(self, one: KeyResult, part: str, ground: Ground) -> Wanted | PartInput:
        """What a part of a key result asks for; an input where there is nothing to look up."""
        measure, binding = one.parts[part], one.bindings.get(part)
        span = self.span(measure, ground)
        if span.waiting_for is not None:
            return PartInput(waiting_for=span.waiting_for, feed=binding.feed if binding else None)
        if binding is not None:
            return self._wanted_of_feed(measure, binding, span, ground)
        moment = ground.moment
        return CheckedIn(
            ground.objective,
            one.id,
            part,
            getattr(measure, "unit", None),
            measure.kind,
            one.measure_seq,
            moment.true_at,
            moment.known_to,
            span.start,
            span.end,
        )

    def _wanted_of_feed(
        self, measure: Simple, binding: Binding, span: Span, ground: Ground
    ) -> Wanted | PartInput:
        feed, aggregation, _ = binding
        if measure.window is None and aggregation != LAST:
            if ground.cycle is None:
                return PartInput(feed=feed)
            span = ground.cycle
        moment = ground.moment
        definitions = self.background.feed_definitions(feed, moment.known_to, moment.true_at)
        cut = tuple(stretches(definitions, span, aggregation))
        unit = unit_of(self.background, measure, binding)
        return Fed(feed, aggregation, unit, cut, span, moment.true_at, moment.known_to)

    def _ask(self, values: ByPart, one: KeyResult, part: str, ground: Ground) -> None:
        wanted = self.wanted(one, part, ground)
        if type(wanted) is PartInput:
            values[part] = wanted
            return
        values[part] = NOTHING
        self._wanted.append(wanted)  # type: ignore[arg-type]
        self._places.append((values, part))
