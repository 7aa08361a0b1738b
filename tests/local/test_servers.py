"""Kafka and PostgreSQL come back after kill -9, on the same port and with what they had acknowledged."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import PartFailed, ProcessOwner, is_alive


async def test_kafka_killed_comes_back_on_its_port_with_what_it_acknowledged(
    process_owner: ProcessOwner, directory: Path
) -> None:
    broker = Kafka(directory / "kafka", process_owner)
    broker.start()
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as producer:
        await producer.send_and_wait("kept", b"acknowledged")
    before = broker.bootstrap

    broker.kill()
    broker.restart()

    assert broker.bootstrap == before
    consumer = AIOKafkaConsumer("kept", bootstrap_servers=before, auto_offset_reset="earliest")
    async with consumer:
        assert (await consumer.getone()).value == b"acknowledged"
    broker.stop()


async def test_postgres_killed_with_a_busy_back_end_comes_back_with_what_was_committed(
    process_owner: ProcessOwner, directory: Path
) -> None:
    server = Postgres(directory / "postgres", process_owner)
    server.start()
    url = await server.create("kept")
    connection, busy = await asyncpg.connect(url), await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    counting = asyncio.ensure_future(busy.fetchval("SELECT count(*) FROM generate_series(1, 2000000000)"))
    back_end = busy.get_server_pid()
    active = (
        "SELECT state = 'active' AND clock_timestamp() - query_start > interval '100 ms'"
        " FROM pg_stat_activity WHERE pid = $1"
    )
    while not await connection.fetchval(active, back_end):  # noqa: ASYNC110 - no event tells it
        await asyncio.sleep(0)
    port = server.port

    server.kill()
    await asyncio.to_thread(server.restart)

    assert server.port == port
    assert not is_alive(back_end)
    with pytest.raises((asyncpg.PostgresError, ConnectionError)):
        await counting
    connection.terminate()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT n FROM kept") == 1
    await connection.close()
    server.stop()


async def test_a_left_over_pid_file_that_names_a_stranger_does_not_keep_postgres_down(
    process_owner: ProcessOwner, directory: Path
) -> None:
    server = Postgres(directory / "postgres", process_owner, durable=False)
    server.start()
    server.kill()
    pid_file = server.cluster / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n" + pid_file.read_text().partition("\n")[2])
    server.restart()
    server.stop()


async def test_settings_are_durable_unless_asked_otherwise(
    process_owner: ProcessOwner, directory: Path
) -> None:
    server = Postgres(directory / "postgres", process_owner)
    server.start()
    connection = await asyncpg.connect(server.admin_url)
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert await connection.fetchval(f"SHOW {name}") == "on"
    await connection.close()
    server.stop()


async def test_a_database_can_be_put_back_to_a_dump(postgres: Postgres, directory: Path) -> None:
    url = await postgres.create("restored")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    await asyncio.to_thread(postgres.dump, url.rpartition("/")[2], directory / "dump")
    await connection.execute("INSERT INTO kept VALUES (2)")

    await asyncio.to_thread(postgres.restore, url.rpartition("/")[2], directory / "dump")

    connection.terminate()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT array_agg(n) FROM kept") == [1]
    await connection.close()


def test_below_a_closed_directory_the_cluster_lies_aside_and_is_removed_with_it(
    process_owner: ProcessOwner, directory: Path
) -> None:
    from goal_ledger_local.postgres_server import remove_cluster

    if os.geteuid() != 0:
        pytest.skip("only root runs PostgreSQL as somebody else")
    directory.chmod(0o700)
    server = Postgres(directory / "postgres", process_owner, durable=False)
    server.start()
    place = server.cluster
    assert place.is_relative_to("/var/tmp")
    server.stop()
    remove_cluster(directory / "postgres")
    assert not place.exists()


def test_a_program_that_fails_says_why(postgres: Postgres, directory: Path) -> None:
    with pytest.raises(PartFailed, match="no_such_database"):
        postgres.dump("no_such_database", directory / "dump")
