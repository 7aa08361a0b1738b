"""The relay draining a backlog of one workspace, beside a plain reader and producer of the same rows."""

from __future__ import annotations

from benchmarks import databases
from benchmarks.ground import Ground, Workspace
from benchmarks.results import Figure, of_rounds, spread

AIM_PER_S, AIM_RATIO = 25_000, 0.5
WITHIN_S = 240
PUBLISHED = "SELECT coalesce(max(seq), 0) FROM published WHERE workspace = $1"
HEAD = "SELECT seq FROM heads WHERE workspace = $1"
AGAIN = "UPDATE published SET seq = 0 WHERE workspace = $1"


def drain(ground: Ground) -> list[Figure]:
    """The same facts again and again: the mark is set back, the topic simply holds them once more."""
    facts, turns = ground.pick(100_000, 4_000), ground.pick(3, 1)
    ground.only("command")
    workspace = ground.workspace("relay")
    ground.only()
    ground.program(
        "seeds",
        {"workspace": workspace.id, "run": "r", "check_ins": facts // 2, "readings": facts // 2},
    )
    _relayed(ground, workspace)
    rounds = [_round(ground, workspace, turn) for turn in range(turns)]
    ours, beside = of_rounds(rounds)
    return [
        Figure(
            "relay, draining a backlog",
            ours,
            "facts/s",
            beside,
            "fetch of the same rows + plain idempotent producer, same keys and headers",
            f"≥ {AIM_PER_S:,}/s, ≥ {AIM_RATIO}",
            ours >= AIM_PER_S and ours / beside >= AIM_RATIO,
            f"rounds {spread([one for one, _ in rounds])} | {spread([one for _, one in rounds])}",
        )
    ]


def _round(ground: Ground, workspace: Workspace, turn: int) -> tuple[float, float]:
    url = ground.stack.installation.ledger
    ground.only()
    databases.value(url, AGAIN, workspace.id)
    ours = _relayed(ground, workspace)
    ground.only()
    job = {"url": url, "bootstrap": ground.stack.kafka.bootstrap, "workspace": workspace.id}
    beside = ground.program("publishes_plainly", {**job, "topic": f"bench.relay.{turn}"})
    return ours, float(beside["per_second"])


def _relayed(ground: Ground, workspace: Workspace) -> float:
    """Facts a second from the first acknowledged page to the last."""
    url = ground.stack.installation.ledger
    head = databases.value(url, HEAD, workspace.id)
    return databases.rate_to(
        url, PUBLISHED, workspace.id, goal=head, within_s=WITHIN_S, begin=lambda: ground.only("relay")
    )


def publish(ground: Ground, workspace: Workspace) -> int:
    """See that Kafka holds all of a workspace; its head."""
    url = ground.stack.installation.ledger
    head: int = databases.value(url, HEAD, workspace.id)
    ground.only("relay")
    ground.wait(lambda: databases.value(url, PUBLISHED, workspace.id) >= head, WITHIN_S, 0.2)
    return head
