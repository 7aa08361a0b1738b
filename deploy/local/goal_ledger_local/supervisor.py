"""Starts the parts of the stack together, watches them, and stops them.

A part that ends unasked is left down and said so, with the words that start it again: the one who killed it wants
to see what the others do meanwhile.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol

from goal_ledger_local.processes import Owned, PartFailed

WATCH_EVERY_S = 0.2


class Part(Protocol):
    """What the supervisor asks of Kafka, PostgreSQL and each service."""

    log: Path

    @property
    def process(self) -> Owned: ...
    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def restart(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Supervisor:
    """The parts by name, in the order they were started. Thread-safe once they are started."""

    def __init__(self, on_down: Callable[[str, Owned], None]) -> None:
        self._on_down = on_down
        self._parts: dict[str, Part] = {}
        self._busy: dict[str, threading.Lock] = {}
        self._down: set[str] = set()
        self._ending = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def parts(self) -> dict[str, Part]:
        return dict(self._parts)

    def start(self, parts: dict[str, Part]) -> None:
        """Start parts at the same time; returns when all are ready.

        Raises:
            PartFailed: the first that failed; the others are left as they are (call `stop`).
        """
        for name in parts:
            self._busy.setdefault(name, threading.Lock())
        self._parts |= parts
        pool = ThreadPoolExecutor(max_workers=len(parts))
        try:
            starting = [pool.submit(part.start) for part in parts.values()]
            done, _ = wait(starting, return_when=FIRST_EXCEPTION)
            for start in done:
                start.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def watch(self) -> None:
        """From now on say when a part ends unasked."""
        self._watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._watcher.start()

    def restart(self, name: str) -> int:
        """Start a part again on the same port (stopping it first if it runs); its new pid, when it is ready."""
        part = self.part(name)
        with self._busy[name]:
            if self._ending.is_set():
                raise PartFailed("the stack is being stopped")
            part.restart()
            self._down.discard(name)
            return part.process.pid

    def kill(self, name: str) -> None:
        """SIGKILL; returns when the part is gone. It stays down."""
        self.part(name).kill()

    def terminate(self, name: str) -> None:
        """Ask the part to end, as an orchestrator would; returns when it is gone. It stays down."""
        with self._busy[name]:
            self._down.add(name)
            self.part(name).stop()

    def part(self, name: str) -> Part:
        """Raises PartFailed with the names there are, for a name there is not."""
        if name not in self._parts:
            raise PartFailed(f"there is no part {name!r}; there are {', '.join(self._parts)}")
        return self._parts[name]

    def stop(self, stages: Sequence[Sequence[str]]) -> None:
        """Stop parts stage by stage, those of one stage at the same time."""
        self._ending.set()
        if self._watcher is not None:
            self._watcher.join()
        for stage in stages:
            there = [self._parts[name] for name in stage if name in self._parts]
            if there:
                with ThreadPoolExecutor(max_workers=len(there)) as pool:
                    list(pool.map(_stop, there))

    def _watch(self) -> None:
        while not self._ending.wait(WATCH_EVERY_S):
            for name in self._parts.keys() - self._down:
                if self._busy[name].acquire(blocking=False):
                    try:
                        self._look_at(name)
                    finally:
                        self._busy[name].release()

    def _look_at(self, name: str) -> None:
        process = self._parts[name].process
        if process.returncode is not None:
            self._down.add(name)
            self._on_down(name, process)


def _stop(part: Part) -> None:
    with contextlib.suppress(PartFailed):
        part.stop()


def how_it_ended(process: Owned) -> str:
    """`was killed by SIGKILL` or `ended with 3`."""
    code = process.returncode
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with {code}"
