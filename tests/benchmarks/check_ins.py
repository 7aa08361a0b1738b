"""Check-ins over HTTP: one per request, durable, 64 keep-alive clients, on the whole running stack."""

from __future__ import annotations

from collections import Counter
from typing import Any

from goal_ledger_local.ports import free_ports

from benchmarks import machine
from benchmarks.ground import Ground, Workspace
from benchmarks.results import Figure, of_rounds, spread

CLIENTS = 64
AIM, FIRST_CUT = 0.40, 0.25
TIMES_EVENTSOURCING = 4
LATENCY_RATE = 500
P50_MS, P99_MS = 10, 40


def request(workspace: Workspace, first: int) -> dict[str, Any]:
    """The load's request: a check-in as people send it, with a note; its id is the client's."""
    return {
        "head": "POST /v1/key-results/result-1/check-ins HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {workspace.token}\r\nContent-Type: application/json\r\n",
        "before": '{"id":"c-',
        "after": '","values":[{"part":"value","value":"41.5"}],"confidence":"0.7","status":"on_track",'
        '"note":"All is well, the shop opens soon"}',
        "first": first,
    }


def closed(
    ground: Ground, parts: list[tuple[str, int]], job: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """One run of the load in a closed loop; every answer must be a 201."""
    result = ground.program("load", {**job, "targets": parts, "connections": CLIENTS, "seconds": seconds})
    for answers in result["answers"]:
        if set(answers) != {"201"}:
            raise RuntimeError(f"answers other than 201: {answers} {result['refused']}")
    return result


def throughput(ground: Ground) -> list[Figure]:
    """Ours and the comparison in turn, and their medians; beside them raw one-row commits and the eventsourcing package."""
    seconds, turns = (8, 5) if not ground.quick else (1, 1)
    ground.only("command", "relay", "worker", "query")
    workspace = ground.workspace("check-ins")
    rounds: list[tuple[float, float]] = []
    first, count, plain_count = 0, 0, 0
    cpu, plain_cpu_s = Counter[str](), 0.0
    (port,) = free_ports(1)
    with ground.server("only_validates", port) as plain_pid:
        for warm in (True, *[False] * turns):
            length = min(seconds, 2) if warm else seconds
            before = ground.cpu_s()
            ours = closed(ground, [ground.address("command")], request(workspace, first), length)
            used = {name: seconds - before[name] for name, seconds in ground.cpu_s().items()}
            plain_before = machine.cpu_s(plain_pid)
            beside = closed(ground, [("127.0.0.1", port)], request(workspace, first), length)
            first += ours["total"] + beside["total"]
            if not warm:
                cpu.update(used)
                plain_cpu_s += machine.cpu_s(plain_pid) - plain_before
                count, plain_count = count + ours["total"], plain_count + beside["total"]
                rounds.append((ours["total"] / ours["seconds"], beside["total"] / beside["seconds"]))
    ours, beside = of_rounds(rounds)
    raw = ground.program(
        "commits_rows", {"url": ground.stack.installation.ledger, "clients": CLIENTS, "seconds": seconds / 2}
    )
    other = ground.program(
        "saves_with_eventsourcing", {"url": ground.stack.installation.ledger, "seconds": seconds / 2}
    )
    each = {name: seconds / count * 1e6 for name, seconds in cpu.items()}
    return [
        Figure(
            "check-ins over HTTP, 64 clients",
            ours,
            "1/s",
            beside,
            "FastAPI: parse, validate, 201",
            f"≥ {AIM:.2f} (first cut {FIRST_CUT:.2f})",
            ours / beside >= FIRST_CUT,
            f"rounds {spread([one for one, _ in rounds])} | {spread([one for _, one in rounds])}",
        ),
        Figure(
            "the same",
            ours,
            "1/s",
            raw["per_second"],
            "raw one-row commits, 64 connections' worth of tasks on 20 connections",
        ),
        Figure(
            "the same",
            ours,
            "1/s",
            other["per_second"],
            "the eventsourcing package: load, decide, save in process",
            f"≥ {TIMES_EVENTSOURCING}",
            ours / other["per_second"] >= TIMES_EVENTSOURCING,
        ),
        Figure(
            "processor time per check-in, all parts",
            sum(each.values()),
            "µs",
            plain_cpu_s / plain_count * 1e6,
            "that of the FastAPI route",
            note=", ".join(f"{name} {spent:.0f}" for name, spent in each.items()),
        ),
    ]


def latency(ground: Ground) -> list[Figure]:
    """Open loop, counted from the planned send time."""
    seconds = ground.pick(20, 2)
    ground.only("command", "relay", "worker", "query")
    workspace = ground.workspace("latency")
    job = request(workspace, 0) | {"targets": [ground.address("command")], "connections": CLIENTS}
    ground.program("load", {**job, "seconds": min(seconds, 3), "rate": LATENCY_RATE})
    found = ground.program("load", {**job, "first": 10**6, "seconds": seconds, "rate": LATENCY_RATE})
    note = f"open loop, {found['total']:,} check-ins at {LATENCY_RATE}/s, from the planned send time"
    return [
        Figure(
            "latency p50",
            found["p50_ms"],
            "ms",
            aim=f"< {P50_MS}",
            reached=found["p50_ms"] < P50_MS,
            note=note,
        ),
        Figure("latency p99", found["p99_ms"], "ms", aim=f"< {P99_MS}", reached=found["p99_ms"] < P99_MS),
        Figure("latency max", found["max_ms"], "ms"),
    ]
