"""What the values were, answered from facts in memory (``protocols.Values``). Readings have a source of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from goal_ledger_contracts import feed as feeds
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import Measure, parts_of
from goal_ledger_scoring.aggregation import (
    INCREASE,
    LAST,
    Reading,
    Stretch,
    Sums,
    combine,
    compares,
    inside,
    sum_up,
)
from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.status import Word
from goal_ledger_scoring.windows import ALWAYS, Span

from goal_ledger_history.background import NONE_LATER
from goal_ledger_history.behind import Behind, StretchBehind, behind_of
from goal_ledger_history.last_check_ins import (
    CheckInsBetween,
    CheckInsHoweverOld,
    LastCheckIn,
    LastCheckIns,
)
from goal_ledger_history.protocols import CheckedIn, Fed, FeedAt, Wanted

AHEAD_MAX = timedelta(minutes=5)
"""What is stated up to so far ahead was true when it was recorded (SPEC 3 "Backdating")."""


class Readings(Protocol):
    """The accepted readings of feeds at (T, K)."""

    async def sums(self, feed: str, stretch: Stretch, unit: str | None, at: datetime, known: int) -> Sums:
        """Those up to ``at`` that lie in the stretch and are in this unit, summed up."""

    async def newest(self, feed: str, span: Span, at: datetime, known: int) -> Reading | None:
        """The last one in the span up to ``at``, whatever its unit."""


@dataclass(slots=True)
class _Revision:
    """What is in force from ``seq`` until ``ended``."""

    seq: int
    at: datetime
    ended: int | None = None

    def in_force(self, at: datetime, known: int) -> bool:
        return self.at <= at and self.seq <= known and (self.ended is None or self.ended > known)


@dataclass(slots=True)
class _Value(_Revision):
    """``kind``, ``unit`` and ``measure_seq``: of the measure that was current when it was recorded."""

    given: facts.PartValue = facts.PartValue("")
    kind: str | None = None
    unit: str | None = None
    measure_seq: int | None = None


@dataclass(slots=True)
class _CheckIn(_Revision):
    key_result: str | None = None
    confidence: Decimal | None = None
    status: str | None = None


class ValuesInFacts:
    """Those of the facts taken, which come in seq order."""

    def __init__(self, readings: Readings, later: Set[int] = NONE_LATER) -> None:
        """``later``: as of :class:`goal_ledger_history.background.Background`."""
        self._readings, self._later = readings, later
        self._measures: dict[str, tuple[int, Measure]] = {}
        self._values: defaultdict[tuple[str, str], list[_Value]] = defaultdict(list)
        self._check_ins: defaultdict[str, list[_CheckIn]] = defaultdict(list)
        self._revisions: dict[str, list[_Revision]] = {}

    def take(self, fact: Fact) -> None:
        """One fact more. One that is no check-in and sets no measure is passed over."""
        match data := fact.data:
            case facts.KeyResultAdded() | facts.MeasureChanged():
                self._measures[data.key_result] = (fact.seq, data.measure)
            case facts.CheckInRecorded() | facts.CheckInCorrected():
                self._end(data.check_in, fact.seq)
                self._revisions[data.check_in] = [*self._revise(fact, data)]
            case facts.CheckInRetracted():
                self._end(data.check_in, fact.seq)

    def _end(self, check_in: str, seq: int) -> None:
        for one in self._revisions.pop(check_in, ()):
            one.ended = seq

    def _revise(
        self, fact: Fact, data: facts.CheckInRecorded | facts.CheckInCorrected
    ) -> Iterator[_Revision]:
        said = _CheckIn(fact.seq, fact.effective_at, None, data.key_result, data.confidence, data.status)
        self._check_ins[fact.stream_id].append(said)
        yield said
        if data.key_result is None:
            return
        measure_seq, measure = self._measures[data.key_result]
        for value in data.values:
            part = parts_of(measure).get(value.part)
            kind, unit = (None, None) if part is None else (part.kind, getattr(part, "unit", None))
            made = _Value(fact.seq, fact.effective_at, None, value, kind, unit, measure_seq)
            self._values[data.key_result, value.part].append(made)
            yield made

    async def in_force(self, wanted: Sequence[Wanted]) -> list[PartInput]:
        return [
            self._checked_in(one) if isinstance(one, CheckedIn) else await self._fed(one) for one in wanted
        ]

    def _checked_in(self, one: CheckedIn) -> PartInput:
        rows = [
            row
            for row in self._values.get((one.key_result, one.part), ())
            if row.in_force(one.at, one.known)
            and row.seq not in self._later
            and (one.since is None or row.at >= one.since)
            and (one.until is None or row.at < one.until)
        ]
        rows.sort(key=lambda row: (row.at, row.seq), reverse=True)
        for row in rows:
            if row.kind == one.kind and row.unit == one.unit:
                given, evidence = row.given, (str(row.seq),)
                done = given.done if given.value is not None else given.done or ()
                return PartInput(
                    given.value, done=done, at=row.at, evidence=evidence, incomparable=row is not rows[0]
                )
        return PartInput(incomparable=bool(rows))

    async def _fed(self, one: Fed) -> PartInput:
        sums = [
            await self._readings.sums(one.feed, stretch, one.unit, one.at, one.known)
            for stretch in one.stretches
        ]
        if one.aggregation not in (LAST, INCREASE):
            sums = [replace(each, evidence=None) for each in sums]
        value = combine(one.aggregation, sums, one.feed)
        newest = await self._readings.newest(one.feed, one.span, one.at, one.known)
        if newest is not None and not compares(newest, one.stretches, one.unit):
            return replace(value, incomparable=True)
        return value

    async def behind(self, wanted: Sequence[Fed]) -> list[Behind]:
        readings = self._readings
        if not isinstance(readings, ReadingsInFacts):
            raise TypeError("only readings that are facts at hand are named one by one")
        return [tuple(readings.behind(one, stretch) for stretch in one.stretches) for one in wanted]

    async def last_readings(self, wanted: Iterable[FeedAt]) -> dict[FeedAt, datetime]:
        found = {}
        for feed, at, known in set(wanted):
            last = await self._readings.newest(feed, ALWAYS, at, known)
            if last is not None:
                found[feed, at, known] = last.time
        return found

    async def check_ins_between(self, wanted: Sequence[CheckInsBetween]) -> LastCheckIns:
        found: LastCheckIns = {}
        for one in wanted:
            said = [row for row in self._said(one.objective, one.at, one.known) if row.at >= one.since]
            for name in {row.key_result for row in said}:
                last = _last([row for row in said if row.key_result == name], one.since)
                found[one.objective, name] = LastCheckIn(last.word, last.confidence)
        return found

    async def check_ins_however_old(self, wanted: Sequence[CheckInsHoweverOld]) -> LastCheckIns:
        found: LastCheckIns = {}
        for one in wanted:
            said = self._said(one.objective, one.at, one.known)
            for name in (None, *one.key_results):
                if of_it := [row for row in said if row.key_result == name]:
                    found[one.objective, name] = _last(of_it, one.stated_since)
        return found

    def _said(self, objective: str, at: datetime, known: int) -> list[_CheckIn]:
        """The newest first."""
        said = [row for row in self._check_ins.get(objective, ()) if row.in_force(at, known)]
        return sorted(said, key=lambda row: (row.at, row.seq), reverse=True)


def _last(said: Sequence[_CheckIn], stated_since: datetime) -> LastCheckIn:
    stated = next((row for row in said if row.status is not None and row.at >= stated_since), None)
    word = Word(said[0].at)
    if stated is not None:
        word = Word(said[0].at, stated.status, stated.at)
    return LastCheckIn(word, said[0].confidence, said[0].seq, None if stated is None else stated.seq)


@dataclass(slots=True)
class _Reading(_Revision):
    value: Decimal = Decimal(0)
    unit: str | None = None
    accepted: bool = True
    recorded_seq: int = 0


class ReadingsInFacts:
    """Those of the facts taken, which come in seq order."""

    def __init__(self, later: Set[int] = NONE_LATER) -> None:
        """``later``: as of :class:`goal_ledger_history.background.Background`."""
        self._later = later
        self._feeds: defaultdict[str, list[_Reading]] = defaultdict(list)
        self._last: dict[tuple[str, str, str], _Reading] = {}

    def take(self, fact: Fact) -> None:
        """One fact more; only readings, and what became of them, count."""
        match fact.data:
            case feeds.ReadingRecorded():
                self._add(fact, _content(fact))
            case feeds.ReadingQuarantined():
                self._add(fact, replace(_content(fact), accepted=False))
            case feeds.ReadingReleased():
                held = self._end(fact)
                if held is not None:
                    self._add(fact, replace(held, seq=fact.seq, ended=None, accepted=True))
            case feeds.ReadingCorrected():
                before = self._end(fact)
                accepted = before is None or before.accepted
                self._add(fact, replace(_content(fact), accepted=accepted))
            case feeds.ReadingRejected() | feeds.ReadingRetracted():
                self._end(fact)

    def _add(self, fact: Fact, made: _Reading) -> None:
        self._feeds[fact.stream_id].append(made)
        self._last[fact.stream_id, fact.data.source, fact.data.id] = made

    def _end(self, fact: Fact) -> _Reading | None:
        found = self._last.pop((fact.stream_id, fact.data.source, fact.data.id), None)
        if found is not None:
            found.ended = fact.seq
        return found

    def accepted(self, feed: str, at: datetime, known: int) -> list[Reading]:
        """Those up to ``at`` that are in force at ``known``."""
        return [
            Reading(one.at, one.seq, one.value, one.unit, str(one.recorded_seq))
            for one in self._feeds.get(feed, ())
            if one.accepted and one.in_force(at, known) and one.recorded_seq not in self._later
        ]

    async def sums(self, feed: str, stretch: Stretch, unit: str | None, at: datetime, known: int) -> Sums:
        return sum_up(self.accepted(feed, at, known), stretch, unit, at)

    def behind(self, fed: Fed, stretch: Stretch) -> StretchBehind:
        """What of them decides the value, in one stretch."""
        readings = self.accepted(fed.feed, fed.at, fed.known)
        return behind_of(fed.aggregation, stretch, *inside(readings, stretch, fed.unit, fed.at))

    async def newest(self, feed: str, span: Span, at: datetime, known: int) -> Reading | None:
        return newest_of(self.accepted(feed, at, known), span)


def newest_of(readings: Iterable[Reading], span: Span) -> Reading | None:
    """The last of these that lies in the span."""
    inside = (one for one in readings if span.holds(one.time))
    return max(inside, key=lambda one: (one.time, one.order), default=None)


def _content(fact: Fact) -> _Reading:
    data, at = fact.data, takes_effect_at(fact)
    return _Reading(fact.seq, at, None, data.value, data.unit, True, fact.seq)


def takes_effect_at(fact: Fact) -> datetime:
    """A reading stated further ahead than may be counts, once it is released, from its stated time."""
    if (
        isinstance(fact.data, feeds.ReadingQuarantined)
        and fact.stated_at is not None
        and fact.stated_at - fact.effective_at > AHEAD_MAX
    ):
        return fact.stated_at
    return fact.effective_at
