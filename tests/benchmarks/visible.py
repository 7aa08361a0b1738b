"""From commit to visible: the whole stack at 200 check-ins a second over many goals, each followed by a query for it."""

from __future__ import annotations

from benchmarks.check_ins import request
from benchmarks.ground import Ground
from benchmarks.results import Figure

RATE, FEW = 200, 20
P50_MS, P99_MS = 50, 250


def own_writes(ground: Ground) -> list[Figure]:
    """At the rate that is aimed at, and at a tenth of it: the second tells the path's own length, the first what load adds."""
    ground.only("command", "relay", "worker", "query")
    workspace = ground.workspace("visible")
    objectives = ground.pick(200, 10)
    ground.program("seeds", {"workspace": workspace.id, "run": "t", "objectives": objectives})
    job = request(workspace, 0) | {
        "targets": [ground.address("command")],
        "query": ground.address("query"),
        "token": workspace.token,
        "key_results": [f"t-o{number}-k{part}" for number in range(objectives) for part in range(4)],
    }
    ground.program("asks_for_own_writes", {**job, "rate": RATE / 4, "seconds": ground.pick(8, 1)})
    few, many = (
        ground.program("asks_for_own_writes", {**job, "first": first, "rate": rate, "seconds": seconds})
        for first, rate, seconds in (
            (10**6, FEW, ground.pick(10, 1)),
            (10**7, RATE, ground.pick(20, 2)),
        )
    )
    p50, p99 = many["p50_ms"], many["p99_ms"]
    note = f"{many['count']:,} at {RATE}/s, command's answer to query's answer"
    return [
        Figure("commit to visible p50", p50, "ms", aim=f"< {P50_MS}", reached=p50 < P50_MS, note=note),
        Figure("commit to visible p99", p99, "ms", aim=f"< {P99_MS}", reached=p99 < P99_MS),
        Figure("commit to visible max", many["max_ms"], "ms"),
        Figure("the same at few, p50", few["p50_ms"], "ms", note=f"{few['count']} at {FEW}/s"),
        Figure("the same at few, p99", few["p99_ms"], "ms"),
    ]
