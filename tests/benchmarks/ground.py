"""What the benchmarks run on: one stack in a temporary directory, workspaces in it, and programs beside it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goal_ledger_client import GoalLedger
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

from benchmarks import machine

TESTS = Path(__file__).resolve().parents[1]
PROGRAM_WITHIN_S = 600
ADMIN, SYSTEM, FEED = "ada", "shop", "shop.sales"
MEASURE = {"kind": "increase", "baseline": "0", "target": "1000000", "unit": "pieces"}
KEY_RESULTS = 8


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace with an admin, active goals (`result-0` …), a system and its feed of event counts."""

    id: str
    token: str
    emitter_key: str

    @property
    def inbox(self) -> str:
        return f"progress.readings.{self.id}.{SYSTEM}"


@dataclass(slots=True)
class Ground:
    """The stack (two command processes, the second down until it is asked for) and how small the sizes are."""

    directory: Path
    quick: bool
    say: Callable[[str], None]
    large: bool = False
    _stack: Stack | None = None
    _down: set[str] = field(default_factory=set)

    @property
    def stack(self) -> Stack:
        """Started when first asked for."""
        if self._stack is None:
            self.say("starting the stack …")
            self._stack = Stack(self.directory / "stack", commands=2, kafka_heap_mb=256, say=_quietly)
            self._stack.start()
            self.only("command", "relay", "worker", "query")
        return self._stack

    def close(self) -> None:
        if self._stack is not None:
            self._stack.stop()

    def pick(self, full: int, quick: int, large: int | None = None) -> int:
        """One of the sizes; a row without a large one is measured at the full."""
        if self.quick:
            return quick
        return large if self.large and large is not None else full

    def only(self, *parts: str) -> None:
        """Of our own processes, run these and no others."""
        for part in self.stack.services:
            if part not in parts and part not in self._down:
                self.stack.terminate(part)
                self._down.add(part)
        for part in self.stack.services:
            if part in parts and part in self._down:
                self.stack.restart(part)
                self._down.discard(part)

    def url(self, part: str) -> str:
        return self.stack.services[part].urls[0]

    def address(self, part: str) -> tuple[str, int]:
        return "127.0.0.1", self.stack.services[part].ports[0]

    def client(self, token: str) -> GoalLedger:
        return GoalLedger(self.url("command"), self.url("query"), token)

    def program(self, name: str, job: Mapping[str, Any], of: str = "operator") -> dict[str, Any]:
        """Run a program of `benchmarks.programs` in a process of its own; its result. ``of``: see `environment`."""
        argv = [sys.executable, "-m", f"benchmarks.programs.{name}"]
        ran = subprocess.run(
            argv,
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=False,
            env=self.environment(of),
            timeout=PROGRAM_WITHIN_S,
        )
        if ran.returncode != 0:
            raise RuntimeError(f"{name} ended with {ran.returncode}: {ran.stderr[-2000:]}")
        result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return result

    @contextmanager
    def server(self, name: str, port: int) -> Iterator[int]:
        """A server of `benchmarks.programs` on a port, ready when /health/ready answers; its process."""
        argv = [sys.executable, "-m", f"benchmarks.programs.{name}", str(port)]
        owned = self.stack.spawn(name, argv, self.environment())
        try:
            self.wait(lambda: _answers(port), 60)
            yield owned.pid
        finally:
            owned.stop(signal.SIGTERM, 10)

    def environment(self, of: str = "operator") -> dict[str, str]:
        """Of programs: the tests' directory, and the settings of the stack's operator or of the read side's owner."""
        path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        settings = self.stack.installation.operator()
        if of == "projection":
            internal = self.stack.services["command"].urls[1]
            settings = self.stack.installation.projection_owner(internal)
        return {**os.environ, **settings, "PYTHONPATH": path}

    def cpu_s(self) -> dict[str, float]:
        """Processor time of each part that runs, so far."""
        parts = {"kafka": self.stack.kafka.pid, "postgres": self.stack.postgres.pid}
        parts |= {name: one.pid for name, one in self.stack.services.items() if name not in self._down}
        return {name: machine.cpu_s(pid) for name, pid in parts.items() if pid is not None}

    def wait(self, condition: Callable[[], bool], seconds: float, every_s: float = 0.05) -> None:
        """Raises TimeoutError."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError(f"waited {seconds:.0f} s in vain")
            time.sleep(every_s)

    def workspace(self, prefix: str) -> Workspace:
        """A fresh one; the command process must be up."""
        name = f"{prefix}-{secrets.token_hex(3)}"
        self.stack.operator(
            "create-workspace",
            *("--id", name, "--name", "Bench Works", "--time-zone", "Europe/Oslo"),
            *("--admin-person", ADMIN, "--admin-name", "Ada Berg", "--issuer", ISSUER, "--subject", ADMIN),
        )
        token = self.stack.mint_token(ADMIN, name)
        with self.client(token) as admin:
            for path, body in _steps():
                admin.command(path, body)
            issued = admin.command("/v1/keys-issued", {"holder": f"system/{SYSTEM}"})
        assert issued.body is not None
        return Workspace(name, token, str(issued.body["key"]))


def _steps() -> Sequence[tuple[str, dict[str, Any]]]:
    steps: list[tuple[str, dict[str, Any]]] = [
        ("/v1/systems", {"id": SYSTEM, "name": "The shop"}),
        ("/v1/roles/grant", {"holder": f"system/{SYSTEM}", "role": "emitter"}),
        ("/v1/feeds", {"name": FEED, "system": SYSTEM, "kind": "event_count", "unit": "pieces"}),
        ("/v1/objectives", {"id": "goal", "title": "Many pieces", "owner": f"person/{ADMIN}"}),
    ]
    steps += [
        ("/v1/objectives/goal/key-results", {"id": f"result-{n}", "text": "Pieces", "measure": MEASURE})
        for n in range(KEY_RESULTS)
    ]
    return [*steps, ("/v1/objectives/goal/activate", {})]


def _answers(port: int) -> bool:
    from goal_ledger_local.service import health

    return health(port) == "ready"


def _quietly(_: str) -> None:
    """Parts are taken down on purpose."""
