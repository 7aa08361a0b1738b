"""The reconciler: passes for ever, and what they find as alarm in the log and in the metrics.

It changes nothing. A finding is told once, when it is first seen, and once when it is gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from goal_ledger_edge.server import Listener, serve
from goal_ledger_observability.health import health_app
from goal_ledger_observability.logs import logger
from goal_ledger_observability.metrics import CollectorRegistry, Counter, Gauge, new_registry

from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.reconciling.findings import COPIES, Mismatch, PassReport, Unread
from goal_ledger_projection.reconciling.passing import Passes
from goal_ledger_projection.settings import ReconcilerSettings

log = logger("goal_ledger.projection.reconciler")


class ReconcilerMeters:
    """All begin with `goal_ledger_reconciler_`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = "goal_ledger_reconciler_"
        self.found = Gauge(name + "differences", "Rows or records that differ.", ("copy",), registry=registry)
        self.unread = Gauge(
            name + "unread", "Copies or workspaces that could not be compared.", ("copy",), registry=registry
        )
        self.facts = Counter(name + "facts", "Facts compared.", registry=registry)
        self.pass_seconds = Gauge(name + "pass_seconds", "How long the last pass took.", registry=registry)
        age = Gauge(name + "seconds_since_pass", "Since a pass last ended.", registry=registry)
        self._ended_at = time.monotonic()
        age.set_function(lambda: time.monotonic() - self._ended_at)

    def passed(self, report: PassReport, took_s: float) -> None:
        """A pass ended."""
        self._ended_at = time.monotonic()
        self.pass_seconds.set(took_s)
        self.facts.inc(report.facts)
        for copy in COPIES:
            self.found.labels(copy).set(sum(one.copy == copy for one in report.found))
            self.unread.labels(copy).set(sum(one.copy == copy for one in report.unread))


class Reconciler:
    """Passes, told of as they end."""

    def __init__(self, settings: ReconcilerSettings, feed: CommandFeed, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._passes = Passes(settings, feed)
        self._meters = ReconcilerMeters(registry)
        self._said: set[Mismatch | Unread] = set()

    async def run(self) -> None:
        """Look, rest, and look again."""
        while True:
            began = time.monotonic()
            report = await self._passes.look()
            took_s = time.monotonic() - began
            self._meters.passed(report, took_s)
            self._tell(report)
            await asyncio.sleep(max(self._settings.rest_s, took_s * self._settings.rest_passes))

    def _tell(self, report: PassReport) -> None:
        for found in report.found:
            if found not in self._said:
                log.error("differs", **_members(found))
        for unread in report.unread:
            if unread not in self._said:
                log.warning("not compared", copy=unread.copy, workspace=unread.workspace, why=unread.why)
        now: set[Mismatch | Unread] = {*report.found, *report.unread}
        for gone in self._said - now:
            if isinstance(gone, Mismatch) and not any(one.copy == gone.copy for one in report.unread):
                log.info("agrees again", **_members(gone))
        self._said = now


def _members(found: Mismatch) -> Mapping[str, str]:
    return {
        "copy": found.copy,
        "table": found.table,
        "workspace": found.workspace,
        "key": found.key,
        "what": found.what,
    }


async def run_reconciler(settings: ReconcilerSettings) -> None:
    """The process: passes, and health and metrics on the HTTP port, until SIGTERM."""
    registry = new_registry("reconciler")
    feed = CommandFeed(settings.command_url, settings.service_token_file, settings.command_timeout_s)
    looking = asyncio.create_task(Reconciler(settings, feed, registry).run(), name="look")

    async def checks() -> Mapping[str, str]:
        return {"looking": "ok"}

    try:
        app = health_app(checks, registry)
        listener = Listener(app, settings.http_host, settings.http_port, limits=settings.limits())
        await serve([listener], background=[looking])
    finally:
        looking.cancel()
        await asyncio.wait([looking], timeout=settings.drain_s)
        await feed.close()
