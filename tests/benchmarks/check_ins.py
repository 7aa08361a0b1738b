"""Check-ins over HTTP: one per request, durable, 64 keep-alive clients, on the whole running stack."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Turns:
    """Ours and the comparison in turn: check-ins per second of each round, how many in all, processor seconds."""

    rounds: list[tuple[float, float]] = field(default_factory=list)
    count: int = 0
    plain_count: int = 0
    cpu_s: Counter[str] = field(default_factory=Counter)
    plain_cpu_s: float = 0.0


def in_turn(ground: Ground, workspace: str, seconds: float, turns: int) -> Turns:
    """So many turns after a warm one that does not count."""
    seen, first = Turns(), 0
    (port,) = free_ports(1)
    with ground.server("only_validates", port) as plain_pid:
        for warm in (True, *[False] * turns):
            length = min(seconds, 2) if warm else seconds
            before = ground.cpu_s()
            ours = closed(ground, [ground.address("command")], request(workspace, first), length)
            used = {name: spent - before[name] for name, spent in ground.cpu_s().items()}
            plain_before = machine.cpu_s(plain_pid)
            beside = closed(ground, [("127.0.0.1", port)], request(workspace, first), length)
            first += ours["total"] + beside["total"]
            if not warm:
                seen.cpu_s.update(used)
                seen.plain_cpu_s += machine.cpu_s(plain_pid) - plain_before
                seen.count += ours["total"]
                seen.plain_count += beside["total"]
                seen.rounds.append((ours["total"] / ours["seconds"], beside["total"] / beside["seconds"]))
    return seen


def throughput(ground: Ground) -> list[Figure]:
    """Ours and the comparison in turn, and their medians; beside them raw one-row commits and the eventsourcing package."""
    seconds, turns = (8, 5) if not ground.quick else (1, 1)
    ground.only("command", "relay", "worker", "query")
    workspace = ground.workspace("check-ins")
    turn_by_turn = in_turn(ground, workspace, seconds, turns)
    ours, beside = of_rounds(turn_by_turn.rounds)
    raw = ground.program(
        "commits_rows", {"url": ground.stack.installation.ledger, "clients": CLIENTS, "seconds": seconds / 2}
    )
    other = ground.program(
        "saves_with_eventsourcing", {"url": ground.stack.installation.ledger, "seconds": seconds / 2}
    )
    each = {name: spent / turn_by_turn.count * 1e6 for name, spent in turn_by_turn.cpu_s.items()}
    return [
        Figure(
            "check-ins over HTTP, 64 clients",
            ours,
            "1/s",
            beside,
            "FastAPI: parse, validate, 201",
            f"≥ {AIM:.2f} (first cut {FIRST_CUT:.2f})",
            ours / beside >= FIRST_CUT,
            "rounds " + " | ".join(spread(one) for one in zip(*turn_by_turn.rounds, strict=True)),
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
            turn_by_turn.plain_cpu_s / turn_by_turn.plain_count * 1e6,
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
