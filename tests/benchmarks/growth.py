"""What facts cost in the long run: loading a cold workspace, and the memory of each process."""

from __future__ import annotations

from benchmarks import databases, machine, projection, readings, relay
from benchmarks.ground import Ground, Workspace
from benchmarks.results import Figure

FOLD_PER_S, SNAPSHOT_S = 50_000, 2.0
GROWTH_MB = 60
WITHIN_S = 300
PARTS = ("command", "relay", "worker", "query")


def cold(ground: Ground) -> list[Figure]:
    """A workspace with a fifth of its facts in definitions, loaded by a process that has never seen it."""
    objectives, words = ground.pick(2_000, 20), ground.pick(39_000, 500)
    ground.only("command")
    workspace = ground.workspace("cold")
    ground.only()
    job = {"workspace": workspace.id, "run": "t", "objectives": objectives}
    ground.program("seeds", {**job, "check_ins": words, "readings": words})
    url = ground.stack.installation.ledger
    found = ground.program("folds", {"workspace": workspace.id, "url": url})
    per_s, snapshot_s = found["per_second"], found["snapshot_s"]
    note = f"{found['facts']:,} facts"
    return [
        Figure(
            "cold workspace, folded without a snapshot",
            per_s,
            "facts/s",
            aim=f"≥ {FOLD_PER_S:,}",
            reached=per_s >= FOLD_PER_S,
            note=note,
        ),
        Figure(
            "cold workspace, with its snapshot",
            snapshot_s,
            "s",
            aim=f"≤ {SNAPSHOT_S}",
            reached=snapshot_s <= SNAPSHOT_S,
            note=note,
        ),
    ]


def memory(ground: Ground) -> list[Figure]:
    """Resident memory of each process after so many readings through all of them, and what it grew from there."""
    few, many = ground.pick(10_000, 1_000), ground.pick(200_000, 3_000)
    ground.only()
    ground.only(*PARTS)
    workspace = ground.workspace("memory")
    readings.post(ground, workspace, "few", few)
    before = _settled(ground, workspace)
    readings.post(ground, workspace, "many", many - few)
    after = _settled(ground, workspace)
    return [
        Figure(
            f"memory of {part}: growth",
            after[part] - before[part],
            "MB",
            aim=f"< {GROWTH_MB}",
            reached=after[part] - before[part] < GROWTH_MB,
            note=f"{before[part]:.0f} MB after {few:,} facts, {after[part]:.0f} MB after {many:,}",
        )
        for part in PARTS
    ]


def _settled(ground: Ground, workspace: Workspace) -> dict[str, float]:
    """Resident memory when the facts have come through all parts and each was asked once."""
    installation = ground.stack.installation
    head = databases.value(installation.ledger, relay.HEAD, workspace.id)
    statement = projection.position(ground)
    ground.wait(lambda: databases.value(installation.read, statement, workspace.id) >= head, WITHIN_S, 0.5)
    with ground.client(workspace.token) as admin:
        admin.query("/v1/objectives/goal")
        admin.query("/v1/alignment")
    pids = {part: ground.stack.services[part].pid for part in PARTS}
    return {part: machine.resident_mb(pid) for part, pid in pids.items() if pid is not None}
