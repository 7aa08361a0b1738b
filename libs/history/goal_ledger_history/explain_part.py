"""Explains one part of a key result: its value with what that came from, its window, its formula's two sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from goal_ledger_scoring.measures import Ratio, exact_score
from goal_ledger_scoring.numbers import multiply
from goal_ledger_scoring.results import PartScore

from goal_ledger_history.behind import Deciding, StretchBehind
from goal_ledger_history.explanation import (
    Cited,
    FedBy,
    PartNode,
    Quotient,
    ReadingCited,
    StretchSeen,
    WindowSeen,
)
from goal_ledger_history.gathering import Gathering, Ground, unit_of
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.protocols import Fed, Values


@dataclass(slots=True)
class Fetching:
    """Collects the fed parts; :meth:`fetch` then fills in their readings."""

    _wanted: list[Fed] = field(default_factory=list)
    _places: list[FedBy] = field(default_factory=list)

    def want(self, fed: Fed, place: FedBy) -> None:
        """The readings of a part."""
        self._wanted.append(fed)
        self._places.append(place)

    async def fetch(self, values: Values) -> None:
        """Look up all at once."""
        if self._wanted:
            for place, behind in zip(self._places, await values.behind(self._wanted), strict=True):
                place.stretches = [_stretch(one) for one in behind]


def part_node(
    gathering: Gathering, one: KeyResult, part: str, scored: PartScore, ground: Ground, fetching: Fetching
) -> PartNode:
    """Of a part as it was scored. ``fetching``: fills in the readings of a fed one."""
    given, measure = scored.input, one.parts[part]
    return PartNode(
        part=part,
        formula=measure.kind,
        unit=unit_of(gathering.background, measure, one.bindings.get(part)),
        value=given.value,
        divisor=given.divisor,
        done=None if given.done is None else list(given.done),
        value_at=given.at,
        said_by=[] if part in one.bindings else [Cited(seq) for seq in given.evidence],
        passed_over=given.incomparable,
        window=_window(gathering, one, part, ground),
        fed=_fed(gathering, one, part, ground, fetching),
        raw=scored.raw,
        score=scored.score,
        clamped=scored.raw is not None and scored.raw != scored.score,
        state=scored.state,
        zone=scored.zone,
        within_risk=scored.within_risk,
        quotient=_quotient(scored, exact_score(measure, given)),
    )


def _quotient(scored: PartScore, exact: Decimal | Ratio | None) -> Quotient | None:
    if scored.raw is None or not isinstance(exact, tuple):
        return None
    return quotient_of(*exact, scored.raw)


def quotient_of(numerator: Decimal, denominator: Decimal, result: Decimal) -> Quotient:
    """The two sides of what came to ``result``."""
    return Quotient(numerator, denominator, multiply(result, denominator) != numerator)


def _window(gathering: Gathering, one: KeyResult, part: str, ground: Ground) -> WindowSeen | None:
    window = one.parts[part].window
    if window is None:
        return None
    span, by = gathering.span(one.parts[part], ground), None
    if window.moment is not None:
        by = gathering.background.moment_seq(window.moment, ground.moment.known_to)
    return WindowSeen(
        span.start, span.end, window.moment, span.waiting_for, None if by is None else Cited(by)
    )


def _fed(gathering: Gathering, one: KeyResult, part: str, ground: Ground, fetching: Fetching) -> FedBy | None:
    binding = one.bindings.get(part)
    if binding is None:
        return None
    moment = ground.moment
    defined = gathering.background.feed_seqs(binding.feed, moment.known_to, moment.true_at)
    by = [Cited(seq) for seq in defined]
    found = FedBy(binding.feed, binding.aggregation, Cited(binding.seq), by, [])
    wanted = gathering.wanted(one, part, ground)
    if isinstance(wanted, Fed):
        fetching.want(wanted, found)
    return found


def _stretch(behind: StretchBehind) -> StretchSeen:
    cut = behind.stretch
    readings = [_reading(one) for one in behind.deciding]
    return StretchSeen(cut.start, cut.end, cut.unit, cut.base, behind.count, behind.total, readings)


def _reading(one: Deciding) -> ReadingCited:
    reading = one.reading
    recorded = Cited(reading.event_id)
    counts_from = None if reading.order == recorded else Cited(reading.order)
    return ReadingCited(one.role, reading.time, reading.value, recorded, counts_from)
