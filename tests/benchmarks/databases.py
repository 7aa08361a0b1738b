"""One question to a database of the stack, asked from blocking code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import asyncpg
from goal_ledger_local.processes import run_coroutine

PROGRESS_EVERY_S = 0.02


def value(url: str, statement: str, *arguments: Any) -> Any:
    """The first column of the first row; None without one."""

    async def ask() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    return run_coroutine(ask())


def rate_to(
    url: str, statement: str, *arguments: Any, goal: int, within_s: float, begin: Callable[[], None]
) -> float:
    """How fast the statement's number grows: (goal - first) / (time of goal - time of first).

    ``begin`` is called when the first look (the number before) was taken; the clock starts at the first number seen
    beyond that one, so that the start of a process does not count (unless that one is the goal). Raises TimeoutError.
    """

    async def watch() -> float:
        connection = await asyncpg.connect(url)
        try:
            before = int(await connection.fetchval(statement, *arguments) or 0)
            began = time.perf_counter()
            starting = asyncio.create_task(asyncio.to_thread(begin))
            first, first_at = before, 0.0
            until = time.monotonic() + within_s
            while time.monotonic() < until:
                number = int(await connection.fetchval(statement, *arguments) or 0)
                now = time.perf_counter()
                if number > before and not first_at:
                    first, first_at = number, now
                if number >= goal:
                    await starting
                    return (
                        (number - first) / (now - first_at)
                        if number > first
                        else (goal - before) / (now - began)
                    )
                await asyncio.sleep(PROGRESS_EVERY_S)
            raise TimeoutError(f"{number} of {goal} after {within_s:.0f} s")
        finally:
            await connection.close()

    return run_coroutine(watch())
