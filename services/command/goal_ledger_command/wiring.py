"""The command process, wired by hand: what is opened, in which order, and what gets which part.

``python -m goal_ledger_command serve``: both listeners and the intake share one ledger, so that they share the fold.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
from goal_ledger_database.metrics import PulseMetrics
from goal_ledger_database.pulse import Now, Pulse, own_clock
from goal_ledger_edge.request_context import RequestContext
from goal_ledger_edge.server import Listener, serve
from goal_ledger_edge.server import run as run_process
from goal_ledger_edge.tokens import TokenVerifier, Trust
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.store import Database, Unreachable, UnsafeDurability, create_engine
from goal_ledger_ledger.submission import ClockSkewed, NotRecorded, WriteGate
from goal_ledger_messaging.log_throttle import limit_client_noise
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.health import Checks, health_app
from goal_ledger_observability.logs import configure_logging, logger
from goal_ledger_observability.metrics import CollectorRegistry, HttpMetrics, new_registry
from starlette.types import ASGIApp

from goal_ledger_command.api import carrying, import_pieces, imports, readings, text_keys
from goal_ledger_command.api import log as log_routes
from goal_ledger_command.api import tiles as tile_routes
from goal_ledger_command.api.app import make_app
from goal_ledger_command.api.door import Door
from goal_ledger_command.clock_gate import ClockGate
from goal_ledger_command.fold import FoldOfGoals
from goal_ledger_command.importing.pieces import Pieces
from goal_ledger_command.intake import start_intake
from goal_ledger_command.ledger_metrics import LedgerMetrics, WriteGateMetrics
from goal_ledger_command.marks import IdempotencyHashes
from goal_ledger_command.preparing import Preparing
from goal_ledger_command.recorded_keys import RecordedKeys
from goal_ledger_command.settings import Settings, secret_of
from goal_ledger_command.shell import Shell
from goal_ledger_command.witnesses.gate import WitnessGate
from goal_ledger_command.write_gate import StoreBehindKafkaGate

NOT_OF_THIS_RELEASE = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
MIGRATE_FIRST = "a database is not of this release: run `python -m goal_ledger_command migrate` first, as the role that owns it."

LEDGER_CONNECTIONS = 20
KEYS_CONNECTIONS = 4
START_AGAIN_S = 0.5

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

log = logger("goal_ledger.command")


@dataclass(frozen=True, slots=True)
class Store:
    """The two databases and the ledger on them."""

    engine: Database
    keyring: Keyring
    ledger: Ledger
    pulse: Pulse
    """Of the ledger's database."""


@contextlib.asynccontextmanager
async def open_store(
    settings: Settings, gate: Callable[[Database], WriteGate], now: Now = own_clock
) -> AsyncIterator[Store]:
    """Ledger and engines; on leaving, what waits is recorded first. The ledger is not started yet."""
    limits = settings.database_limits
    engine = create_engine(
        settings.ledger_database_url, application="command", connections=LEDGER_CONNECTIONS, limits=limits
    )
    keys_engine = create_engine(
        settings.keys_database_url, application="command", connections=KEYS_CONNECTIONS, limits=limits
    )
    pulses = [_pulse(settings, "ledger", engine, now), _pulse(settings, "keys", keys_engine, now)]
    await pulses[0].look()
    beating = [asyncio.create_task(pulse.run()) for pulse in pulses]
    keyring = Keyring(keys_engine, secret_of(settings.master_key_file))
    unsafe = settings.allow_unsafe_durability
    by_the_clock = ClockGate(pulses[0], gate(engine))
    ledger = Ledger(engine, keyring, FoldOfGoals(), by_the_clock, allow_unsafe_durability=unsafe, now=now)
    try:
        yield Store(engine, keyring, ledger, pulses[0])
    finally:
        await ledger.close()
        for task in beating:
            task.cancel()
        await asyncio.gather(*beating, return_exceptions=True)
        await engine.dispose()
        await keys_engine.dispose()


def _pulse(settings: Settings, name: str, engine: Database, now: Now) -> Pulse:
    url = settings.ledger_database_url if name == "ledger" else settings.keys_database_url

    async def also(raw: Raw) -> None:
        if engine.lineage is not None:
            await engine.lineage.sample(raw)

    pulse = Pulse(name, url, now=now, skew_max_s=settings.clock_skew_max_seconds, also=also)
    engine.watch(pulse)
    return pulse


class StartGate:
    """Closed until the ledger has started; from then on it is as open as the gate to Kafka."""

    def __init__(self, kafka: StoreBehindKafkaGate) -> None:
        self.kafka = kafka
        self._waits_for: str | None = "the databases have not been reached yet"

    @property
    def closed_because(self) -> str | None:
        return self._waits_for or self.kafka.closed_because

    async def check(self, workspace: str) -> None:
        if self._waits_for is not None:
            raise NotRecorded(f"Nothing is recorded: {self._waits_for}. Send it again.")
        await self.kafka.check(workspace)

    async def open_when_started(self, ledger: Ledger) -> None:
        """Start the ledger, again and again while a database is away. Raises UnsafeDurability."""
        while True:
            try:
                await ledger.start()
                break
            except Unreachable as away:
                log.warning("a database is out of reach", error=failure_text(away))
                await asyncio.sleep(START_AGAIN_S)
        self._waits_for = None
        await self.kafka.run()


def kafka_gate(settings: Settings, engine: Database) -> StoreBehindKafkaGate:
    """The gate to what Kafka holds and witnesses have seen. Raises SystemExit if the policy or the key cannot be read."""
    policy, key = settings.witness_policy(), settings.signing_key()
    return StoreBehindKafkaGate(
        engine, settings.kafka, WitnessGate(engine, policy, key, settings.heads_origin)
    )


@contextlib.asynccontextmanager
async def open_for_operator(settings: Settings) -> AsyncIterator[Ledger]:
    """A started ledger for one writer more. Raises NotRecorded if a database or Kafka cannot be asked."""
    async with store_for_operator(settings) as store:
        yield store.ledger


@contextlib.asynccontextmanager
async def store_for_operator(settings: Settings) -> AsyncIterator[Store]:
    """The same with its engines; the store is compared with Kafka. Raises NotRecorded, also where the databases turn out not
    to be of this release."""
    kafka: list[StoreBehindKafkaGate] = []

    def gate(engine: Database) -> StoreBehindKafkaGate:
        kafka.append(kafka_gate(settings, engine))
        return kafka[0]

    try:
        async with open_store(settings, gate) as store:
            await _ready_for_operator(store, kafka[0])
            yield store
    except NOT_OF_THIS_RELEASE as old:
        raise NotRecorded(MIGRATE_FIRST) from old


async def _ready_for_operator(store: Store, kafka: StoreBehindKafkaGate) -> None:
    try:
        if store.pulse.is_skewed:
            raise ClockSkewed(f"The clock here is {store.pulse.skew_s:+.1f} s from the database's.")
        await store.ledger.start()
        await kafka.look()
    except (NotRecorded, *NOT_OF_THIS_RELEASE):
        raise
    except UnsafeDurability as unsafe:
        raise NotRecorded(str(unsafe)) from unsafe
    except Exception as away:
        raise NotRecorded(f"{type(away).__name__}: {away}") from away


def apps(
    settings: Settings, store: Store, checks: Checks, registry: CollectorRegistry
) -> tuple[ASGIApp, ASGIApp]:
    """The public and the internal application, on the same parts."""
    verifier = token_verifier(settings)
    preparing = Preparing(store.engine, store.ledger)
    shell = Shell(
        store.ledger,
        IdempotencyHashes(secret_of(settings.hmac_secret_file)),
        preparing,
        RecordedKeys(store.engine),
    )
    metrics, heads_key = HttpMetrics(registry), heads_key_of(settings)
    pieces, places = Pieces(store.engine, store.keyring), asyncio.Semaphore(imports.MAX_IMPORTS_AT_ONCE)

    def app(*, internal: bool) -> ASGIApp:
        door = Door(shell, verifier, internal, settings.max_command_bytes, heads_key is not None)
        routers = [
            readings.router(door, store.engine, settings.max_batch_bytes, settings.max_batch_items),
            log_routes.router(door, store.engine, heads_key),
            tile_routes.router(door, store.engine),
            carrying.router(door),
            imports.router(door, settings.max_batch_bytes, places),
            import_pieces.router(door, pieces, places),
        ]
        if internal:
            routers.append(text_keys.router(store.keyring))
        made = make_app(door, routers, checks, registry if internal else None)
        return RequestContext(made, metrics, local=settings.local_mode)

    return app(internal=False), app(internal=True)


def heads_key_of(settings: Settings) -> log_routes.HeadsKey | None:
    """What signed heads are verified with; None: no key is set. Raises SystemExit if the file cannot be read."""
    key, second = settings.signing_key(), settings.ml_dsa_44_key()
    if key is None:
        return None
    return log_routes.HeadsKey(
        key.public_key(), settings.heads_origin, None if second is None else second.public_key()
    )


def token_verifier(settings: Settings) -> TokenVerifier:
    """People's and services' tokens. Raises SystemExit if a key file cannot be read."""
    services = settings.service_token_keys_file
    return settings.verifier(None if services is None else Trust(settings.service_token_issuer, services))


def run(settings: Settings, *, api: bool = True, intake: bool = True) -> None:
    """The whole process; returns after SIGTERM. Without ``api`` the public port answers health and metrics alone."""
    configure_logging("command", settings.log_level)
    limit_client_noise()
    if settings.local_mode:
        log.warning(
            "LOCAL MODE: this installation is open. Its keys and identities are for demonstration only."
        )
    try:
        run_process(_main(settings, api=api, intake=intake))
    except UnsafeDurability as unsafe:
        raise SystemExit(str(unsafe)) from None


async def _main(settings: Settings, *, api: bool, intake: bool) -> None:
    gates: list[StartGate] = []

    def gate(engine: Database) -> StartGate:
        gates.append(StartGate(kafka_gate(settings, engine)))
        return gates[0]

    registry = new_registry("command")
    async with open_store(settings, gate) as store:
        LedgerMetrics(store.ledger, registry)
        WriteGateMetrics(gates[0].kafka, registry)
        PulseMetrics(registry, store.pulse)

        async def checks() -> dict[str, str]:
            writing = gates[0].closed_because or store.ledger.failing_because
            return {"ledger_database": store.pulse.wrong_for_writers or "ok", "writing": writing or "ok"}

        starting = asyncio.create_task(gates[0].open_when_started(store.ledger))
        try:
            async with contextlib.AsyncExitStack() as running:
                if intake:
                    await running.enter_async_context(start_intake(settings, store, registry))
                _collect_rarely()
                await serve(
                    _listeners(settings, store, checks, registry, api=api),
                    drain_seconds=settings.drain_seconds,
                    background=[starting],
                )
        finally:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting


def _listeners(
    settings: Settings, store: Store, checks: Checks, registry: CollectorRegistry, *, api: bool
) -> list[Listener]:
    host, limits = settings.http_host, settings.limits()
    public: ASGIApp = health_app(checks, None)
    internal: ASGIApp = health_app(checks, registry)
    if api:
        public, internal = apps(settings, store, checks, registry)
    return [
        Listener(public, host, settings.http_port, lifespan="off", limits=limits),
        Listener(internal, host, settings.internal_http_port, lifespan="off", limits=limits),
    ]


def _collect_rarely() -> None:
    """What was loaded to start stays; collections are made rare: each walks over all that the batches under way hold
    (60,000 objects of bulk), and what is dropped here is nearly always dropped by its last reference."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
