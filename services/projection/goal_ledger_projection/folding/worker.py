"""The projection worker: all its parts, wired by hand, opened and closed in one place.

Kafka ─► Subscription ─► Arrivals (parse, queue) ─► RetryingApplier ─► Applier ─► read database
                                  gaps ─► Healer ─► command service's feed ─► RetryingApplier …
                      heads ─► AntiEntropy ─► Healer, HeadCheck (roots)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import asyncpg
from goal_ledger_database.metrics import PulseMetrics
from goal_ledger_database.pulse import Pulse
from goal_ledger_database.sessions import CONNECTION_FAILED
from goal_ledger_edge.server import Listener, serve
from goal_ledger_observability.health import health_app
from goal_ledger_observability.logs import logger
from goal_ledger_observability.metrics import CollectorRegistry, new_registry

from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.database import (
    NotMigrated,
    NoVersionOfOurShape,
    WorkersDatabase,
    live_projection,
    refuse_unsafe_durability,
)
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.anti_entropy import AntiEntropy
from goal_ledger_projection.folding.applying import Applied, Applier
from goal_ledger_projection.folding.arrivals import Arrivals
from goal_ledger_projection.folding.garbage import collect_rarely
from goal_ledger_projection.folding.head_check import HeadCheck
from goal_ledger_projection.folding.heal import Healer
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.positions import Hint, ProjectionSwitched
from goal_ledger_projection.folding.retrying import Pauses, RetryingApplier
from goal_ledger_projection.folding.subscription import Subscription
from goal_ledger_projection.settings import WorkerSettings
from goal_ledger_projection.shapes import SHAPE

log = logger("goal_ledger.projection.worker")


class Worker:
    """Folds facts into the live projection version until it is stopped."""

    def __init__(
        self, settings: WorkerSettings, database: WorkersDatabase, feed: CommandFeed, meters: Meters
    ) -> None:
        pauses = Pauses(settings.retry_first_pause_s, settings.retry_longest_pause_s)
        self.database = database
        self._applier = Applier(database, settings.cached_definitions)
        self._retrying = RetryingApplier(self._applier, database, pauses, meters)
        self._head_check = HeadCheck(database, self._retrying, meters)
        self._meters = meters
        self._settings = settings
        self._following = asyncio.Lock()
        self.healer = Healer(
            database,
            feed,
            self._retrying,
            pauses,
            meters,
            page_facts=settings.heal_page_facts,
            at_once=settings.heal_workspaces_at_once,
            on_applied=self._learn,
        )
        self._arrivals = Arrivals(
            settings.facts_topic,
            meters,
            leave_aside=self.healer.is_healing,
            lanes=settings.lanes,
            waiting_batches=settings.waiting_batches,
            transaction_records=settings.transaction_records,
        )
        self.subscription = Subscription(
            _of_our_shape(settings), self._read_hints, self._arrivals.take, meters
        )
        self._anti_entropy = AntiEntropy(
            settings,
            database,
            feed,
            self.healer,
            self._retrying,
            self._head_check,
            meters,
            patience_s=self._patience_s,
            follow=self._follow,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Work within the block; its tasks only end by an error, or when the block is left."""
        tasks = [
            *(
                asyncio.create_task(self._apply_arrivals(n), name=f"apply {n}")
                for n in range(self._settings.lanes)
            ),
            asyncio.create_task(self._anti_entropy.run(), name="anti-entropy"),
            asyncio.create_task(self._head_check.run(), name="head check"),
            asyncio.create_task(self.subscription.run(), name="subscribe"),
        ]
        try:
            yield tasks
        finally:
            for task in reversed(tasks):  # reading ends first
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.healer.stop()

    @property
    def registry(self) -> CollectorRegistry:
        """Its metrics."""
        return self._meters.registry

    def checks(self) -> Mapping[str, str]:
        """Whether this process can do its work; never how far behind it is."""
        return {"kafka": "ok" if self.subscription.is_running else "not subscribed yet"}

    async def _apply_arrivals(self, lane: int) -> None:
        while True:
            batch = await self._arrivals.next(lane)
            while True:
                try:
                    applied = await self._retrying.apply(batch.records, batch.taken)
                except ProjectionSwitched as switched:
                    await self._follow(switched.live)
                else:
                    break
            self._learn(applied)
            self._heal(applied)

    def _heal(self, applied: Applied) -> None:
        """Workspaces that Kafka alone does not bring on."""
        for workspace in applied.gaps:
            self._meters.gaps.inc()
            self.healer.begin(workspace, "gap")
        for workspace, (seq, reason) in applied.foreign.items():
            self._meters.foreign.inc()
            log.error("foreign_record", workspace=workspace, seq=seq, reason=reason)
            self.healer.begin(workspace, "foreign_record")
        for workspace in applied.epochs_claimed:
            self.healer.begin(workspace, "a record of a higher epoch")

    async def _follow(self, live: str) -> None:
        async with self._following:
            if self.database.projection == live:
                return
            log.warning("another projection version is live, following", projection=live)
            await self.database.follow(live)
            self._applier.forget()
            self._arrivals.forget()
            self.subscription.seek_to_hints()

    def _learn(self, applied: Applied) -> None:
        self._arrivals.learn(applied)

    def _patience_s(self, workspace: str) -> float | None:
        """How long it may be behind with nothing arriving; None: its records are arriving."""
        patience_s = self._settings.behind_before_heal_s
        if not self._arrivals.is_empty:
            return None
        if self.subscription.has_unread(workspace) and self.subscription.silent_s < patience_s:
            return None
        if self.subscription.is_anothers(workspace):
            return self._settings.behind_elsewhere_before_heal_s
        return patience_s

    async def _read_hints(self) -> dict[int, Hint]:
        async with self.database.connection() as connection:
            return await positions.read_hints(connection, self._settings.facts_topic)


def _of_our_shape(settings: WorkerSettings) -> WorkerSettings:
    """Workers of another shape fold another version: each shape reads the topic in a group of its own."""
    return settings.model_copy(update={"consumer_group": f"{settings.consumer_group}-{SHAPE}"})


@asynccontextmanager
async def opened(
    settings: WorkerSettings, registry: CollectorRegistry | None = None
) -> AsyncIterator[Worker]:
    """A worker with its resources; they are closed at the end of the block."""
    pauses = Pauses(settings.retry_first_pause_s, settings.retry_longest_pause_s)
    meters = Meters(registry or new_registry("worker"))
    url = settings.read_database_url
    if not settings.allow_unsafe_durability:
        await pauses.until_done("open", lambda: refuse_unsafe_durability(url), meters)
    database = await pauses.until_done(
        "open", lambda: WorkersDatabase.open(url, limits=settings.database_limits), meters
    )
    feed = CommandFeed(settings.command_url, settings.service_token_file, settings.command_timeout_s)
    try:
        yield Worker(settings, database, feed, meters)
    finally:
        await feed.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.drain_s):
                await database.close()


class _Process:
    """The worker in its process: HTTP answers from the first moment on, whatever the databases do."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._worker: Worker | None = None
        self.registry = new_registry("worker")
        skew = settings.clock_skew_max_seconds
        self.pulse = Pulse("read", settings.read_database_url, skew_max_s=skew)
        PulseMetrics(self.registry, self.pulse)

    async def work(self) -> None:
        """Work until cancelled; raises what ends one of the worker's tasks."""
        async with opened(self._settings, self.registry) as worker, worker.running() as tasks:
            self._worker = worker
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def checks(self) -> Mapping[str, str]:
        """What readiness depends on."""
        if self._worker is not None:
            return {"database": self.pulse.wrong_for_writers or "ok", **self._worker.checks()}
        try:
            await live_projection(self._settings.read_database_url)
        except NoVersionOfOurShape as waiting:
            return {"database": str(waiting)}
        except (*CONNECTION_FAILED, asyncpg.PostgresError, NotMigrated):
            pass
        return {"database": "not open yet"}


async def run_worker(settings: WorkerSettings) -> None:
    """The process: work, and tell of it on the HTTP port, until SIGTERM."""
    collect_rarely()
    process = _Process(settings)
    working = asyncio.create_task(process.work(), name="work")
    beating = asyncio.create_task(process.pulse.run(), name="pulse")
    try:
        app = health_app(process.checks, process.registry)
        listener = Listener(app, settings.http_host, settings.http_port, limits=settings.limits())
        await serve([listener], background=[working])
    finally:
        beating.cancel()
        working.cancel()
        await asyncio.wait([working, beating], timeout=settings.drain_s)
