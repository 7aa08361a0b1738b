"""The changes of one workspace, step by step, each a function of the facts and of the mark that the step begins at.

After each fact the goals that it may reach are asked of the engine as of its `recorded_at`, as known at its seq: the very
answer of the query API there. What differs from what was told last is told. Whether time alone changed an answer is looked
at on whole minutes (`look_at_time_every_s`), each in its place between the facts. A step that is broken off begins again
at the same mark and comes to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from goal_ledger_contracts.position import Position
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.scores_at import ScoresAt

from goal_ledger_projection.changed.reach import GoalsReached
from goal_ledger_projection.changed.record import BEGIN, TIME, Cause, Json, ToldChange, answer_of
from goal_ledger_projection.changed.settings import ChangedSettings
from goal_ledger_projection.history.histories import Histories
from goal_ledger_projection.history.snapshots import Row, Snapshot
from goal_ledger_projection.read_models.facts import LAST_OF_TYPE, NEXT_FACTS

Now = Callable[[], datetime]
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Mark:
    """Told up to the fact `seq` of `epoch`, and what time alone changed up to `looked_at`."""

    epoch: int
    seq: int
    looked_at: datetime

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.seq)


@dataclass(slots=True)
class DerivedStep:
    """What is to be told, and the mark behind it. `recorded_at`: of its facts."""

    mark: Mark
    changes: list[ToldChange] = field(default_factory=list)
    recorded_at: Sequence[datetime] = ()


class Derivation:
    """One workspace. After an error it is thrown away, and another goes on from the mark that was kept."""

    def __init__(
        self,
        workspace: str,
        mark: Mark | None,
        told: Iterable[ToldChange],
        histories: Histories,
        settings: ChangedSettings,
        now: Now,
    ) -> None:
        self.workspace, self.mark = workspace, mark
        self._told: dict[str, Json | None] = {one.goal: one.after for one in told}
        self._histories, self._settings, self._now = histories, settings, now
        self._every = timedelta(seconds=settings.look_at_time_every_s)
        self._reach: GoalsReached | None = None

    @property
    def time_is_due(self) -> bool:
        """An instant to be looked at has passed."""
        return self.mark is not None and self._horizon() >= self.mark.looked_at + self._every

    async def step(self, snapshot: Snapshot) -> DerivedStep | None:
        """The next; None: there is nothing to tell of, or the read side is not there yet."""
        position, mark = snapshot.position, self.mark
        if position is None or position.seq == 0 or snapshot.rebuilding:
            return None
        history = await self._histories.of(snapshot)
        if mark is None:
            return await self._begin(snapshot, history, position)
        if mark.epoch < position.epoch:
            return await self._restored(snapshot, history, position)
        if position < mark.position:
            return None
        rows = await snapshot.fetch(NEXT_FACTS, mark.seq, position.seq, self._settings.step_facts)
        if self._reach is None:
            self._reach = await _reach(history, AsOf(await _recorded_at(snapshot, mark.seq), mark.seq))
        due = mark.looked_at + self._every
        before = list(takewhile(lambda row: row["recorded_at"] < due, rows))
        if before:
            return await self._facts(history, before)
        return await self._time(history, rows[0]["recorded_at"] if rows else self._horizon())

    async def _begin(self, snapshot: Snapshot, history: ScoresAt, at: Position) -> DerivedStep:
        """A young workspace from its first fact; an old one as it stands."""
        if at.seq <= self._settings.step_facts:
            first = self._floor(await _recorded_at(snapshot, 1))
            return DerivedStep(Mark(at.epoch, 0, first))
        assert snapshot.recorded_at is not None
        return await self._everything(history, at, snapshot.recorded_at, BEGIN)

    async def _restored(self, snapshot: Snapshot, history: ScoresAt, newest: Position) -> DerivedStep | None:
        """A new epoch: what is otherwise now is told at the fact that began it."""
        row = await snapshot.first(LAST_OF_TYPE, "StoreRestored", newest.seq)
        if row is None:
            return None
        at = Position(newest.epoch, row["seq"])
        return await self._everything(history, at, row["recorded_at"], _fact(row))

    async def _everything(self, history: ScoresAt, at: Position, time: datetime, cause: Cause) -> DerivedStep:
        moment = AsOf(time, at.seq)
        self._reach = await _reach(history, moment)
        goals = self._reach.goals | self._told.keys()
        changes = await self._changes(history, goals, moment, cause, at)
        return DerivedStep(Mark(at.epoch, at.seq, self._floor(time)), changes)

    async def _facts(self, history: ScoresAt, rows: Sequence[Row]) -> DerivedStep:
        assert self.mark is not None and self._reach is not None
        changes: list[ToldChange] = []
        for row in rows:
            moment = AsOf(row["recorded_at"], row["seq"])
            goals = self._reach.of(row["type"], row["stream"])
            if goals is None:
                self._reach = await _reach(history, moment)
                goals = self._reach.goals
            at = Position(self.mark.epoch, row["seq"])
            changes += await self._changes(history, goals, moment, _fact(row), at)
        mark = Mark(self.mark.epoch, rows[-1]["seq"], self.mark.looked_at)
        return DerivedStep(mark, changes, [row["recorded_at"] for row in rows])

    async def _time(self, history: ScoresAt, horizon: datetime) -> DerivedStep | None:
        """The next instant to be looked at, if it is not after `horizon`. Where several have passed with nothing recorded
        between them, only the last is looked at: the mark goes to the one before it first, so that a step broken off
        looks at the same one again."""
        assert self.mark is not None and self._reach is not None
        mark, last = self.mark, self._floor(horizon)
        due = mark.looked_at + self._every
        if last < due:
            return None
        if last > due:
            return DerivedStep(Mark(mark.epoch, mark.seq, last - self._every))
        goals = self._reach.goals - self._reach.closed
        changes = await self._changes(history, goals, AsOf(due, mark.seq), TIME, mark.position)
        return DerivedStep(Mark(mark.epoch, mark.seq, due), changes)

    async def _changes(
        self, history: ScoresAt, goals: set[str], moment: AsOf, cause: Cause, at: Position
    ) -> list[ToldChange]:
        assert self._reach is not None
        if not goals:
            return []
        found: list[ToldChange] = []
        standings = await history.at(moment, sorted(goals))
        for id in sorted(goals):
            standing, before = standings.get(id), self._told.get(id)
            after = None if standing is None else answer_of(standing)
            if standing is not None:
                self._reach.learn(standing.plan)
            if after != before:
                self._told[id] = after
                found.append(ToldChange.of(self.workspace, id, before, after, cause, at, moment.true_at))
        return found

    def _horizon(self) -> datetime:
        return self._now() - timedelta(seconds=self._settings.look_behind_s)

    def _floor(self, time: datetime) -> datetime:
        return time - (time - _EPOCH) % self._every


async def _reach(history: ScoresAt, at: AsOf) -> GoalsReached:
    return GoalsReached(history.background, at, await history.plans(at, None))


async def _recorded_at(snapshot: Snapshot, seq: int) -> datetime:
    """Of the fact; of the first where it is 0."""
    seq = max(1, seq)
    (row,) = await snapshot.fetch(NEXT_FACTS, seq - 1, seq, 1)
    time: datetime = row["recorded_at"]
    return time


def _fact(row: Row) -> Cause:
    names = ("seq", "type", "stream")
    return Cause("fact", {**{name: row[name] for name in names}, "event_id": str(row["event_id"])})
