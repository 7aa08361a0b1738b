"""How long a whole tree takes (DESIGN 8): 5,000 objectives, 20,000 key results, with roll-ups, through the application.

    .venv/bin/python tests/projection/query/bench_tree.py [objectives]

Beside it in the same run: fetching the same rows by the same SQL, and json.dumps of the same body. A benchmark, not a
test: nothing is asserted but that there are answers. `own CPU` is this process's, without PostgreSQL's.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx2
from goal_ledger_contracts.cycle import CyclePlanned
from goal_ledger_contracts.measures import Checklist, Decrease, Increase, Measure, Step
from goal_ledger_contracts.objective import CheckInRecorded, ObjectiveActivated, ObjectiveAligned, PartValue
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import ProcessOwner
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.api.database import ReadDatabase
from goal_ledger_projection.api.desk import Desk
from goal_ledger_projection.api.words import _WORDS
from goal_ledger_projection.applying import Applier
from goal_ledger_projection.database import ReadDatabase as WorkersDatabase
from goal_ledger_projection.projections import migrate
from goal_ledger_projection.query import GARBAGE_THRESHOLDS, verifier
from goal_ledger_projection.query_settings import QuerySettings
from projection.query.story import ISSUER, START, Issuer, Story, begun, d

UNITS = 200
MEASURES: tuple[Measure, ...] = (
    Increase(d("100"), d("0")),
    Decrease(d("10"), d("90")),
    Increase(d("7"), d("0")),
    Checklist(tuple(Step(id, id) for id in "abcd")),
)

SAME_ROWS = """
SELECT body FROM definitions WHERE workspace = $1 AND kind = 'objective' AND ended_seq IS NULL
"""
SAME_VALUES = """
SELECT v.value, v.done FROM unnest($2::text[]) AS q (key_result)
CROSS JOIN LATERAL (SELECT value, done FROM value_rows WHERE workspace = $1 AND key_result = q.key_result
                    AND part = 'value' ORDER BY effective_at DESC, seq DESC LIMIT 1) v
"""


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


async def tell(story: Story, objectives: int) -> None:
    """A tree five wide, each objective with four key results, each key result with one check-in."""
    chance = random.Random(2)
    story.tell("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 12, 31)))
    for n in range(UNITS):
        story.tell(f"unit/u{n}", UnitCreated(f"U{n}", f"u{(n - 1) // 5}" if n else None))
    for i in range(objectives):
        key_results = [(f"k{i}-{n}", measure) for n, measure in enumerate(MEASURES)]
        story.goal(f"o{i}", *key_results, owner=f"unit/u{i % UNITS}", cycle="q1", active=False)
        if i:
            link = ObjectiveAligned(f"l{i}", f"objective/o{(i - 1) // 5}", "contributes")
            story.tell(f"objective/o{i}", link)
        story.tell(f"objective/o{i}", ObjectiveActivated())
    for i in range(objectives):
        for n in range(4):
            value = (
                PartValue("value", d(str(chance.randint(0, 100))))
                if n < 3
                else PartValue("value", done=("a",))
            )
            story.tell(
                f"objective/o{i}", CheckInRecorded(f"c{i}-{n}", f"k{i}-{n}", (value,), status="on_track")
            )
        if i % 500 == 499:
            await story.arrive()
    await story.arrive()


async def timed(name: str, ask: Callable[[], Awaitable[int]]) -> None:
    gc.collect()
    wall, own = time.perf_counter(), time.process_time()
    size = await ask()
    wall, own = time.perf_counter() - wall, time.process_time() - own
    print(f"{name:44} {1000 * wall:8.1f} ms   own CPU {1000 * own:7.1f} ms   {size:10,} bytes", flush=True)


async def same_rows(database: ReadDatabase, objectives: int, body: Any) -> int:
    """The rows of a tree by plain SQL, and the same body by json.dumps."""
    ids = [f"k{i}-{n}" for i in range(objectives) for n in range(4)]
    async with database.snapshot("bench") as snapshot:
        await snapshot.fetch(SAME_ROWS)
        await snapshot.fetch(SAME_VALUES, ids)
        goals = [f"o{i}" for i in range(objectives)]
        at = snapshot.recorded_at
        many = len(goals)
        await snapshot.fetch(_WORDS, goals, [START] * many, [at] * many, [10**9] * many)
    return len(json.dumps(body))


async def measure(story: Story, desk: Desk, clock: Clock, objectives: int) -> None:
    async def tree(**params: Any) -> int:
        answer = await story.get("/v1/alignment", **params)
        assert answer.status_code in (200, 304), answer.text
        return len(answer.content)

    def part_way(share: float) -> str:
        return (START + (story.recorded_at - START) * share).isoformat()

    clock.now = story.recorded_at + timedelta(minutes=1)
    await timed("tree now, nothing in memory", tree)
    await timed("tree now, cached", tree)
    etag = (await story.get("/v1/alignment")).headers["ETag"]
    await timed("tree now, 304", lambda: tree(headers={"If-None-Match": etag}))
    clock.now += timedelta(seconds=20)
    await timed("tree now, 20 seconds later", tree)
    for value in ("55", "56"):
        story.check_in("o7", "k7-0", value)
        await story.arrive()
        clock.now = story.recorded_at + timedelta(seconds=20)
        await timed("tree now, after one more fact", tree)
    await timed("tree as of then (definitions to be read)", lambda: tree(as_of=part_way(0.9)))
    await timed("tree as of another time", lambda: tree(as_of=part_way(0.95)))
    body = json.loads((await story.get("/v1/alignment")).content)
    await timed(
        "beside it: same rows by SQL + json.dumps", lambda: same_rows(desk.database, objectives, body)
    )
    for name, share in (("one goal now", 1.0), ("one goal at a past moment", 0.97)):
        took = []
        for _ in range(200):
            id, begin = random.randrange(objectives), time.perf_counter()
            await story.get(f"/v1/objectives/o{id}", as_of=part_way(share))
            took.append(time.perf_counter() - begin)
        took.sort()
        print(f"{name:44} p50 {1000 * took[100]:.1f} ms, p99 {1000 * took[197]:.1f} ms")


async def main(postgres: Postgres, directory: Path, objectives: int) -> None:
    url = await postgres.create("bench")
    await migrate(url)
    keys = directory / "jwks.json"
    issuer = Issuer.at(keys)
    settings = QuerySettings(
        read_database_url=url, token_keys_file=keys, token_issuer=ISSUER, allow_unsafe_durability=True
    )
    workers, database, clock = await WorkersDatabase.open(url), ReadDatabase(settings), Clock(START)
    await database.start()
    desk = Desk(settings, database, verifier(settings), clock)
    app = query_app(desk, new_registry("query"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://query") as client:
        story = begun(Story("bench", Applier(workers, 100_000), client, issuer))
        await tell(story, objectives)
        print(f"{objectives:,} objectives, {4 * objectives:,} key results, {len(story.facts):,} facts")
        await measure(story, desk, clock, objectives)
    await desk.close()
    await database.close()
    await workers.close()


if __name__ == "__main__":
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    with ProcessOwner() as owner, tempfile.TemporaryDirectory(prefix="bench-tree-") as made:
        where = Path(made)
        where.chmod(0o755)
        server = Postgres(where / "postgres", owner, durable=False)
        server.start()
        asyncio.run(main(server, where, int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
        server.stop()
