"""Writers that never stop: check-ins with ids and idempotency keys of their own, several at a time.

What a kill leaves unknown is sent again with the same key until somebody knows. Of what was said to be not recorded,
every other one is sent again and the rest is let go: it must not turn up.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx2

from faults.ground import Ground
from faults.sending import Attempt, Means, attempt, http_client

REPEAT_EVERY_S = 0.1
GIVE_UP_AFTER_S = 90.0


@dataclass
class Tally:
    """What became of the commands of one workspace. `acknowledged`: check-in → seq in its answer."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    let_go: set[str] = field(default_factory=set)
    in_flight: int = 0
    in_hand: int = 0
    unknown: int = 0
    was_there: int = 0
    """Of the unknown: the repeat with the same key was answered as the first time."""
    recorded_now: int = 0
    """Of the unknown: the repeat recorded it."""
    surprises: list[str] = field(default_factory=list)
    """Answers that no fault explains."""


class Writers:
    """`many` writers of one workspace, from the start of the block to its end; `urls` gives the command services."""

    def __init__(self, ground: Ground, many: int, urls: Callable[[], Sequence[str]], name: str = "w") -> None:
        self.tally = Tally()
        self._ground, self._many, self._urls, self._name = ground, many, urls, name
        self._numbers = itertools.count(1)
        self._going = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._http = http_client()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._write(n)) for n in range(self._many)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    def go(self) -> None:
        self._going.set()

    async def settle(self) -> None:
        """Begin nothing new; return when nothing is left unknown. Raises what ended a writer."""
        self._going.clear()
        while self.tally.in_hand:
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)

    async def _write(self, writer: int) -> None:
        while True:
            await self._going.wait()
            number = next(self._numbers)
            self.tally.in_hand += 1
            try:
                await self._bring_home(f"{self._name}-{number}", number, writer)
            finally:
                self.tally.in_hand -= 1

    async def _bring_home(self, check_in: str, number: int, writer: int) -> None:
        """Send one check-in until it is known what became of it."""
        results, tally = self._ground.key_results, self.tally
        path = f"/v1/key-results/{results[number % len(results)]}/check-ins"
        body = {"id": check_in, "values": [{"part": "value", "value": str(number)}], "note": f"Note {number}"}
        was_unknown, until = False, asyncio.get_running_loop().time() + GIVE_UP_AFTER_S
        for turn in itertools.count(writer):
            sent = await self._attempt(turn, path, body, check_in)
            match sent.means:
                case Means.ACKNOWLEDGED:
                    return self._acknowledged(check_in, sent, was_unknown)
                case Means.UNKNOWN:
                    tally.unknown += not was_unknown
                    was_unknown = True
                case Means.NOT_RECORDED:
                    if not was_unknown and number % 2 and sent.status:
                        tally.let_go.add(check_in)
                        return None
                case Means.REFUSED:
                    tally.surprises.append(f"{check_in}: {sent.status} {sent.code}")
                    return None
            if asyncio.get_running_loop().time() > until:
                tally.surprises.append(f"{check_in}: still {sent.means.value} after {GIVE_UP_AFTER_S:.0f} s")
                return None
            await asyncio.sleep(REPEAT_EVERY_S)

    async def _attempt(self, turn: int, path: str, body: dict[str, Any], key: str) -> Attempt:
        urls = self._urls()
        self.tally.in_flight += 1
        try:
            return await attempt(
                self._http, urls[turn % len(urls)], self._ground.token, path, body, f"key-{key}"
            )
        except httpx2.HTTPError as broken:
            return Attempt(Means.UNKNOWN, code=repr(broken))
        finally:
            self.tally.in_flight -= 1

    def _acknowledged(self, check_in: str, sent: Attempt, was_unknown: bool) -> None:
        tally = self.tally
        tally.acknowledged[check_in] = sent.seq
        if was_unknown:
            tally.was_there += sent.replayed
            tally.recorded_now += not sent.replayed
        elif sent.replayed:
            tally.surprises.append(f"{check_in}: replayed, though its first answer never came")
