"""The `eventsourcing` package, in process: load a key result, decide a check-in on it, save; over and over.

Each of many aggregates stays short, so that loading one costs little; no HTTP, no queue, no other reader beside it.
Job: ``url`` of a database, ``seconds``. Result: ``per_second``.
"""

from __future__ import annotations

import os
import time
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.programs.job import run

KEY_RESULTS = 500
SCHEMA = "bench_eventsourcing"


class KeyResult(Aggregate):
    """With an increase measure; what a check-in is refused for is decided by its state."""

    @event("Defined")
    def __init__(self, baseline: Decimal, target: Decimal) -> None:
        self.baseline = baseline
        self.target = target
        self.closed = False
        self.value = baseline

    def check_in(self, value: Decimal, confidence: Decimal, status: str, note: str) -> None:
        if self.closed:
            raise ValueError("The goal is closed.")
        self._recorded(value, confidence, status, note)

    @event("CheckInRecorded")
    def _recorded(self, value: Decimal, confidence: Decimal, status: str, note: str) -> None:
        self.value = value


def work(job: dict[str, Any]) -> dict[str, Any]:
    with psycopg.connect(job["url"], autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        try:
            return {"per_second": _per_second(Application[Any](env=_settings(job["url"])), job["seconds"])}
        finally:
            connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _per_second(goals: Application[Any], seconds: float) -> float:
    results = [KeyResult(Decimal(0), Decimal(1_000_000)) for _ in range(KEY_RESULTS)]
    for start in range(0, KEY_RESULTS, 50):
        goals.save(*results[start : start + 50])
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        result: KeyResult = goals.repository.get(results[done % KEY_RESULTS].id)
        result.check_in(Decimal("41.5"), Decimal("0.7"), "on_track", "All is well, the shop opens soon")
        goals.save(result)
        done += 1
    took_s = time.perf_counter() - began
    goals.close()
    return done / took_s


def _settings(url: str) -> dict[str, str]:
    server = urlsplit(url)
    return {
        **os.environ,
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_SCHEMA": SCHEMA,
        "POSTGRES_DBNAME": server.path.removeprefix("/"),
        "POSTGRES_HOST": server.hostname or "127.0.0.1",
        "POSTGRES_PORT": str(server.port or 5432),
        "POSTGRES_USER": unquote(server.username or "postgres"),
        "POSTGRES_PASSWORD": unquote(server.password or ""),
    }


if __name__ == "__main__":
    run(work)
