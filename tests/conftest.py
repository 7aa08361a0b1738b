"""The real parts that tests run against: PostgreSQL and Apache Kafka, started when a test first asks for them.

They end with the test session, also when it is killed (see goal_ledger_local.processes). Tests do not share data:
each makes its own databases (`await postgres.create("prefix")`) and its own workspace names.
"""

from __future__ import annotations

import io
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner
from goal_ledger_observability import requests
from goal_ledger_observability.logs import configure_logging


@pytest.fixture(scope="session")
def process_owner() -> Iterator[ProcessOwner]:
    """Owns every process of the test session."""
    with ProcessOwner() as owner:
        yield owner


@pytest.fixture(scope="session")
def session_directory() -> Iterator[Path]:
    """Data of the session's servers; not below pytest's own directory, which other users may not enter."""
    directory = Path(tempfile.mkdtemp(prefix="goal-ledger-tests-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(process_owner: ProcessOwner, session_directory: Path) -> Iterator[Postgres]:
    """One server for the session. It syncs nothing: services need ALLOW_UNSAFE_DURABILITY=true with it."""
    server = Postgres(session_directory / "postgres", process_owner, durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka(process_owner: ProcessOwner, session_directory: Path) -> Iterator[Kafka]:
    """One broker for the session; topics are made by the tests."""
    broker = Kafka(session_directory / "kafka", process_owner)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process would write to stderr."""
    written, root, hook = io.StringIO(), logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    configure = structlog.configure
    monkeypatch.setattr(
        structlog, "configure", lambda **given: configure(**given | {"cache_logger_on_first_use": False})
    )
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(requests, "sys", SimpleNamespace(stderr=written))  # pytest takes sys.stderr back
    configure_logging("test")
    yield written
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.reset_defaults()
