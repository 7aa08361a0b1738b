"""Kill each part in turn while writers and an emitter work, start it again, and count.

A kill happens when requests are under way; how many there were at that instant is in the table. Afterwards the writers
find out what is unknown, and the whole record is compared before the next kill.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from goal_ledger_local.stack import Stack

from faults.emitting import Emitting
from faults.ground import Say, break_ground
from faults.verdict import Verdict
from faults.waiting import until
from faults.whole import Whole, compare
from faults.writers import Writers

PARTS = ("command", "relay", "worker", "kafka", "postgres", "query")
DOWN_S = 1.0
WRITERS_AFTER_KILL = 10
RECOVERED_WITHIN_S = 60.0
GIVEN_UP_AFTER_S = 300.0
"""A part that is not at work by then does not come back; between the two it is slow, which loses nothing."""


@dataclass
class Kill:
    """One kill and what came of it, over both workspaces."""

    part: str
    in_flight: int
    acknowledged: int = 0
    unknown: int = 0
    was_there: int = 0
    recorded_now: int = 0
    let_go: int = 0
    readings: int = 0
    facts: int = 0
    back_s: float = 0.0
    whole_s: float = 0.0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def slow(self) -> str:
        """How late work went on after the restart; empty if it was in time."""
        late = self.back_s > RECOVERED_WITHIN_S
        return (
            f"{self.back_s:.0f} s until work went on, {RECOVERED_WITHIN_S:.0f} s are wanted" if late else ""
        )


@dataclass
class Plan:
    """`seconds` of work before each kill; `writers` per workspace."""

    parts: Sequence[str] = PARTS
    rounds: int = 1
    seconds: float = 3.0
    writers: int = 6


class Campaign:
    """Two workspaces: `works`, with an emitter, and `other`, which must not notice."""

    def __init__(self, stack: Stack, plan: Plan, say: Say) -> None:
        self._stack, self._plan, self._say = stack, plan, say
        self._dice = random.Random(20)

    async def run(self) -> list[Kill]:
        """All kills. Raises what ended a writer."""
        works, other = await asyncio.gather(
            asyncio.to_thread(break_ground, self._stack, "works"),
            asyncio.to_thread(break_ground, self._stack, "other"),
        )
        async with AsyncExitStack() as working:
            self._writers = [
                await working.enter_async_context(Writers(ground, many, self._urls))
                for ground, many in ((works, self._plan.writers), (other, max(2, self._plan.writers // 3)))
            ]
            self._grounds = [works, other]
            self._emitting = await working.enter_async_context(Emitting(works))
            return [await self._one(part) for _ in range(self._plan.rounds) for part in self._in_turn()]

    def _in_turn(self) -> list[str]:
        commands = [name for name in self._stack.services if name.startswith("command")]
        wanted = [commands if part == "command" else [part] for part in self._plan.parts]
        return [part for parts in wanted for part in parts]

    def _urls(self) -> list[str]:
        return [s.urls[0] for name, s in self._stack.services.items() if name.startswith("command")]

    async def _one(self, part: str) -> Kill:
        before = self._counts()
        self._go()
        await asyncio.sleep(self._plan.seconds * self._dice.uniform(0.7, 1.3))
        kill = await self._kill(part)
        await asyncio.sleep(DOWN_S)
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(self._stack.restart, part)
        await self._work_goes_on()
        kill.back_s = round(asyncio.get_running_loop().time() - began, 1)
        for writers in self._writers:
            await writers.settle()
        await self._emitting.settle()
        await self._compare(kill)
        self._put_down(kill, before)
        self._say(row(kill))
        return kill

    def _go(self) -> None:
        for writers in self._writers:
            writers.go()
        self._emitting.go()

    async def _kill(self, part: str) -> Kill:
        """SIGKILL at an instant at which requests are under way."""
        pid = self._stack.describe()["processes"][part]["pid"]

        async def under_way() -> bool:
            return self._in_flight() > 0

        await until(under_way, RECOVERED_WITHIN_S, "a request is under way", every_s=0.001)
        kill = Kill(part, self._in_flight())
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(self._stack.kill, part)
        return kill

    def _in_flight(self) -> int:
        return sum(writers.tally.in_flight for writers in self._writers)

    async def _work_goes_on(self) -> None:
        """Acknowledgements in both workspaces, and readings taken by Kafka."""
        before = [len(writers.tally.acknowledged) for writers in self._writers]
        readings = len(self._emitting.acknowledged)

        async def goes_on() -> bool:
            more = [len(w.tally.acknowledged) - then for w, then in zip(self._writers, before, strict=True)]
            return min(more) >= WRITERS_AFTER_KILL and len(self._emitting.acknowledged) > readings

        await until(goes_on, GIVEN_UP_AFTER_S, "commands are acknowledged again")

    async def _compare(self, kill: Kill) -> None:
        began = asyncio.get_running_loop().time()
        works, other = self._grounds
        found: list[Whole] = [
            await compare(works, self._writers[0].tally, self._emitting.acknowledged),
            await compare(other, self._writers[1].tally),
        ]
        kill.whole_s = round(asyncio.get_running_loop().time() - began, 1)
        kill.facts = sum(one.facts for one in found)
        kill.lost = sum(len(one.lost) for one in found)
        kill.doubled = sum(len(one.doubled) for one in found)
        for one, ground in zip(found, self._grounds, strict=True):
            kill.wrong += [f"{ground.workspace}: {wrong}" for wrong in one.wrong]
            kill.wrong += [f"{ground.workspace}: lost {name}" for name in sorted(one.lost)[:5]]
            kill.wrong += [f"{ground.workspace}: doubled {name}" for name in sorted(one.doubled)[:5]]

    def _counts(self) -> dict[str, int]:
        tallies = [writers.tally for writers in self._writers]
        return {
            "acknowledged": sum(len(one.acknowledged) for one in tallies),
            "unknown": sum(one.unknown for one in tallies),
            "was_there": sum(one.was_there for one in tallies),
            "recorded_now": sum(one.recorded_now for one in tallies),
            "let_go": sum(len(one.let_go) for one in tallies),
            "readings": len(self._emitting.acknowledged),
        }

    def _put_down(self, kill: Kill, before: dict[str, int]) -> None:
        for name, now in self._counts().items():
            setattr(kill, name, now - before[name])


COLUMNS = (
    "part", "in_flight", "acknowledged", "unknown", "was_there", "recorded_now", "let_go", "readings", "facts",
    "lost", "doubled", "back_s", "whole_s",
)  # fmt: skip


def header() -> str:
    """The names of the columns."""
    return "  ".join(f"{name:>12}" for name in COLUMNS)


def row(kill: Kill) -> str:
    """A kill as a line below them, with what is wrong on lines of their own."""
    line = "  ".join(f"{getattr(kill, name)!s:>12}" for name in COLUMNS)
    slow = [f"    SLOW {kill.slow}"] if kill.slow else []
    return "\n".join([line, *slow, *(f"    WRONG {wrong}" for wrong in kill.wrong)])


def verdict(kills: Sequence[Kill]) -> Verdict:
    """Of a run of kills."""
    found = Verdict()
    found.wrong += [f"{kill.part}: {wrong}" for kill in kills for wrong in kill.wrong]
    if not any(kill.in_flight for kill in kills):
        found.wrong.append("no kill caught work in flight")
    found.slow += [f"{kill.part}: {kill.slow}" for kill in kills if kill.slow]
    return found
