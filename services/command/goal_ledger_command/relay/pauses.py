"""How long to wait between looks: short while there is work, longer and longer while there is none."""

from __future__ import annotations

import asyncio

GROWTH = 1.5
SHARE_OF_TIME = 3
"""A look that takes long (thousands of workspaces) is made more rarely: at most a quarter of the time is spent looking."""


class Pause:
    def __init__(self, shortest_s: float, longest_s: float) -> None:
        self._shortest_s, self._longest_s = shortest_s, longest_s
        self._next_s = shortest_s

    def reset(self) -> None:
        self._next_s = self._shortest_s

    async def idle(self, at_least_s: float = 0.0, wake: asyncio.Event | None = None) -> None:
        """Wait; ``at_least_s`` is how long the last look took; ``wake`` ends the wait early."""
        wait_s = max(self._next_s, SHARE_OF_TIME * at_least_s)
        self._next_s = min(self._longest_s, self._next_s * GROWTH)
        if wake is None:
            await asyncio.sleep(wait_s)
            return
        try:
            async with asyncio.timeout(wait_s):
                await wake.wait()
        except TimeoutError:
            pass
