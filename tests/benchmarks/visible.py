"""From commit to visible: the whole stack at 200 check-ins a second, each followed by a query for its position."""

from __future__ import annotations

from benchmarks.check_ins import request
from benchmarks.ground import Ground
from benchmarks.results import Figure

RATE = 200
P50_MS, P99_MS = 50, 250


def own_writes(ground: Ground) -> list[Figure]:
    ground.only("command", "relay", "worker", "query")
    workspace = ground.workspace("visible")
    asked = (
        "GET /v1/key-results/result-1?wait_ms=5000 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {workspace.token}\r\n"
    )
    job = request(workspace, 0) | {
        "targets": [ground.address("command")],
        "query": ground.address("query"),
        "asked": asked,
        "rate": RATE,
    }
    ground.program("asks_for_own_writes", {**job, "seconds": ground.pick(3, 1)})
    found = ground.program("asks_for_own_writes", {**job, "first": 10**6, "seconds": ground.pick(20, 2)})
    p50, p99 = found["p50_ms"], found["p99_ms"]
    note = f"{found['count']:,} at {RATE}/s, command's answer to query's answer"
    return [
        Figure("commit to visible p50", p50, "ms", aim=f"< {P50_MS}", reached=p50 < P50_MS, note=note),
        Figure("commit to visible p99", p99, "ms", aim=f"< {P99_MS}", reached=p99 < P99_MS),
        Figure("commit to visible max", found["max_ms"], "ms"),
    ]
