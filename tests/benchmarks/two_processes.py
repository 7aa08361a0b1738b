"""Two command processes hammering one workspace, beside the same load on one; Kafka, PostgreSQL and relay run."""

from __future__ import annotations

from statistics import median

from benchmarks.check_ins import closed, request
from benchmarks.ground import Ground
from benchmarks.results import Figure, spread

TOTAL, SHARE, LONGEST_MS = 0.6, 0.25, 1000


def together(ground: Ground) -> list[Figure]:
    seconds, turns = ground.pick(6, 1), ground.pick(3, 1)
    ground.only("command", "command-2", "relay")
    workspace = ground.workspace("two")
    one, both = [ground.address("command")], [ground.address("command"), ground.address("command-2")]
    closed(ground, both, request(workspace, 0), 1)
    rounds, shares, longest = [], [], []
    for turn in range(turns):
        alone = closed(ground, one, request(workspace, (3 * turn + 1) * 10**6), seconds)
        shared = closed(ground, both, request(workspace, (3 * turn + 2) * 10**6), seconds)
        rounds.append((shared["total"] / shared["seconds"], alone["total"] / alone["seconds"]))
        counts = [answers["201"] for answers in shared["answers"]]
        shares.append(min(counts) / sum(counts))
        longest.append(shared["max_ms"])
    ours, beside = median([one for one, _ in rounds]), median([one for _, one in rounds])
    share, longest_ms = min(shares), max(longest)
    return [
        Figure(
            "two command processes, one workspace",
            ours,
            "1/s",
            beside,
            "the same load on one process",
            f"≥ {TOTAL}",
            ours / beside >= TOTAL,
            f"rounds {spread([one for one, _ in rounds])} | {spread([one for _, one in rounds])}",
        ),
        Figure("the smaller share", share, "of all", aim=f"≥ {SHARE}", reached=share >= SHARE),
        Figure(
            "the longest command", longest_ms, "ms", aim=f"< {LONGEST_MS}", reached=longest_ms < LONGEST_MS
        ),
    ]
