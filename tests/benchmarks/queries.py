"""The query process on one large workspace: the whole tree with its roll-ups, and one goal at past moments."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import quote

from benchmarks import databases, projection, relay
from benchmarks.ground import Ground, Workspace
from benchmarks.results import Figure, quantile

NOW_MS, KEPT_MS, AS_OF_MS, TIMES_BESIDE = 200, 15, 600, 3
ONE_GOAL_P99_MS = 5
WITHIN_S = 180
TREE = "/v1/alignment"
DAYS = 60


@dataclass(slots=True)
class Asker:
    """One keep-alive connection to the query process."""

    token: str
    connection: http.client.HTTPConnection

    @classmethod
    def of(cls, ground: Ground, workspace: Workspace) -> Asker:
        host, port = ground.address("query")
        return cls(workspace.token, http.client.HTTPConnection(host, port, timeout=120))

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[float, int, bytes, str | None]:
        """Milliseconds, status, body, ETag. Raises RuntimeError on 4xx and 5xx."""
        began = time.perf_counter()
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        self.connection.request("GET", path, headers=sent)
        response = self.connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - began) * 1e3
        if response.status >= 400:
            raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")
        return took_ms, response.status, body, response.headers["ETag"]


def tree_and_goal(ground: Ground) -> list[Figure]:
    objectives = ground.pick(5_000, 100)
    workspace = filled(ground, {"objectives": objectives})
    asker = Asker.of(ground, workspace)
    cold_ms, _, body, _ = asker.ask(TREE)
    moved = median([_after_a_check_in(ground, workspace, asker, number) for number in range(7)])
    _, _, body, etag = asker.ask(TREE)
    kept = median([asker.ask(TREE)[0] for _ in range(9)])
    unchanged = _unchanged(asker, etag)
    past = median([asker.ask(f"{TREE}?as_of={quote(one)}")[0] for one in moments(5)])
    one_goal = _one_goal(asker, objectives, ground.pick(600, 30))
    beside = _beside(ground, workspace, body)
    size = f"{objectives:,} objectives, {4 * objectives:,} key results, {len(body) / 1e6:.1f} MB"
    sql = "SQL of the same rows + json.dumps of the same body; ratio at most 3"
    return [
        Figure("whole tree, first time in a process", cold_ms, "ms", beside, sql, note=size),
        _time("whole tree, now (after each check-in)", moved, NOW_MS, beside, sql),
        _time("whole tree, from cache", kept, KEPT_MS),
        _time("whole tree, 304", unchanged, KEPT_MS),
        _time("whole tree, as of a past moment", past, AS_OF_MS, beside, sql),
        Figure("one goal at a past moment, p50", quantile(one_goal, 0.5), "ms"),
        _time("one goal at a past moment, p99", quantile(one_goal, 0.99), ONE_GOAL_P99_MS),
    ]


def filled(ground: Ground, goals: Mapping[str, Any]) -> Workspace:
    """A workspace with these goals (`programs.seeds`), projected, and a query process that has not seen it."""
    ground.only("command")
    workspace = ground.workspace("tree")
    ground.only()
    ground.program("seeds", {"workspace": workspace.id, "run": "t", **goals})
    head = relay.publish(ground, workspace)
    ground.only("command", "relay", "worker")
    statement = projection.position(ground)
    ground.wait(lambda: _position(ground, statement, workspace) >= head, WITHIN_S, 0.2)
    ground.only("command", "relay", "worker", "query")
    return workspace


def _position(ground: Ground, statement: str, workspace: Workspace) -> int:
    return int(databases.value(ground.stack.installation.read, statement, workspace.id))


def _after_a_check_in(ground: Ground, workspace: Workspace, asker: Asker, number: int) -> float:
    """The tree at a position that no cache has seen. The wait for the position is not counted."""
    with ground.client(workspace.token) as admin:
        body = {"values": [{"part": "value", "value": str(number)}]}
        answer = admin.command(f"/v1/key-results/t-o{number}-k0/check-ins", body)
    asker.ask("/v1/key-results/result-1?wait_ms=5000", {"Goal-Ledger-Position": answer.position})
    return asker.ask(TREE)[0]


def _unchanged(asker: Asker, etag: str | None) -> float:
    """Of those that were answered 304: "now" moves on every ten seconds, and is then another body."""
    found = [asker.ask(TREE, {"If-None-Match": etag or ""}) for _ in range(9)]
    return median([took_ms for took_ms, status, _, _ in found if status == 304] or [found[0][0]])


def moments(count: int) -> list[str]:
    """In the past, at random, from the first check-ins till yesterday, always the same ones."""
    chosen = random.Random(8)
    now = datetime.now(UTC).replace(microsecond=0)
    return [
        (now - timedelta(seconds=chosen.randrange(86_400, (DAYS - 2) * 86_400))).isoformat()
        for _ in range(count)
    ]


def _one_goal(asker: Asker, objectives: int, count: int) -> list[float]:
    chosen = random.Random(9)
    paths = [
        f"/v1/objectives/t-o{chosen.randrange(objectives)}?as_of={quote(one)}" for one in moments(count + 20)
    ]
    return sorted([asker.ask(path)[0] for path in paths][20:])


def _beside(ground: Ground, workspace: Workspace, body: bytes) -> float:
    kept = ground.directory / "tree.json"
    kept.write_bytes(body)
    job = {
        "url": ground.stack.installation.read,
        "schema": projection.schema(ground),
        "workspace": workspace.id,
        "body": str(kept),
    }
    return float(ground.program("sums_rows", job)["ms"])


def _time(what: str, ours: float, aim_ms: float, beside: float | None = None, sql: str = "") -> Figure:
    reached = ours < aim_ms and (beside is None or ours <= TIMES_BESIDE * beside)
    return Figure(what, ours, "ms", beside, sql, f"< {aim_ms}", reached)
