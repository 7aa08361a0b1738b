"""The benchmarks by name, in the order of DESIGN 8."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import (
    analysis,
    changed,
    check_ins,
    growth,
    projection,
    queries,
    readings,
    relay,
    statements,
    two_processes,
    verifying,
    visible,
)
from benchmarks.ground import Ground
from benchmarks.results import Figure

ROWS: dict[str, Callable[[Ground], list[Figure]]] = {
    "check-ins": check_ins.throughput,
    "latency": check_ins.latency,
    "readings": readings.bulk,
    "relay": relay.drain,
    "projection": projection.live,
    "rebuild": projection.rebuilt,
    "visible": visible.own_writes,
    "changed": changed.told,
    "two-processes": two_processes.together,
    "queries": queries.tree_and_goal,
    "analysis": analysis.questions,
    "verify": verifying.offline,
    "cold": growth.cold,
    "memory": growth.memory,
    "statements": statements.core_beside_text,
}
