"""Offline verification of a log of check-ins and readings, beside the least that anybody would do with each line.

Job: ``facts``, ``streams``, ``rounds``, ``directory``. Result: facts a second of each round: ``plain`` (json.loads, json.dumps, SHA-256),
``one`` and ``two`` processes; ``most_mb``: the most memory that the verifier had, the log's ``bytes`` a fact.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from goal_ledger_contracts.envelope import CommandMark, Fact, leaf_hash, to_bytes
from goal_ledger_contracts.feed import ReadingRecorded
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.objective import CheckInRecorded, PartValue
from goal_ledger_verifier.findings import Findings
from goal_ledger_verifier.log import check_log
from goal_ledger_verifier.log_files import JsonLines

from benchmarks.machine import most_mb
from benchmarks.programs.job import run

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
MARK = CommandMark("a" * 64, "b" * 64)


def work(job: dict[str, Any]) -> dict[str, Any]:
    path = Path(job["directory"]) / f"verified-{os.getpid()}.jsonl"
    try:
        write(path, job["facts"], job["streams"])
        turns: dict[str, Callable[[], None]] = {
            "one": lambda: _verify(path, 1),
            "plain": lambda: _plain(path),
            "two": lambda: _verify(path, 2),
        }
        found: dict[str, Any] = {name: [] for name in turns}
        for _ in range(job["rounds"]):
            for name, turn in turns.items():
                began = time.perf_counter()
                turn()
                found[name].append(job["facts"] / (time.perf_counter() - began))
        return {**found, "most_mb": most_mb(), "bytes": path.stat().st_size / job["facts"]}
    finally:
        path.unlink(missing_ok=True)


def write(path: Path, facts: int, streams: int) -> None:
    """A log of so many facts, half of them check-ins, in so many streams."""
    ends: dict[str, tuple[int, str | None]] = {}
    with path.open("wb") as file:
        for seq in range(1, facts + 1):
            kind, data = ("objective", _word(seq)) if seq % 2 else ("feed", _reading(seq))
            stream = f"{kind}/number-{seq % streams}"
            version, previous = ends.get(stream, (0, None))
            stored = to_bytes(_fact(seq, stream, version + 1, data, previous))
            ends[stream] = version + 1, leaf_hash(stored).hex()
            file.write(stored + b"\n")


def _fact(seq: int, stream: str, version: int, data: Any, previous: str | None) -> Fact:
    at, id = BEGUN + timedelta(seconds=seq // 100), uuid7()
    return Fact(id, "bench", seq, stream, version, data, at, at, "person/ada", id, id, previous, command=MARK)


def _word(seq: int) -> CheckInRecorded:
    return CheckInRecorded(f"ci-{seq}", f"kr-{seq % 50}", (PartValue("value", Decimal(seq)),), Decimal("0.7"))


def _reading(seq: int) -> ReadingRecorded:
    return ReadingRecorded(
        "https://shop.example", f"sale-{seq}", BEGUN, Decimal(seq % 100), "increment", "sales"
    )


def _verify(path: Path, processes: int) -> None:
    findings = Findings()
    log = check_log(JsonLines(path), findings, (), (), processes)
    if findings.count or not log.facts:
        raise RuntimeError(f"a clean log is accused: {findings.kept[:1]}")


def _plain(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            json.dumps(json.loads(line))
            sha256(line).digest()


if __name__ == "__main__":
    run(work)
