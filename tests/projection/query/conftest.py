"""One read database and one query application for the session; each test has a workspace of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from goal_ledger_contracts.ids import uuid7
from goal_ledger_local.postgres import Postgres
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.api.view import Views
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding.applying import Applier
from goal_ledger_projection.history.snapshots import ReadDatabase
from goal_ledger_projection.projections import migrate
from goal_ledger_projection.query import verifier
from goal_ledger_projection.query_settings import QuerySettings
from projection.query.story import ISSUER, Issuer, Story, begun


@dataclass
class Clock:
    """The query process's clock."""

    now: datetime = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Reading:
    """The read side: what folds, and what answers."""

    applier: Applier
    views: Views
    client: httpx2.AsyncClient
    issuer: Issuer
    clock: Clock
    settings: QuerySettings
    url: str


@asynccontextmanager
async def read_side(url: str, keys: Path) -> AsyncIterator[Reading]:
    """On an empty database of its own; `keys`: where the issuer's public keys go."""
    await migrate(url)
    issuer = Issuer.at(keys)
    settings = QuerySettings(
        read_database_url=url, token_keys_file=keys, token_issuer=ISSUER, allow_unsafe_durability=True
    )
    workers = await WorkersDatabase.open(url)
    database = ReadDatabase(settings)
    await database.start()
    clock = Clock()
    views = Views(settings, database, verifier(settings), clock)
    app = query_app(views, new_registry("query"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://query") as client:
        yield Reading(Applier(workers, 1000), views, client, issuer, clock, settings, url)
    await views.close()
    await database.close()
    await workers.close()


@pytest.fixture(scope="session")
async def reading(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reading]:
    keys = tmp_path_factory.mktemp("keys") / "jwks.json"
    async with read_side(await postgres.create("query"), keys) as reading:
        yield reading


@pytest.fixture
def story(reading: Reading) -> Story:
    """A workspace that has begun; the clock stands at 2026-06-01."""
    reading.clock.now = datetime(2026, 6, 1, tzinfo=UTC)
    return begun(Story(f"w-{uuid7()}", reading.applier, reading.client, reading.issuer))
