"""One of our own services as a part of the stack: a process with ports, ready when /health/ready says so."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from goal_ledger_local.ports import listens
from goal_ledger_local.processes import NotReadyInTime, Owned, PartFailed, PortTaken, ProcessOwner

READY_WITHIN_S = 180.0  # a machine may be very busy; one that cannot start ends, it does not hang
DRAIN_WITHIN_S = 30.0  # the services promise 25
TAKEN = ("address already in use", "errno 98")


class Service:
    """A process of `python <words>` with a listener on each of `ports`; the first answers /health/ready.

    `settings` gives the environment for these ports. A restart takes the same ports.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        owner: ProcessOwner,
        log: Path,
        settings: Callable[[Sequence[int]], Mapping[str, str]],
        ports: Sequence[int],
    ) -> None:
        self.name = name
        self.log = log
        self._argv = [sys.executable, *words]
        self._owner = owner
        self._settings = settings
        self.ports = list(ports)
        self._process: Owned | None = None

    @property
    def process(self) -> Owned:
        if self._process is None:
            raise PartFailed(f"{self.name} was not started")
        return self._process

    @property
    def pid(self) -> int | None:
        """The process of the last start, also when it was killed since; None once it was stopped."""
        return None if self._process is None else self._process.pid

    @property
    def urls(self) -> list[str]:
        """The base address of each listener."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def start(self) -> None:
        """Start and wait until it is ready.

        Raises:
            PortTaken: choose others (set `ports`) and start again.
            PartFailed: it ended, or was not ready within 180 s; the sentence holds the end of its log.
        """
        self.restart()

    def restart(self) -> None:
        """Start again on the same ports; one still running is stopped first."""
        self.stop()
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **self._settings(self.ports)}
        self._process = self._owner.spawn(self._argv, self.log, env=environment)
        self._await_ready(self._process)

    def stop(self) -> None:
        """SIGTERM, which drains; SIGKILL after 30 s."""
        if self._process is not None:
            self._process.stop(signal.SIGTERM, DRAIN_WITHIN_S)
            self._process = None

    def kill(self) -> None:
        """SIGKILL to it and its children."""
        self.process.kill_group()

    def _await_ready(self, process: Owned) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        answer = "nothing listens yet"
        while process.returncode is None and time.monotonic() < deadline:
            if all(listens(process.pid, port) for port in self.ports):
                answer = health(self.ports[0])
                if answer == "ready":
                    return
            time.sleep(0.1)
        code = process.returncode
        process.kill_group()
        said = process.said(lines=15)
        if code is not None and any(words in said.lower() for words in TAKEN):
            raise PortTaken(f"{self.name}: one of the ports {self.ports} is taken; see {self.log}\n{said}")
        if code is None:
            raise NotReadyInTime(f"{self.name} was not ready in time ({answer}); see {self.log}\n{said}")
        raise PartFailed(f"{self.name} ended with {code}; see {self.log}\n{said}")


def health(port: int) -> str:
    """`ready`, or what /health/ready said instead."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
        return "ready" if response.status == 200 else f"{response.status} {body[:300]}"
    except (OSError, http.client.HTTPException) as problem:
        return repr(problem)
    finally:
        connection.close()
