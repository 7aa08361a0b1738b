"""Waiting for what must become true, never longer than said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

ASK_EVERY_S = 0.05


class NotInTime(Exception):
    """It did not become true in time; the sentence says what."""


async def until(
    holds: Callable[[], Awaitable[bool]], within_s: float, what: str, every_s: float = ASK_EVERY_S
) -> float:
    """Ask again and again until it holds; the seconds it took. Raises NotInTime."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not await holds():
        if loop.time() - began > within_s:
            raise NotInTime(f"not within {within_s:.0f} s: {what}")
        await asyncio.sleep(every_s)
    return loop.time() - began
