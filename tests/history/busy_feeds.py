"""Feeds with many readings close together, corrected, retracted, held, released and rejected: what the sums kept by hour and
day answer is what the readings at hand come to one by one, wherever a question cuts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from goal_ledger_contracts import feed
from goal_ledger_history.protocols import Fed
from goal_ledger_history.values_in_facts import ReadingsInFacts, ValuesInFacts
from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.history.snapshots import Asker
from goal_ledger_projection.history.summed import counted
from goal_ledger_projection.history.values import ValuesInTables
from goal_ledger_scoring.aggregation import KIND_OF, FeedDefinition, stretches, with_restarts
from goal_ledger_scoring.windows import Span
from history.both import Tables
from history.lives import BEGUN, Life

READINGS = 160
QUESTIONS = 120
FEED, STREAM = "busy", "feed/busy"
EDGES = tuple(BEGUN.replace(hour=0) + timedelta(hours=hours) for hours in (0, 1, 2, 3, 23, 24, 25, 48))
UNITS = (None, None, "EUR", "pcs")
TICK = timedelta(microseconds=1)


class BusyFeed(Life):
    """One feed's facts over two days, on and about the edges of hours and days more often than not."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, facts=8)
        self.tell(STREAM, feed.FeedRegistered("shop", "event_count"))
        self.states: dict[str, bool] = {}
        while len(self.states) < READINGS:
            if self.states and self.random.random() < 0.3:
                self.change()
            else:
                self.report()

    def when(self) -> datetime:
        """An instant that readings lie at or questions cut at."""
        if self.random.random() < 0.6:
            return self.random.choice(EDGES) + self.random.choice((-TICK, 0 * TICK, TICK))
        return EDGES[0] + timedelta(seconds=self.random.randrange(-3600, 3 * 86400), microseconds=7)

    def report(self) -> None:
        """One reading more; `states`: whether it is held."""
        id, time, value = f"b{len(self.facts)}", self.when(), Decimal(self.random.randint(-40, 400)) / 8
        held, unit = self.random.random() < 0.2, self.random.choice(UNITS)
        self.states[id] = held
        if held:
            self.tell(
                STREAM, feed.ReadingQuarantined("s", id, time, value, "increment", "limits", unit), time
            )
        else:
            self.tell(STREAM, feed.ReadingRecorded("s", id, time, value, "increment", unit), time)

    def change(self) -> None:
        """Something becomes of a reading."""
        id = self.random.choice(sorted(self.states))
        held, chance = self.states[id], self.random.random()
        if chance < 0.5:
            time, value = self.when(), Decimal(self.random.randint(-40, 400)) / 4
            unit = self.random.choice(UNITS)
            self.tell(STREAM, feed.ReadingCorrected("s", id, time, value, "increment", unit), time)
        elif held and chance < 0.8:
            self.states[id] = False
            self.tell(STREAM, feed.ReadingReleased("s", id))
        else:
            del self.states[id]
            self.tell(STREAM, (feed.ReadingRejected if held else feed.ReadingRetracted)("s", id))

    def questions(self) -> Iterator[Fed]:
        """Each aggregation over spans, redefinitions and restarts at random, as of and known at any moment."""
        for _ in range(QUESTIONS):
            aggregation = self.random.choice(sorted(KIND_OF))
            start, broken, end = sorted(self.when() for _ in range(3))
            span = Span(self.random.choice((None, start)), self.random.choice((None, end)))
            kind, unit = KIND_OF[aggregation], self.random.choice(UNITS)
            definitions = [FeedDefinition(kind, self.random.choice(UNITS))]
            if self.random.random() < 0.4:
                definitions.append(FeedDefinition(kind, self.random.choice(UNITS), broken))
            restarts = [(self.when(), Decimal(3))] if self.random.random() < 0.4 else []
            cut = tuple(stretches(with_restarts(definitions, restarts), span, aggregation))
            asked = Fed(FEED, aggregation, unit, cut, span, self.when(), self.known())
            yield asked
            if self.random.random() < 0.5:
                yield replace(asked, at=self.when())

    def known(self) -> int:
        """The last position, or an earlier one."""
        whole = len(self.facts)
        return whole if self.random.random() < 0.4 else self.random.randint(1, whole)


async def compare_busy_feed(tables: Tables, seed: int) -> None:
    """Fold it in batches of all sizes and ask. Raises AssertionError naming the seed and the question."""
    life, told = BusyFeed(seed), ReadingsInFacts()
    for fact in life.facts:
        told.take(fact)
    await _fold(tables, life)
    asked = list(life.questions())
    expected = await ValuesInFacts(told).in_force(asked)
    moments = {(one.feed, one.at, one.known) for one in asked}
    async with tables.database.snapshot(Asker(life.workspace, "person", "ada", None)) as snapshot:
        in_tables = ValuesInTables(snapshot)
        found = await in_tables.in_force(asked)
        for one, ours, theirs in zip(asked, found, expected, strict=True):
            assert ours == theirs, f"seed {seed}: {one}: {ours} instead of {theirs}"
        assert await in_tables.last_readings(moments) == await ValuesInFacts(told).last_readings(moments)
        for _, at, known in moments:
            count = await counted(snapshot, [FEED], EDGES[1], at, known)
            lie = [one for one in told.accepted(FEED, at, known) if one.time >= EDGES[1]]
            assert count == len(lie), f"seed {seed}: readings up to {at}, known at {known}"


async def _fold(tables: Tables, life: BusyFeed) -> None:
    records = [
        Record(life.workspace, 1, seq, stored, vouched=True) for seq, stored in enumerate(life.stored, 1)
    ]
    while records:
        size = life.random.choice((1, 3, 20, 80))
        await tables.applier.apply(records[:size])
        records = records[size:]
