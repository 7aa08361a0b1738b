"""Readings in bulk: HTTP batches and the Kafka inbox, on the command process alone (kafka, postgres), each beside
json.loads + COPY of the same rows into the same tables."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks import databases, machine
from benchmarks.ground import Ground, Workspace
from benchmarks.results import Figure, of_rounds, spread

AIM_PER_S, AIM_RATIO = 12_000, 0.35
BATCH, CONNECTIONS = 2_000, 2
WITHIN_S = 240
INBOX = "SELECT coalesce(sum(next_offset), 0) FROM inbox_positions WHERE topic = $1"


@dataclass(frozen=True, slots=True)
class Round:
    """Readings a second of ours and of the comparison, and what ours took of the processors: µs a reading."""

    ours: float
    beside: float
    cpu_us: dict[str, float]


def bulk(ground: Ground) -> list[Figure]:
    readings, turns = ground.pick(40_000, 2_000), ground.pick(3, 1)
    ground.only("command", "relay")
    workspace = ground.workspace("readings")
    ground.wait(lambda: _has_inbox(ground, workspace), 60)
    ground.only("command")
    post(ground, workspace, "warm", ground.pick(10_000, 1_000))
    http = [_http_round(ground, workspace, f"h{turn}", readings) for turn in range(turns)]
    inbox = [_inbox_round(ground, workspace, f"k{turn}", readings) for turn in range(turns)]
    return [
        *_figures("readings, HTTP batches of 2,000", http),
        *_figures("readings, Kafka inbox", inbox),
    ]


def post(ground: Ground, workspace: Workspace, run: str, readings: int) -> float:
    """Readings a second over HTTP."""
    job = {
        "target": ground.address("command"),
        "key": workspace.emitter_key,
        "run": run,
        "readings": readings,
        "batch": BATCH,
        "connections": CONNECTIONS,
    }
    return float(ground.program("posts_readings", job)["per_second"])


def _http_round(ground: Ground, workspace: Workspace, run: str, readings: int) -> Round:
    used_us = _meter(ground, readings)
    ours = post(ground, workspace, run, readings)
    cpu_us = used_us()
    return Round(ours, _copied(ground, workspace, run, readings), cpu_us)


def _inbox_round(ground: Ground, workspace: Workspace, run: str, readings: int) -> Round:
    """A backlog in the inbox, then the command process is started: from its first batch recorded to the last."""
    url = ground.stack.installation.ledger
    ground.only()
    job = {
        "bootstrap": ground.stack.kafka.bootstrap,
        "topic": workspace.inbox,
        "run": run,
        "readings": readings,
    }
    ground.program("emits_readings", job)
    goal = (databases.value(url, INBOX, workspace.inbox) or 0) + readings
    meters = []

    def begin() -> None:
        ground.only("command")
        meters.append(_meter(ground, readings))

    ours = databases.rate_to(url, INBOX, workspace.inbox, goal=goal, within_s=WITHIN_S, begin=begin)
    cpu_us = meters[0]()
    return Round(ours, _copied(ground, workspace, run, readings), cpu_us)


def _meter(ground: Ground, readings: int) -> Callable[[], dict[str, float]]:
    """From now on: the processor time of the command process and of PostgreSQL for each of so many readings."""
    pids = {"command": ground.stack.services["command"].pid, "postgres": ground.stack.postgres.pid}
    before = {name: machine.cpu_s(pid) for name, pid in pids.items() if pid is not None}

    def used_us() -> dict[str, float]:
        return {name: (machine.cpu_s(pids[name]) - spent) / readings * 1e6 for name, spent in before.items()}

    return used_us


def _copied(ground: Ground, workspace: Workspace, run: str, readings: int) -> float:
    job = {
        "url": ground.stack.installation.ledger,
        "workspace": workspace.id,
        "run": run,
        "readings": readings,
    }
    return float(ground.program("copies_readings", job)["per_second"])


def _has_inbox(ground: Ground, workspace: Workspace) -> bool:
    """Whether the relay has made the system's topics."""
    time.sleep(0.2)
    statement = "SELECT count(*) FROM emitters WHERE workspace = $1"
    return bool(databases.value(ground.stack.installation.ledger, statement, workspace.id))


def _figures(what: str, rounds: list[Round]) -> list[Figure]:
    ours, beside = of_rounds([(one.ours, one.beside) for one in rounds])
    speed = Figure(
        what,
        ours,
        "1/s",
        beside,
        "json.loads + COPY of the same rows, 500 to a commit",
        f"≥ {AIM_PER_S:,}/s, ≥ {AIM_RATIO}",
        ours >= AIM_PER_S and ours / beside >= AIM_RATIO,
        f"rounds {spread([one.ours for one in rounds])} | {spread([one.beside for one in rounds])}",
    )
    each = {name: median([one.cpu_us[name] for one in rounds]) for name in rounds[0].cpu_us}
    note = ", ".join(f"{name} {spent:.0f}" for name, spent in each.items())
    return [speed, Figure("processor time of each", sum(each.values()), "µs", note=note)]
