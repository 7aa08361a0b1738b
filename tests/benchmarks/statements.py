"""What SQLAlchemy Core costs beside the same statement as text on asyncpg: one answer by key, one page of 500 rows.

Each is asked on one connection, one after another, in turns; statements are prepared, and Core's are compiled once and
cached. Counted is the asking process's own processor time, so what the database takes is left out, and the difference is what
Core does each time: the key of its cache, parameters, a cursor and rows of its own.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from goal_ledger_ledger.store import create_engine
from goal_ledger_ledger.tables import facts
from goal_ledger_local.processes import run_coroutine
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.ground import Ground
from benchmarks.results import Figure, of_rounds, spread

PAGE = 500
ONE = "SELECT bytes FROM facts WHERE workspace = $1 AND seq = $2"
MANY = "SELECT seq, bytes, traceparent FROM facts WHERE workspace = $1 AND seq > $2 ORDER BY seq LIMIT $3"
Ask = Callable[[], Awaitable[object]]


def core_beside_text(ground: Ground) -> list[Figure]:
    """Processor time of a statement of Core, beside asyncpg's."""
    ground.only("command")
    workspace = ground.workspace("statements")
    ground.only()
    job = {"workspace": workspace.id, "run": "s", "check_ins": PAGE, "readings": PAGE}
    ground.program("seeds", job)
    times, turns = ground.pick(2_000, 100), ground.pick(5, 1)
    url = ground.stack.installation.ledger
    one, many = run_coroutine(_measured(url, workspace.id, times, turns))
    return [_figure("one fact by its key", one), _figure(f"a page of {PAGE} facts", many)]


def _figure(what: str, rounds: list[tuple[float, float]]) -> Figure:
    core, text = of_rounds(rounds)
    told = f"rounds {spread([one for one, _ in rounds])} | {spread([one for _, one in rounds])}"
    return Figure(f"SQLAlchemy Core, {what}", core, "µs", text, "the same text on asyncpg", note=told)


async def _measured(
    url: str, workspace: str, times: int, turns: int
) -> tuple[list[tuple[float, float]], ...]:
    engine = create_engine(url, application="bench")
    try:
        async with engine.connect() as core:
            raw = (await core.get_raw_connection()).driver_connection
            assert raw is not None
            by_key = select(facts.c.bytes).where(facts.c.workspace == workspace)
            page = select(facts.c.seq, facts.c.bytes, facts.c.traceparent).where(
                facts.c.workspace == workspace
            )
            pairs: tuple[tuple[Ask, Ask], ...] = (
                (lambda: _one(core, by_key), lambda: raw.fetchval(ONE, workspace, 7)),
                (lambda: _many(core, page), lambda: raw.fetch(MANY, workspace, 0, PAGE)),
            )
            return tuple([[await _us(pair, times) for _ in range(turns)] for pair in pairs])
    finally:
        await engine.dispose()


async def _one(core: AsyncConnection, by_key: Select[Any]) -> object:
    return await core.scalar(by_key.where(facts.c.seq == 7))


async def _many(core: AsyncConnection, page: Select[Any]) -> object:
    return (await core.execute(page.where(facts.c.seq > 0).order_by(facts.c.seq).limit(PAGE))).all()


async def _us(pair: tuple[Ask, Ask], times: int) -> tuple[float, float]:
    return await _mean(pair[0], times), await _mean(pair[1], times)


async def _mean(ask: Ask, times: int) -> float:
    for _ in range(10):
        await ask()
    began = time.process_time()
    for _ in range(times):
        await ask()
    return (time.process_time() - began) / times * 1e6
