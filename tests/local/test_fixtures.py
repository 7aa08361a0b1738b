"""The fixtures give what the rest of the tests stand on."""

from __future__ import annotations

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres


async def test_a_fresh_database_belongs_to_a_role_that_is_no_superuser(postgres: Postgres) -> None:
    connection = await asyncpg.connect(await postgres.create("fixture"))
    try:
        await connection.execute("CREATE TABLE one (n int)")
        assert await connection.fetchval("SHOW is_superuser") == "off"
    finally:
        await connection.close()


async def test_the_superuser_reaches_the_server_for_what_only_it_may_do(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.admin_url)
    try:
        assert await connection.fetchval("SHOW is_superuser") == "on"
    finally:
        await connection.close()


async def test_a_database_admits_only_its_owner(postgres: Postgres) -> None:
    postgres.ensure_database("hers", "her_service")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(postgres.url("hers"))


async def test_what_is_written_to_kafka_is_read_back(kafka: Kafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    made = await admin.create_topics([NewTopic("fixture", 1, 1)])
    await admin.close()
    assert [code for _, code, *_ in made.topic_errors] == [0]
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait("fixture", b"there")
    consumer = AIOKafkaConsumer("fixture", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    async with consumer:
        assert (await consumer.getone()).value == b"there"


async def test_what_an_earlier_release_left_to_a_process_belongs_to_the_owner(postgres: Postgres) -> None:
    await _own_table(postgres.ensure_database("left", "left_process"))

    owners = postgres.ensure_database("left", "left_owner", ["left_process"])

    await _own_table(owners)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _own_table(postgres.url("left", "left_process"))


async def _own_table(address: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS kept (n int); ALTER TABLE kept ALTER n SET NOT NULL"
        )
    finally:
        await connection.close()
