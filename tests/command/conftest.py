"""One command service for these tests, in this process; each test has an organisation of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from goal_ledger_command.migrations import migrate
from goal_ledger_command.wiring import apps, open_store
from goal_ledger_ledger.store import create_engine
from goal_ledger_ledger.submission import OpenGate
from goal_ledger_local.postgres import Postgres
from goal_ledger_observability.metrics import new_registry
from starlette.types import ASGIApp

from command.service import Organisation, Service, settings_in
from command.signing import Relay


def client(app: ASGIApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://command")


@pytest_asyncio.fixture(scope="session")
async def service(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    directory: Path = tmp_path_factory.mktemp("secrets")
    settings = settings_in(directory, ledger_url, keys_url)

    async def checks() -> dict[str, str]:
        return {"ledger_database": "ok"}

    async with open_store(settings, lambda _: OpenGate()) as store:
        await store.ledger.start()
        public, internal = apps(settings, store, checks, new_registry("test"))
        async with client(public) as outside, client(internal) as inside:
            yield Service(outside, inside, store.ledger, settings)


@pytest_asyncio.fixture(scope="session")
async def relay(service: Service) -> AsyncIterator[Relay]:
    engine = create_engine(service.settings.ledger_database_url, application="tests")
    yield Relay(service, engine)
    await engine.dispose()


@pytest_asyncio.fixture
async def org(service: Service) -> Organisation:
    """A workspace with the admin *ada*."""
    return await service.organisation()
