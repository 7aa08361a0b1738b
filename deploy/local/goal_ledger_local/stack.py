"""The whole of Goal Ledger on one machine, without containers: Kafka, PostgreSQL, command, relay, worker, changed, query, reconciler.

    with Stack(commands=2) as stack:
        stack.publish()                      # writes stack.json for programs outside
        token = stack.mint_token("ada", "acme", ttl_s=3600)
        stack.kill("relay")                  # SIGKILL; it stays down
        stack.restart("relay")               # on the same port; returns when it is ready

Everything lies in one directory (`.demo` of the repository); a second stack there goes on from the same data.
All methods block: from async code call them through `asyncio.to_thread`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from goal_ledger_local.control import Control
from goal_ledger_local.credentials import Credentials, write_in_one_piece
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.lock import DirectoryLock
from goal_ledger_local.logins import DATABASES, entering
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import Owned, PartFailed, PortTaken, ProcessOwner
from goal_ledger_local.service import Service
from goal_ledger_local.services import COMMAND, make_services, migrate
from goal_ledger_local.settings import Installation
from goal_ledger_local.signals import endings_interrupt, ignored_signals
from goal_ledger_local.supervisor import Supervisor, how_it_ended
from goal_ledger_local.tools import REPOSITORY

START_ATTEMPTS = 3
FULL_JIT_FROM_MB = 256
SERVERS = ("kafka", "postgres")


def _print_at_once(message: str) -> None:
    print(message, flush=True)


class Stack:
    """The parts, their data and their secrets.

    `directory`: where the data lives (default: .demo of the repository). `commands`: how many command processes.
    `settings`: more environment for all our services. `kafka_heap_mb`: from 256 on with the full JIT (benchmarks).
    `durable=False`: for tests that kill nothing. `say`: where messages go (a part that was killed).
    """

    kafka: Kafka
    postgres: Postgres
    owner: ProcessOwner
    installation: Installation

    def __init__(
        self,
        directory: Path | None = None,
        *,
        commands: int = 1,
        settings: Mapping[str, str] | None = None,
        kafka_heap_mb: int = 128,
        durable: bool = True,
        say: Callable[[str], None] = _print_at_once,
    ) -> None:
        self.directory = (directory or REPOSITORY / ".demo").resolve()
        self.logs = self.directory / "logs"
        self.file = self.directory / "stack.json"
        self.credentials = Credentials(self.directory / "secrets")
        self.services: dict[str, Service] = {}
        self._commands = commands
        self._settings = dict(settings or {})
        self._kafka_heap_mb = kafka_heap_mb
        self._durable = durable
        self._say = say
        self._supervisor = Supervisor(self._report_down)
        self._control_file = self.directory / "control.json"
        self._ending = ExitStack()
        self._signals = ExitStack()
        self._publishing = threading.Lock()
        self._published: dict[str, Any] | None = None

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up; returns when all parts are ready. Failed or interrupted, it stops what it started.

        Until the stop, SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does (on the main thread).

        Raises:
            PartFailed: another stack has the directory, or a part did not start; the sentence says which.
            ToolMissing: Java, Maven or PostgreSQL are not there.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        lock = DirectoryLock(self.directory / "lock")
        self._ending.callback(lock.release)
        self._signals.enter_context(endings_interrupt())
        self.owner = ProcessOwner(
            inherited_by_guard=[lock.descriptor], removed_by_guard=[self.file, self._control_file]
        )
        self._ending.callback(self.owner.close)
        try:
            self._set_old_files_aside()
            self.credentials.make()
            self._make_servers()
            self._say(f"Starting PostgreSQL and Apache Kafka (data and logs in {self.directory})")
            self._start_servers_and_migrate()
            self._start_services()
            self._supervisor.watch()
            self._ending.callback(Control(self._control_file, self.restart).close)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, our services before the servers; a second time it does nothing. Signals are ignored."""
        with self._signals, ignored_signals(), self._ending:
            self.file.unlink(missing_ok=True)
            self._supervisor.stop([[*self.services], SERVERS])

    def _set_old_files_aside(self) -> None:
        self.file.unlink(missing_ok=True)
        self._control_file.unlink(missing_ok=True)
        self.logs.mkdir(exist_ok=True)
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def _make_servers(self) -> None:
        self.kafka = Kafka(
            self.directory / "kafka",
            self.owner,
            log=self.logs / "kafka.log",
            heap_mb=self._kafka_heap_mb,
            c1_only=self._kafka_heap_mb < FULL_JIT_FROM_MB,
        )
        self.postgres = Postgres(
            self.directory / "postgres", self.owner, log=self.logs / "postgres.log", durable=self._durable
        )

    def _start_servers_and_migrate(self) -> None:
        """Kafka takes about as long as PostgreSQL and the migrations together, which do not need it."""
        aside = ThreadPoolExecutor(max_workers=1)
        kafka = aside.submit(self._supervisor.start, {"kafka": self.kafka})
        aside.shutdown(wait=False)
        self._supervisor.start({"postgres": self.postgres})
        self._say("Bringing the databases to this release's tables")
        migrating = self._installation()
        migrate(self.owner, self.logs, migrating)
        kafka.result()
        self.installation = replace(migrating, kafka=self.kafka.bootstrap)

    def _installation(self) -> Installation:
        for database, owner in DATABASES.items():
            self.postgres.ensure_database(database, owner, entering(database))
        return Installation(
            self.postgres.addresses,
            kafka="",
            credentials=self.credentials,
            durable=self._durable,
            extra=self._settings,
        )

    def _start_services(self) -> None:
        for _ in range(START_ATTEMPTS):
            self.services = make_services(self.owner, self.logs, self.installation, self._commands)
            self._say(f"Starting the services: {', '.join(self.services)}")
            try:
                return self._supervisor.start(dict(self.services))
            except PortTaken as problem:
                self._say(f"{str(problem).splitlines()[0]}; trying others")
                for service in self.services.values():
                    service.stop()
        raise PartFailed(f"ports were taken {START_ATTEMPTS} times in a row; see {self.logs}")

    # -- single parts: command, command-2 …, relay, worker, changed, query, reconciler, kafka, postgres --------

    def kill(self, part: str) -> None:
        """SIGKILL; returns when it is gone. It stays down."""
        self._supervisor.kill(part)

    def terminate(self, part: str) -> None:
        """SIGTERM, as an orchestrator would; returns when it is gone. It stays down."""
        self._supervisor.terminate(part)

    def restart(self, part: str) -> int:
        """Start it again on the same port; its new pid, when it is ready and stack.json (if published) names it."""
        pid = self._supervisor.restart(part)
        with self._publishing:
            if self._published is not None:
                self._write()
        return pid

    def _report_down(self, part: str, process: Owned) -> None:
        again = " ".join(self._restart_words(part))
        self._say(f"{part} (process {process.pid}) {how_it_ended(process)}; it stays down until: {again}")

    # -- for others -----------------------------------------------------------------------------------------

    def mint_token(self, subject: str, workspace: str, ttl_s: int = 24 * 3600) -> str:
        """A person's token from the local issuer; who `subject` is in the workspace, the ledger knows."""
        return self.credentials.mint_token(subject, workspace, ttl_s)

    def operator(self, *words: str) -> str:
        """Run the operator's command line of the command service; what it wrote to stdout.

        Raises:
            PartFailed: it ended with another code than 0; the sentence holds what it wrote to stderr.
        """
        argv = [sys.executable, "-m", COMMAND, "operator", *words]
        environment = {**os.environ, **self.installation.operator()}
        ran = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise PartFailed(f"operator {' '.join(words)} ended with {ran.returncode}: {ran.stderr.strip()}")
        return ran.stdout

    def spawn(self, name: str, argv: Sequence[str], settings: Mapping[str, str] | None = None) -> Owned:
        """Start a helper (an emitter) that ends with the stack; its output goes to logs/<name>.log."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(settings or {})}
        return self.owner.spawn(argv, self.logs / f"{name}.log", env=environment)

    def publish(
        self,
        *,
        workspace: str | None = None,
        emitter: Mapping[str, Any] | None = None,
        tokens: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Write stack.json in one piece, for programs outside; `emitter`: {topic, feeds}, `tokens`: by role."""
        with self._publishing:
            self._published = {
                "workspace": workspace,
                "emitter": dict(emitter or {}),
                "tokens": dict(tokens or {}),
            }
            return self._write()

    def describe(self) -> dict[str, Any]:
        """What stack.json says, or would."""
        command, of = self.services["command"], self.installation
        return {
            "command_url": command.urls[0],
            "command_internal_url": command.urls[1],
            "query_url": self.services["query"].urls[0],
            "pages_url": f"{self.services['query'].urls[0]}/",
            "kafka": self.kafka.bootstrap,
            "ledger_database_url": of.ledger,
            "keys_database_url": of.keys,
            "read_database_url": of.read,
            **(self._published or {"workspace": None, "emitter": {}, "tokens": {}}),
            "processes": {name: self._describe_part(name) for name in self._supervisor.parts},
        }

    def _describe_part(self, name: str) -> dict[str, Any]:
        part = self._supervisor.part(name)
        described: dict[str, Any] = {"pid": part.pid}
        if name in self.services:
            described["url"] = self.services[name].urls[0]
        return {**described, "log": str(part.log), "restart": self._restart_words(name)}

    def _restart_words(self, part: str) -> list[str]:
        return [sys.executable, "-m", "goal_ledger_local", "restart", part, "--dir", str(self.directory)]

    def _write(self) -> dict[str, Any]:
        described = self.describe()
        write_in_one_piece(self.file, json.dumps(described, indent=2) + "\n")
        return described
