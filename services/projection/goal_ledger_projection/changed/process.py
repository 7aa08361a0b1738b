"""The process that tells `goals.changed`: all its parts, wired by hand.

read database ─► Derivation (one a workspace) ─► ChangedTopic ─► Marks (told, how far)

It is a consumer of its own: it follows the live projection version, whichever that is, and is no part of any; a rebuild
tells nobody anything. One process tells at a time, the others stand by.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiokafka.errors import KafkaError
from goal_ledger_database.metrics import PulseMetrics
from goal_ledger_edge.server import Listener, serve
from goal_ledger_messaging.topics import PartitionsChanged, TopicNotMade
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.health import health_app
from goal_ledger_observability.logs import logger
from goal_ledger_observability.metrics import (
    SECONDS,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    new_registry,
)

from goal_ledger_projection.changed.deriving import Derivation, DerivedStep, Mark, Now
from goal_ledger_projection.changed.marks import Marks
from goal_ledger_projection.changed.settings import ChangedSettings
from goal_ledger_projection.changed.topic import ChangedTopic
from goal_ledger_projection.database import (
    NotMigrated,
    live_projection,
    one_connection,
    refuse_unsafe_durability,
)
from goal_ledger_projection.folding.retrying import is_transient
from goal_ledger_projection.history.context import Contexts
from goal_ledger_projection.history.histories import Histories
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Asker, ReadDatabase

IDLE_S = 0.025
"""Between two looks at how far the read side is."""
STAND_BY_S = 0.5

log = logger("goal_ledger.changed")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ChangedMetrics:
    """All begin with `goal_ledger_changed_`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = "goal_ledger_changed_"
        self.records = Counter(name + "records", "Changes told.", registry=registry)
        self.again = Counter(
            name + "told_again",
            "Last records told again: the topic was not as it was left.",
            registry=registry,
        )
        self.seconds = Histogram(
            name + "seconds",
            "From a fact's recorded_at to the acknowledgement of what it changed.",
            buckets=SECONDS,
            registry=registry,
        )
        self.lag = Gauge(name + "lag_facts", "Facts folded and not derived yet.", registry=registry)
        self.held = Gauge(name + "held", "Workspaces that cannot be derived.", registry=registry)


class Teller:
    """One life: from the marks on, until an error."""

    def __init__(
        self,
        settings: ChangedSettings,
        database: ReadDatabase,
        marks: Marks,
        topic: ChangedTopic,
        metrics: ChangedMetrics,
        now: Now = _utc_now,
    ) -> None:
        self._settings, self._database, self._marks, self._topic = settings, database, marks, topic
        self._metrics, self._now = metrics, now
        self._contexts = Contexts(settings.cached_contexts)
        self._histories = Histories(KnownGoals(settings.cached_definitions), self._contexts)
        self._derivations: dict[str, Derivation] = {}
        self._marked: dict[str, Mark] = {}
        self._held: dict[str, float] = {}

    async def run(self) -> None:
        """Raises what ends the life."""
        await self.begin()
        while True:
            if not await self.round():
                await self._topic.look()
                await asyncio.sleep(IDLE_S)

    async def begin(self) -> None:
        """Where the topic is not as it was left, what was told is told again."""
        self._marked = await self._marks.all()
        ends = await self._marks.ends()
        for partition, end in self._topic.next_offset.items():
            if ends.get(partition) != (self._topic.id, end):
                await self._tell_again(partition)

    async def _tell_again(self, partition: int) -> None:
        count = 0
        for workspace in sorted(self._marked):
            if self._topic.partition_of(workspace) == partition:
                told = await self._marks.told(workspace)
                await self._topic.tell(workspace, told)
                count += len(told)
        await self._marks.end(partition, self._topic.id, self._topic.next_offset[partition])
        if count:
            self._metrics.again.inc(count)
            log.warning("the topic was not as it was left: told again", partition=partition, goals=count)

    async def round(self) -> bool:
        """One step of each workspace that has something new; False if none has."""
        folded = await self._marks.folded()
        marked = self._marked
        behind = {
            name: at.seq - (marked[name].seq if name in marked else 0)
            for name, at in folded.items()
            if name not in marked or at > marked[name].position
        }
        self._metrics.lag.set(sum(max(0, one) for one in behind.values()))
        due = {name for name, one in self._derivations.items() if one.time_is_due and name in folded}
        due |= marked.keys() & folded.keys() - self._derivations.keys()
        moved = [await self._advance(name) for name in sorted(behind.keys() | due) if not self._is_held(name)]
        return any(moved)

    def _is_held(self, workspace: str) -> bool:
        if self._held.get(workspace, 0.0) > time.monotonic():
            return True
        self._held.pop(workspace, None)
        self._metrics.held.set(len(self._held))
        return False

    async def _advance(self, workspace: str) -> bool:
        derivation = self._derivations.get(workspace)
        if derivation is None:
            mark, told = self._marked.get(workspace), await self._marks.told(workspace)
            derivation = Derivation(workspace, mark, told, self._histories, self._settings, self._now)
            self._derivations[workspace] = derivation
        try:
            asker = Asker(workspace, "", "", self._contexts.seq_of(workspace))
            async with self._database.snapshot(asker) as snapshot:
                step = await derivation.step(snapshot)
        except Exception as failed:
            if _is_passing(failed):
                raise
            self._hold(workspace)
            log.exception("a workspace cannot be derived", workspace=workspace, error=failure_text(failed))
            return False
        if step is None:
            return False
        await self._tell(workspace, derivation, step)
        return True

    def _hold(self, workspace: str) -> None:
        del self._derivations[workspace]
        self._held[workspace] = time.monotonic() + self._settings.held_s
        self._metrics.held.set(len(self._held))

    async def _tell(self, workspace: str, derivation: Derivation, step: DerivedStep) -> None:
        """Acknowledged first, then marked: what is told and not marked is told again, as the same bytes."""
        partition = self._topic.partition_of(workspace)
        if step.changes:
            await self._topic.tell(workspace, step.changes)
        acknowledged = self._now()
        async with self._marks.transaction():
            await self._marks.move(workspace, derivation.mark, step)
            if step.changes:
                await self._marks.end(partition, self._topic.id, self._topic.next_offset[partition])
        derivation.mark = self._marked[workspace] = step.mark
        self._metrics.records.inc(len(step.changes))
        for recorded_at in step.recorded_at:
            self._metrics.seconds.observe((acknowledged - recorded_at).total_seconds())


def _is_passing(failure: BaseException) -> bool:
    """Whether the next life may fare better."""
    kafka = (KafkaError, PartitionsChanged, TopicNotMade, NotMigrated)
    return is_transient(failure) or isinstance(failure, kafka)


class _Process:
    """One life after another; HTTP answers from the first moment on."""

    def __init__(self, settings: ChangedSettings) -> None:
        self._settings = settings
        self.registry = new_registry("changed")
        self._metrics = ChangedMetrics(self.registry)
        self._database = ReadDatabase(settings)
        PulseMetrics(self.registry, self._database.pulse)
        self._state = "not started yet"

    async def checks(self) -> Mapping[str, str]:
        """What readiness depends on: never how far behind it is."""
        return {"database": self._database.pulse.silent_because or "ok", "telling": self._state}

    async def work(self) -> None:
        """Until cancelled; raises what no later life would do better."""
        pause_s = self._settings.retry_first_pause_s
        while True:
            began = time.monotonic()
            try:
                await self._live()
            except Exception as failed:
                if not _is_passing(failed):
                    raise
                self._state = failure_text(failed)
                log.warning("begins again from its marks", error=self._state)
            if time.monotonic() - began > self._settings.retry_longest_pause_s:
                pause_s = self._settings.retry_first_pause_s
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._settings.retry_longest_pause_s)

    async def _live(self) -> None:
        url = self._settings.read_database_url
        if not self._settings.allow_unsafe_durability:
            await refuse_unsafe_durability(url)
        await live_projection(url)
        async with _started(self._database), _marks(url) as marks:
            while not await marks.become_the_one():
                self._state = "ok: stands by, another process tells"
                await asyncio.sleep(STAND_BY_S)
            topic = ChangedTopic(self._settings.kafka, self._settings.changed_topic)
            try:
                await topic.open()
                self._state = "ok"
                await Teller(self._settings, self._database, marks, topic, self._metrics).run()
            finally:
                await topic.close()


@asynccontextmanager
async def _started(database: ReadDatabase) -> AsyncIterator[None]:
    await database.start()
    try:
        yield
    finally:
        await database.close()


@asynccontextmanager
async def _marks(url: str) -> AsyncIterator[Marks]:
    connection = await one_connection(url)
    try:
        yield Marks(connection)
    finally:
        connection.terminate()


async def run_changed(settings: ChangedSettings) -> None:
    """The process: tell, and answer on the HTTP port, until SIGTERM."""
    process = _Process(settings)
    working = asyncio.create_task(process.work(), name="work")
    try:
        app = health_app(process.checks, process.registry)
        listener = Listener(app, settings.http_host, settings.http_port, limits=settings.limits())
        await serve([listener], background=[working])
    finally:
        working.cancel()
        await asyncio.wait([working], timeout=5)
