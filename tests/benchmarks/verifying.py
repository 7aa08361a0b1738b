"""Offline verification: facts a second of one process and of two, beside reading, writing and hashing the same lines."""

from __future__ import annotations

from benchmarks.ground import Ground
from benchmarks.results import Figure, of_rounds, spread

AIM_PER_S, AIM_RATIO, AIM_TWO = 60_000, 0.6, 1.7
MEMORY_MB = 300


def offline(ground: Ground) -> list[Figure]:
    """No server runs."""
    ground.only()
    facts = ground.pick(200_000, 10_000, 5_000_000)
    job = {"facts": facts, "streams": ground.pick(5_000, 100), "rounds": ground.pick(3, 1, 1)}
    found = ground.program("verifies", {**job, "directory": str(ground.directory)})
    ours, beside = of_rounds(list(zip(found["one"], found["plain"], strict=True)))
    two, one = of_rounds(list(zip(found["two"], found["one"], strict=True)))
    return [
        Figure(
            "offline verification, one process",
            ours,
            "facts/s",
            beside,
            "json.loads + json.dumps + SHA-256 over the same lines",
            f"≥ {AIM_PER_S:,}/s, ≥ {AIM_RATIO}",
            ours >= AIM_PER_S and ours / beside >= AIM_RATIO,
            f"{found['bytes']:.0f} bytes a fact; rounds {spread(found['one'])} | {spread(found['plain'])}",
        ),
        Figure(
            "offline verification, two processes",
            two,
            "facts/s",
            one,
            "one process",
            f"≥ {AIM_TWO}",
            two / one >= AIM_TWO,
            f"rounds {spread(found['two'])}",
        ),
        Figure(
            "offline verification, most memory",
            found["most_mb"],
            "MB",
            aim=f"≤ {MEMORY_MB}",
            reached=found["most_mb"] <= MEMORY_MB,
            note=f"{facts:,} facts",
        ),
    ]
