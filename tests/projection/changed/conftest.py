"""A read database of each test's own, and what is told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from goal_ledger_contracts.ids import uuid7
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from projection.changed.telling import Telling
from projection.query.conftest import Reading, read_side
from projection.query.story import Story, begun


@dataclass
class Side:
    """The read side, and the process beside it."""

    reading: Reading
    telling: Telling

    def story(self) -> Story:
        """A workspace that has begun."""
        reading = self.reading
        return begun(Story(f"w-{uuid7()}", reading.applier, reading.client, reading.issuer))


@pytest.fixture
async def side(postgres: Postgres, kafka: Kafka, tmp_path: Path) -> AsyncIterator[Side]:
    url = await postgres.create("changed")
    async with read_side(url, tmp_path / "jwks.json") as reading:
        reading.clock.now = datetime(2026, 6, 1, tzinfo=UTC)
        yield Side(reading, Telling(url, kafka.bootstrap))
