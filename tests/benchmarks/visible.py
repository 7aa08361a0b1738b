"""From commit to visible: the whole stack at 200 check-ins a second over many goals, each followed by a query for it."""

from __future__ import annotations

from benchmarks.check_ins import request
from benchmarks.ground import Ground
from benchmarks.results import Figure

RATE = 200
P50_MS, P99_MS = 50, 250


def own_writes(ground: Ground) -> list[Figure]:
    ground.only("command", "relay", "worker", "query")
    workspace = ground.workspace("visible")
    objectives = ground.pick(200, 10)
    ground.program("seeds", {"workspace": workspace.id, "run": "t", "objectives": objectives})
    job = request(workspace, 0) | {
        "targets": [ground.address("command")],
        "query": ground.address("query"),
        "token": workspace.token,
        "key_results": [f"t-o{number}-k{part}" for number in range(objectives) for part in range(4)],
        "rate": RATE,
    }
    ground.program("asks_for_own_writes", {**job, "rate": RATE / 4, "seconds": ground.pick(8, 1)})
    found = ground.program("asks_for_own_writes", {**job, "first": 10**6, "seconds": ground.pick(20, 2)})
    p50, p99 = found["p50_ms"], found["p99_ms"]
    note = f"{found['count']:,} at {RATE}/s, command's answer to query's answer"
    return [
        Figure("commit to visible p50", p50, "ms", aim=f"< {P50_MS}", reached=p50 < P50_MS, note=note),
        Figure("commit to visible p99", p99, "ms", aim=f"< {P99_MS}", reached=p99 < P99_MS),
        Figure("commit to visible max", found["max_ms"], "ms"),
    ]
