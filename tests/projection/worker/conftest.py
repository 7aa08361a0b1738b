"""A fresh read database, a topic of its own and a feed for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from goal_ledger_contracts.ids import uuid7
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.projections import migrate
from projection.worker.given import Feed, Topic, feed_server


@pytest.fixture
async def read_url(postgres: Postgres) -> str:
    """A migrated read database."""
    url = await postgres.create("read")
    await migrate(url)
    return url


@pytest.fixture
async def read(read_url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection that sees the first projection version."""
    connection = await asyncpg.connect(read_url, server_settings={"search_path": "read_v1"})
    yield connection
    await connection.close()


@pytest.fixture
async def database(read_url: str) -> AsyncIterator[WorkersDatabase]:
    """The database as the worker opens it."""
    opened = await WorkersDatabase.open(read_url)
    yield opened
    await opened.close()


@pytest.fixture
async def topic(kafka: Kafka) -> Topic:
    """A fresh topic."""
    made = Topic(kafka.bootstrap, f"facts-{uuid7()}")
    await made.make()
    return made


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    """A command service that only answers for logs."""
    async with feed_server() as serving:
        yield serving
