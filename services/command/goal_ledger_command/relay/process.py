"""The relay process: wired by hand. ``python -m goal_ledger_command relay``.

While another relay has the lease this one stands by. With the lease, five parts live side by side, each started anew
after an error with a growing pause: the facts, the receipts, the signed heads, what witnesses say to them, the emitters'
topics. When the lease is lost all are cancelled and it stands by again. Nothing ends the process but SIGTERM.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from goal_ledger_contracts.witness_policy import WitnessPolicy
from goal_ledger_database.metrics import PulseMetrics
from goal_ledger_database.pulse import Pulse
from goal_ledger_edge.server import Listener, serve
from goal_ledger_edge.server import run as run_process
from goal_ledger_ledger.store import Unreachable, create_engine, require_durability
from goal_ledger_messaging.log_throttle import limit_client_noise
from goal_ledger_messaging.security import Kafka, explained
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.health import health_app
from goal_ledger_observability.logs import configure_logging, logger
from goal_ledger_observability.metrics import new_registry
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.relay.emitters import EmitterTopics
from goal_ledger_command.relay.facts import FactsPublisher
from goal_ledger_command.relay.heads import HeadsPublisher
from goal_ledger_command.relay.lease import RETRY_EVERY_S, Lease, LeaseLost
from goal_ledger_command.relay.marks import PublishedTo
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.receipts import ReceiptsPublisher
from goal_ledger_command.relay.topic_watch import TopicWatch
from goal_ledger_command.relay.unsent import UnsentAnswers
from goal_ledger_command.settings import RelaySettings
from goal_ledger_command.witnesses.submitting import WitnessSubmitter

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
HEALTHY_AFTER_S = 10.0
"""A part that has not failed for so long works; until then readiness says what it failed of."""

log = logger("relay")


class Relay:
    """Contends for the lease and relays while it has it."""

    def __init__(
        self,
        engine: AsyncEngine,
        kafka: Kafka,
        metrics: RelayMetrics,
        signing_key: Ed25519PrivateKey | None,
        heads_origin: str,
        witnesses: WitnessPolicy | None = None,
        ml_dsa_44: MLDSA44PrivateKey | None = None,
    ) -> None:
        self._engine, self._kafka, self._metrics = engine, kafka, metrics
        self._signing_key, self._heads_origin = signing_key, heads_origin
        self._ml_dsa_44 = ml_dsa_44
        self._witnesses = witnesses or WitnessPolicy()
        self._lease = Lease(engine)
        self._failed: dict[str, tuple[float, str, int]] = {}

    async def run(self) -> None:
        """Until cancelled; never raises anything else."""
        while True:
            try:
                term = await self._lease.acquire()
            except Exception as away:
                log.warning("the ledger database is out of reach", error=failure_text(away))
                term = None
            if term is None:
                await asyncio.sleep(RETRY_EVERY_S)
                continue
            try:
                await self._one_term(term)
            finally:
                self._metrics.active.set(0)
                await asyncio.shield(self._lease.release(term))

    async def _one_term(self, term: int) -> None:
        log.info("lease taken", term=term)
        self._metrics.active.set(1)
        parts = [
            asyncio.create_task(self._restart_on_failure(name, run))
            for name, run in self._parts(term).items()
        ]
        try:
            await self._lease.keep(term)
        except LeaseLost as lost:
            log.warning("lease lost", reason=str(lost))
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    def failing(self) -> dict[str, str]:
        """The parts that failed a moment ago, not for the first time in a row, and of what."""
        since = asyncio.get_running_loop().time() - HEALTHY_AFTER_S
        return {
            name: f"starts again: {why}"
            for name, (at, why, in_a_row) in self._failed.items()
            if at > since and in_a_row > 1
        }

    def _parts(self, term: int) -> dict[str, Callable[[], Awaitable[None]]]:
        engine, kafka, metrics = self._engine, self._kafka, self._metrics
        registered = asyncio.Event()
        marks = PublishedTo(engine, term)
        watch = TopicWatch(kafka, marks)
        topics = EmitterTopics(engine, kafka, registered)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "facts": FactsPublisher(engine, kafka, marks, watch, metrics, registered).run,
            "emitters": topics.run,
            "receipts": ReceiptsPublisher(engine, kafka, term, topics, metrics).run,
        }
        if self._signing_key is not None:
            heads = HeadsPublisher(
                engine, kafka, marks, self._signing_key, self._heads_origin, metrics, self._ml_dsa_44
            )
            parts["heads"] = heads.run
            parts["witnesses"] = WitnessSubmitter(engine, self._witnesses, metrics).run
        return parts

    async def _restart_on_failure(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        pause_s, in_a_row = FIRST_PAUSE_S, 0
        while True:
            began_at = loop.time()
            try:
                await run()
            except Exception as failed:
                self._metrics.failures.labels(name).inc()
                why = (await explained(self._kafka, failed))[:500]
                in_a_row = 1 if loop.time() - began_at > HEALTHY_AFTER_S else in_a_row + 1
                self._failed[name] = (loop.time(), why, in_a_row)
                log.warning("starts again", part=name, error=why)
            pause_s = (
                FIRST_PAUSE_S
                if loop.time() - began_at > HEALTHY_AFTER_S
                else min(LONGEST_PAUSE_S, pause_s * 2)
            )
            await asyncio.sleep(pause_s)


def run(settings: RelaySettings) -> None:
    """The whole process: relay, health and metrics on ``HTTP_PORT``; returns after SIGTERM."""
    configure_logging("relay", settings.log_level)
    limit_client_noise()
    run_process(_main(settings))


async def _main(settings: RelaySettings) -> None:
    url = settings.ledger_database_url
    engine = create_engine(url, application="relay", connections=8, limits=settings.database_limits)
    pulse = Pulse("ledger", url, skew_max_s=settings.clock_skew_max_seconds)
    engine.watch(pulse)
    registry = new_registry("relay")
    PulseMetrics(registry, pulse)
    metrics = RelayMetrics(registry)
    relay = Relay(
        engine,
        settings.kafka,
        metrics,
        settings.signing_key(),
        settings.heads_origin,
        settings.witness_policy(),
        settings.ml_dsa_44_key(),
    )

    async def checks() -> dict[str, str]:
        database = pulse.wrong_for_writers
        if database is not None:
            return {"ledger_database": database, **relay.failing()}
        unsent, why = await UnsentAnswers(engine).standing()
        answers = f"ok: but for {unsent} that Kafka refuses ({why})" if unsent else "ok"
        return {"ledger_database": "ok", "answers": answers, **relay.failing()}

    beating = asyncio.create_task(pulse.run())
    relaying = asyncio.create_task(_relay_when_safe(relay, engine, settings))
    try:
        health = Listener(
            health_app(checks, registry), settings.http_host, settings.http_port, limits=settings.limits()
        )
        await serve([health], drain_seconds=settings.drain_seconds, background=[relaying])
    finally:
        relaying.cancel()
        beating.cancel()
        await asyncio.gather(relaying, beating, return_exceptions=True)
        await engine.dispose()


async def _relay_when_safe(relay: Relay, engine: AsyncEngine, settings: RelaySettings) -> None:
    """Raises UnsafeDurability: the process ends, for what it would publish might be lost."""
    while not settings.allow_unsafe_durability:
        try:
            await require_durability(engine)
            break
        except Unreachable as away:
            log.warning("the ledger database is out of reach", error=failure_text(away))
        await asyncio.sleep(RETRY_EVERY_S)
    await relay.run()
