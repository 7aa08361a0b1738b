"""Databases of its own for each drill, on the session's servers."""

from __future__ import annotations

from pathlib import Path

import pytest_asyncio
from command.service import settings_in
from command.test_operator import environment_of
from goal_ledger_command.migrations import migrate
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres

from recovery.drill import Drill


@pytest_asyncio.fixture
async def drill(postgres: Postgres, kafka: Kafka, tmp_path: Path) -> Drill:
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    settings = settings_in(tmp_path, ledger_url, keys_url).model_copy(
        update={"kafka_bootstrap_servers": kafka.bootstrap}
    )
    key = {"HEAD_SIGNING_KEY_FILE": str(settings.head_signing_key_file)}
    return Drill(postgres, settings, environment_of(settings, kafka) | key, tmp_path)
