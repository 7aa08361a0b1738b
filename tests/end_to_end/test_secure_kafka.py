"""The whole way over a Kafka that asks who speaks: each client of ours as a user of its own, with no more rights than it needs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from goal_ledger_client import Emitter as ClientEmitter
from goal_ledger_client import Reading
from goal_ledger_command.beyond_store import highest_places
from goal_ledger_command.migrations import migrate
from goal_ledger_command.published_tail import published_tail
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.process import Relay
from goal_ledger_command.write_gate import StoreBehindKafkaGate
from goal_ledger_contracts.position import Position
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging.security import Cluster, explained
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import CHANGED, FACTS, Emitter
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.changed.record import BEGIN, ToldChange
from goal_ledger_projection.changed.topic import ChangedTopic
from goal_ledger_projection.projections import migrate as migrate_read
from intake.conftest import Bench, Shop, opened_bench, until
from projection.worker.given import Topic, feed_server, worker_settings, working
from support.secure_kafka import (
    CREATE,
    DESCRIBE,
    GROUP,
    LITERAL,
    PREFIXED,
    READ,
    TOPIC,
    WRITE,
    Acl,
    SecureKafka,
)

USERS = ("command", "relay", "worker", "changed", "shop", "stranger")
OURS: tuple[Acl, ...] = (
    ("command", TOPIC, "progress.readings.", PREFIXED, READ),
    ("command", GROUP, "goal-ledger-intake", LITERAL, READ),
    ("command", TOPIC, FACTS, LITERAL, READ),
    *(
        ("relay", TOPIC, prefix, PREFIXED, right)
        for prefix in ("progress.", "ledger.")
        for right in (CREATE, WRITE)
    ),
    ("relay", TOPIC, "progress.", PREFIXED, DESCRIBE),
    ("relay", TOPIC, "ledger.", PREFIXED, READ),
    ("worker", TOPIC, FACTS, LITERAL, READ),
    ("worker", GROUP, "goal-ledger-projection", PREFIXED, READ),
    ("changed", TOPIC, CHANGED, LITERAL, CREATE),
    ("changed", TOPIC, CHANGED, LITERAL, WRITE),
)
"""What docs/operations/kafka.md lists."""


@pytest.fixture(scope="module")
def secure(process_owner: ProcessOwner, session_directory: Path) -> Iterator[SecureKafka]:
    broker = SecureKafka(session_directory / "secure-kafka", process_owner, USERS)
    broker.start()
    yield broker
    broker.stop()


@pytest_asyncio.fixture(scope="module")
async def bench(secure: SecureKafka, postgres: Postgres) -> AsyncIterator[Bench]:
    await secure.allow(*OURS)
    url, keys_url = await postgres.create("secure"), await postgres.create("keys")
    await migrate(url, keys_url)
    async with opened_bench(url, keys_url, secure.as_user("command")) as bench:
        yield bench


async def test_a_reading_goes_the_whole_way_and_its_receipt_comes_back(
    secure: SecureKafka, bench: Bench, postgres: Postgres
) -> None:
    shop = await bench.registered_shop()
    await secure.allow(
        ("shop", TOPIC, shop.emitter.readings, LITERAL, WRITE),
        ("shop", TOPIC, shop.emitter.receipts, LITERAL, READ),
    )
    async with relaying(bench, secure.as_user("relay")) as relay:
        await made(secure, shop.emitter.readings)
        async with ClientEmitter(**client_options(secure, "shop"), topic=shop.emitter.readings) as emitter:
            await emitter.emit(
                [Reading("/shop", "r-1", "webshop.visitors", datetime(2026, 5, 1, tzinfo=UTC), "3")]
            )
        async with bench.intaking():
            receipt = await first_receipt(secure.as_user("shop"), shop.emitter)
        assert (receipt["outcome"], receipt["id"]) == ("applied", "r-1")
        await folded_by_worker(secure, await postgres.create("read"), shop, receipt["position"])
        assert relay.failing() == {}
    async with published_tail(bench.engine, secure.as_user("command")) as tail:
        assert await highest_places(tail) == {}  # all of it is marked


async def test_nobody_writes_to_anothers_inbox_nor_reads_its_receipts(
    secure: SecureKafka, bench: Bench
) -> None:
    shop = await bench.registered_shop()
    async with relaying(bench, secure.as_user("relay")):
        await made(secure, shop.emitter.readings)
    options = client_options(secure, "stranger")
    with pytest.raises((ClusterAuthorizationFailedError, TopicAuthorizationFailedError)):
        async with ClientEmitter(**options, topic=shop.emitter.readings) as emitter:
            await emitter.emit_raw(b"{}")
    reader = consumers.reader(secure.as_user("stranger"))
    await reader.start()
    reader.assign([TopicPartition(shop.emitter.receipts, 0)])
    try:
        with pytest.raises(
            (TopicAuthorizationFailedError, TimeoutError)
        ):  # which: how much it may know of the topic
            async with asyncio.timeout(2):
                await reader.getone()
    finally:
        await consumers.discard(reader)


async def test_who_tells_of_goals_makes_its_topic_and_writes_it(secure: SecureKafka, bench: Bench) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    change = ToldChange.of("acme", "o", None, {"status": "pending"}, BEGIN, Position(1, 1), now)
    topic = ChangedTopic(secure.as_user("changed"), CHANGED)
    try:
        await topic.open()
        await topic.tell("acme", [change])
        assert topic.next_offset[topic.partition_of("acme")] == 1
    finally:
        await topic.close()


async def test_what_the_broker_refuses_is_said_in_a_sentence(
    secure: SecureKafka, bench: Bench, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-it")
    refused = {
        "refuses user 'relay' by SCRAM-SHA-512": secure.as_user("relay", sasl_password_file=wrong),
        "refuses user 'nobody' by SCRAM-SHA-512": secure.as_user("nobody", sasl_password_file=wrong),
        "shows a certificate that is not trusted": secure.as_user("relay", ssl_ca_file=None),
        "hangs up: PLAINTEXT is not what it wants": Cluster(secure.bootstrap),
    }
    for sentence, cluster in refused.items():
        assert sentence in await explained(cluster, KafkaConnectionError("Unable to bootstrap"))
    gate = StoreBehindKafkaGate(bench.engine, secure.as_user("command", sasl_password_file=wrong))
    looking = asyncio.create_task(gate.run())

    async def says_so() -> bool:
        return "refuses user 'command'" in (gate.closed_because or "")

    await until(says_so)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


def client_options(secure: SecureKafka, user: str) -> dict[str, Any]:
    """What somebody gives to aiokafka, or to the client's emitter."""
    options = secure.as_user(user).options()
    return {"bootstrap": options.pop("bootstrap_servers"), "security": options}


@contextlib.asynccontextmanager
async def relaying(bench: Bench, kafka: Cluster) -> AsyncIterator[Relay]:
    key = Ed25519PrivateKey.generate()
    relay = Relay(bench.engine, kafka, RelayMetrics(new_registry("test")), key, "tests")
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def made(secure: SecureKafka, topic: str) -> None:
    """Returns when the relay has made the topic."""
    ids = TopicIds(secure.as_user("admin"))
    await ids.start()
    try:

        async def is_there() -> bool:
            return topic in await ids.of([topic])

        await until(is_there)
    finally:
        await ids.close()


async def first_receipt(kafka: Cluster, emitter: Emitter) -> dict[str, Any]:
    reader = consumers.reader(kafka)
    await reader.start()
    reader.assign([TopicPartition(emitter.receipts, 0)])
    await reader.seek_to_beginning()
    try:
        async with asyncio.timeout(60):
            record = await reader.getone()
        return dict(json.loads(record.value))
    finally:
        await consumers.discard(reader)


async def folded_by_worker(secure: SecureKafka, read_url: str, shop: Shop, position: str) -> None:
    """A worker that has nothing but Kafka comes to the position."""
    await migrate_read(read_url)
    given = {name.lower(): value for name, value in secure.environment("worker").items()}
    group = {"consumer_group": "goal-ledger-projection"}
    connection = await asyncpg.connect(read_url, server_settings={"search_path": "read_v1"})
    try:
        async with feed_server() as feed:
            settings = worker_settings(read_url, Topic(secure.bootstrap, FACTS), feed, **{**given, **group})

            async def is_folded() -> bool:
                found = await connection.fetchval(
                    "SELECT next_seq FROM positions WHERE workspace = $1", shop.workspace
                )
                return found is not None and found > int(position.split("-")[1])

            async with working(settings):
                await until(is_folded)
    finally:
        await connection.close()
