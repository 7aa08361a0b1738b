"""One batch, one transaction: lock the positions, apply the consumer rule, fold, write, move the positions.

The rows and the positions that vouch for them are committed together or not at all. Whoever was killed in between, on
whichever side, leaves exact rows; and whoever comes with facts that are folded already is told so by the position.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding import chains, positions
from goal_ledger_projection.folding.chains import Chains
from goal_ledger_projection.folding.consumer_rule import FoldedUpTo, Verdict, judge
from goal_ledger_projection.folding.loading import KeptAtPosition, latest_by_workspace, load
from goal_ledger_projection.folding.positions import FoldedTo
from goal_ledger_projection.folding.records import Record, by_workspace
from goal_ledger_projection.folding.writing import INDEXED_ROWS, Connection, RowWriter
from goal_ledger_projection.read_models.changes import Changes, DefinitionKey
from goal_ledger_projection.read_models.fact import CannotApply, ChainLink, FactRead, JsonObject
from goal_ledger_projection.read_models.fold import fold, touched_definitions, touched_readings

FIRST_EPOCH = 1
CACHED_STREAMS = 20_000
"""Ends of chains kept in memory, some 300 bytes each."""


@dataclass(frozen=True, slots=True)
class ReadTo:
    """How far a topic was read for a batch: the hints to note with it."""

    topic: str
    topic_id: str
    ends: Mapping[int, int]
    """By partition, the offset after the last record."""


@dataclass(slots=True)
class Applied:
    """What became of a batch."""

    facts: int = 0
    dropped: int = 0
    folded: dict[str, FoldedUpTo] = field(default_factory=dict)
    """Where each workspace of the batch stands now."""
    gaps: set[str] = field(default_factory=set)
    """Workspaces that miss facts before some of the batch."""
    discarded: set[str] = field(default_factory=set)
    """Workspaces that are folded anew along a higher epoch."""
    foreign: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By workspace, the first record that did not continue its stream's chain, and why: (seq, reason)."""
    epochs_claimed: set[str] = field(default_factory=set)
    """Workspaces of which a record says that a higher epoch has begun, without being vouched for."""


class Applier:
    """Applies batches to one projection version. May be used from several tasks: locked positions keep them apart."""

    def __init__(
        self,
        database: WorkersDatabase,
        cached_definitions: int,
        *,
        cached_streams: int | None = CACHED_STREAMS,
        rows: RowWriter = INDEXED_ROWS,
        only_live: bool = True,
    ) -> None:
        """`cached_streams` None: all ends of chains are kept, and one that is not in memory is not there (a rebuild)."""
        self._database = database
        self._kept: KeptAtPosition[DefinitionKey, tuple[int, JsonObject]] = KeptAtPosition(cached_definitions)
        self._kept_ends: KeptAtPosition[str, ChainLink] = KeptAtPosition(cached_streams or sys.maxsize)
        self._knows_all_ends = cached_streams is None
        self._only_live = only_live
        self.rows = rows

    async def apply(self, records: Sequence[Record], taken: ReadTo | None = None) -> Applied:
        """Apply the records, in order, and note how far the topic was read.

        Raises CannotApply (a fact cannot be folded), ProjectionSwitched, NotOurs, and what asyncpg raises; then nothing
        was changed.
        """
        grouped = by_workspace(records)
        async with self._database.transaction() as connection:
            standings = await self._lock(connection, grouped)
            ends = await self._ends(connection, grouped, standings)
            verdicts = {
                name: judge(standings[name].folded, many, ends[name])
                for name, many in grouped.items()
                if _goes_on(standings[name], many)
            }
            changes = await self._change(connection, verdicts)
            await self._move(connection, standings, verdicts)
            if taken is not None:
                await positions.note_hints(connection, taken.topic, taken.topic_id, taken.ends)
        self._keep(verdicts, changes, ends)
        return _applied(grouped, standings, verdicts)

    async def _lock(self, connection: Connection, grouped: Mapping[str, list[Record]]) -> dict[str, FoldedTo]:
        epochs = {name: many[0].epoch if many[0].vouched else FIRST_EPOCH for name, many in grouped.items()}
        standings = await positions.lock(connection, self._database.projection, epochs) if epochs else {}
        if self._only_live:
            await positions.must_be_live(connection, self._database.projection)
        return standings

    async def _ends(
        self, connection: Connection, grouped: Mapping[str, list[Record]], standings: Mapping[str, FoldedTo]
    ) -> dict[str, Chains]:
        """The ends of the streams that the records go on with, of each workspace."""
        known = {name: self._kept_ends.at(name, standings[name].folded) for name in grouped}
        if not self._knows_all_ends:
            missing = {
                (name, record.fact.stream)
                for name, many in grouped.items()
                if standings[name].folded.next_seq > 1
                for record in many
                if record.seq >= standings[name].folded.next_seq and record.unreadable is None
                if record.fact.stream not in known[name]
            }
            for name, ends in (await chains.load(connection, missing)).items():
                known[name] = {**known[name], **ends}
        return {name: Chains(ends) for name, ends in known.items()}

    async def _change(self, connection: Connection, verdicts: Mapping[str, Verdict]) -> Changes | None:
        facts: list[FactRead] = []
        known: dict[DefinitionKey, tuple[int, JsonObject]] = {}
        for name, verdict in verdicts.items():
            facts.extend(_known(record.fact) for record in verdict.apply)
            if verdict.discard:
                await self.rows.discard(connection, name)
                await positions.unpark(connection, self._database.projection, name)
            else:
                known.update(self._kept.at(name, verdict.before))
        if not facts:
            return None
        loaded = await load(connection, touched_definitions(facts), touched_readings(facts), known)
        changes = fold(facts, loaded)
        await self.rows.write(connection, changes)
        return changes

    async def _move(
        self, connection: Connection, standings: Mapping[str, FoldedTo], verdicts: Mapping[str, Verdict]
    ) -> None:
        moved = [
            (name, verdict, _rebuilding(standings[name], verdict))
            for name, verdict in sorted(verdicts.items())
            if verdict.after != verdict.before
        ]
        await positions.move(connection, self._database.projection, moved)

    def _keep(
        self, verdicts: Mapping[str, Verdict], changes: Changes | None, ends: Mapping[str, Chains]
    ) -> None:
        latest = {} if changes is None else latest_by_workspace(changes)
        for name, verdict in verdicts.items():
            if verdict.discard:
                self._kept.forget(name)
                self._kept_ends.forget(name)
            self._kept.keep(name, verdict.after, latest.get(name, {}))
            self._kept_ends.keep(name, verdict.after, ends[name].continued)

    def forget(self) -> None:
        """Drop what is kept in memory: another projection version is next."""
        self._kept.forget_all()
        self._kept_ends.forget_all()


def _known(fact: FactRead) -> FactRead:
    """Raises CannotApply for a fact that this release does not know."""
    if fact.unknown is not None:
        raise CannotApply(fact.seq, fact.unknown)
    return fact


def _goes_on(standing: FoldedTo, records: Iterable[Record]) -> bool:
    """A parked workspace stands still, unless a higher epoch replaces its log."""
    return standing.parked is None or any(record.epoch > standing.folded.epoch for record in records)


def _rebuilding(standing: FoldedTo, verdict: Verdict) -> bool:
    """A new epoch is caught up when its own first fact is folded, which names the epoch: StoreRestored."""
    rebuilding = standing.rebuilding or verdict.discard
    return rebuilding and not any(
        record.fact.type == "StoreRestored" and record.fact.data["epoch"] == verdict.after.epoch
        for record in verdict.apply
    )


def _applied(
    grouped: Mapping[str, list[Record]], standings: Mapping[str, FoldedTo], verdicts: Mapping[str, Verdict]
) -> Applied:
    applied = Applied()
    for name, many in grouped.items():
        verdict = verdicts.get(name)
        if verdict is None:
            applied.dropped += len(many)
            applied.folded[name] = standings[name].folded
            continue
        applied.facts += len(verdict.apply)
        applied.dropped += verdict.dropped
        applied.folded[name] = verdict.after
        if verdict.gap:
            applied.gaps.add(name)
        if verdict.discard:
            applied.discarded.add(name)
        if verdict.foreign:
            applied.foreign[name] = verdict.foreign[0]
        if verdict.epoch_claimed:
            applied.epochs_claimed.add(name)
    return applied
