"""The projection, live and rebuilt, beside plain consumption of the same records and COPY of the same rows."""

from __future__ import annotations

from goal_ledger_messaging.topics import FACTS

from benchmarks import databases, relay
from benchmarks.ground import Ground, Workspace
from benchmarks.results import Figure, of_rounds, spread

LIVE_PER_S, LIVE_RATIO = 15_000, 0.2
REBUILD_PER_S, REBUILD_RATIO = 30_000, 0.4
WITHIN_S = 240
LIVE_VERSION = "SELECT name FROM public.projection_versions WHERE live ORDER BY live_since DESC LIMIT 1"


def live(ground: Ground) -> list[Figure]:
    """A backlog in Kafka, half check-ins, half readings; from the worker's first commit to its last."""
    facts, turns = ground.pick(60_000, 2_000), ground.pick(3, 1)
    rounds = [_live_round(ground, facts) for _ in range(turns)]
    return [_figure("projection, live", rounds, LIVE_PER_S, LIVE_RATIO)]


def rebuilt(ground: Ground) -> list[Figure]:
    """A new version from all that Kafka holds by now, indexes included."""
    ground.only("command")
    workspace = ground.workspace("rebuild")
    ground.only()
    half = ground.pick(60_000, 1_000)
    ground.program("seeds", {"workspace": workspace.id, "run": "p", "check_ins": half, "readings": half})
    _projected(ground, workspace, relay.publish(ground, workspace))
    ground.only("command")
    environment = "projection"
    rounds = []
    for _ in range(ground.pick(3, 1)):
        ours = ground.program("rebuilds", {}, environment)
        beside = _plain(ground, None, int(ours["records"]), late=True)
        rounds.append((float(ours["per_second"]), beside))
    return [_figure("projection, rebuild with indexes", rounds, REBUILD_PER_S, REBUILD_RATIO)]


def _live_round(ground: Ground, facts: int) -> tuple[float, float]:
    ground.only("command", "relay", "worker")
    workspace = ground.workspace("live")
    ground.only()
    job = {"workspace": workspace.id, "run": "p", "check_ins": facts // 2, "readings": facts // 2}
    ground.program("seeds", job)
    head = relay.publish(ground, workspace)
    ground.only("command")
    ours = _projected(ground, workspace, head)
    ground.only()
    return ours, _plain(ground, workspace, head, late=False)


def position(ground: Ground) -> str:
    """The statement that tells how far a workspace is folded in the live version."""
    return f"SELECT coalesce(max(next_seq) - 1, 0) FROM {schema(ground)}.positions WHERE workspace = $1"


def schema(ground: Ground) -> str:
    return str(databases.value(ground.stack.installation.read, LIVE_VERSION))


def _projected(ground: Ground, workspace: Workspace, head: int) -> float:
    """Start the worker; facts a second from its first commit seen to the last."""
    return databases.rate_to(
        ground.stack.installation.read,
        position(ground),
        workspace.id,
        goal=head,
        within_s=WITHIN_S,
        begin=lambda: ground.only("command", "worker"),
    )


def _plain(ground: Ground, workspace: Workspace | None, records: int, *, late: bool) -> float:
    job = {
        "url": ground.stack.installation.read,
        "bootstrap": ground.stack.kafka.bootstrap,
        "topic": FACTS,
        "workspace": workspace and workspace.id,
        "schema": schema(ground),
        "records": records,
        "late": late,
    }
    return float(ground.program("consumes_plainly", job)["per_second"])


def _figure(what: str, rounds: list[tuple[float, float]], per_s: int, ratio: float) -> Figure:
    ours, beside = of_rounds(rounds)
    return Figure(
        what,
        ours,
        "facts/s",
        beside,
        "plain consumption + COPY of the same rows",
        f"≥ {per_s:,}/s, ≥ {ratio}",
        ours >= per_s and ours / beside >= ratio,
        f"rounds {spread([one for one, _ in rounds])} | {spread([one for _, one in rounds])}",
    )
