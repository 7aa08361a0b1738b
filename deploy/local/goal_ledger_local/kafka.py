"""Apache Kafka as a child of ours: one KRaft node, no containers.

What the settings are for, all measured on Kafka 4.4.0 (2026-11):

* `broker.session.timeout.ms` 2000: after `kill -9` the port opens only when the old broker session has ended;
  with the default of 9 s a restart takes 11 s, with this 3 s. With 1000 the broker loses its own session on a
  machine that is very busy (seen at a load of 15 on two cores). Not for a cluster: it would flap.
* `group.initial.rebalance.delay.ms` 0: the first join of every group else takes 3 s.
* `log.cleaner.dedupe.buffer.size` 4 MiB: its 128 MiB come out of the heap at start; half of the memory saved.
* C1 alone and the serial collector: a shorter start on few cores; for benchmarks ask for `heap_mb=256, c1_only=False`.

A port that answers is 50-170 ms early: ready means that the group coordinator answers. The broker keeps its ports
in its directory and takes them again at the next start when they are free, so that clients find it again.
Rebuilt from `kill -9` at once: its `.lock` file stays and does no harm; nothing acknowledged is lost.
"""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from goal_ledger_local.kafka_jars import LAUNCHER, kafka_jars
from goal_ledger_local.ports import free_ports, is_free, listens
from goal_ledger_local.processes import (
    NotReadyInTime,
    Owned,
    PartFailed,
    PortTaken,
    ProcessOwner,
    run_coroutine,
    wait_until,
)

READY_WITHIN_S = 180.0
STOP_WITHIN_S = 15.0
START_ATTEMPTS = 5

SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""

LOG4J2_PROPERTIES = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
"""


class Kafka:
    """One broker on 127.0.0.1 with its data in a directory.

    `start` and `restart` block until it is ready; `kill` is SIGKILL. Not for use from two threads at once.
    """

    format_words: tuple[str, ...] = ()
    """More words for Kafka's own `format` of a new directory."""

    def __init__(
        self,
        directory: Path,
        owner: ProcessOwner,
        *,
        log: Path | None = None,
        heap_mb: int = 128,
        c1_only: bool = True,
    ) -> None:
        self._directory = directory.resolve()
        self._owner = owner
        self.log = log or self._directory / "kafka.log"
        self._heap_mb = heap_mb
        self._c1_only = c1_only
        self._process: Owned | None = None
        self.port = 0
        self._controller = 0

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; known once started."""
        return f"127.0.0.1:{self.port}"

    def client_options(self) -> dict[str, Any]:
        """What an admin client of aiokafka needs; more where the broker asks who speaks."""
        return {"bootstrap_servers": self.bootstrap}

    def server_properties(self) -> str:
        """What the broker is started with."""
        return SERVER_PROPERTIES.format(port=self.port, controller=self._controller)

    @property
    def process(self) -> Owned:
        if self._process is None:
            raise PartFailed("kafka was not started")
        return self._process

    @property
    def pid(self) -> int | None:
        """The process of the last start, also when it was killed since; None once it was stopped."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start on the ports of the last time, or on others when those are taken.

        Raises:
            ToolMissing: no Java, or no Maven to fetch the jars.
            PartFailed: it did not get ready within 180 s.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        self._remember_ports()
        for _ in range(START_ATTEMPTS):
            try:
                return self.restart()
            except PortTaken:
                self.port, self._controller = free_ports(2)
        raise PartFailed(f"kafka found its ports taken {START_ATTEMPTS} times; see {self.log}")

    def restart(self) -> None:
        """Start again on the same port; a broker still running is stopped first."""
        self.stop()
        self._write_settings()
        self._process = self._owner.spawn(self._argv(), self.log, cwd=self._directory)
        self._await_ready(self._process)

    def stop(self) -> None:
        """SIGTERM (the broker ends with 143 in under a second); SIGKILL after 15 s."""
        if self._process is not None:
            self._process.stop(signal.SIGTERM, STOP_WITHIN_S)
            self._process = None

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.process.kill_group()

    def _remember_ports(self) -> None:
        kept = self._directory / "ports.json"
        ports = json.loads(kept.read_text()) if kept.exists() else []
        if len(ports) != 2 or not all(map(is_free, ports)):
            ports = free_ports(2)
        self.port, self._controller = ports

    def _write_settings(self) -> None:
        (self._directory / "ports.json").write_text(json.dumps([self.port, self._controller]))
        (self._directory / "server.properties").write_text(self.server_properties())
        (self._directory / "log4j2.properties").write_text(LOG4J2_PROPERTIES)

    def _argv(self) -> list[str]:
        jars = kafka_jars()
        java = [str(jars.java), f"-Xmx{self._heap_mb}m", "-Xms32m", "-XX:+UseSerialGC"]
        java += ["-XX:TieredStopAtLevel=1"] if self._c1_only else []
        java += ["-Dlog4j2.configurationFile=log4j2.properties", "-cp", jars.classpath]
        if (self._directory / "log" / "meta.properties").exists():
            return [*java, "kafka.Kafka", "server.properties"]
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if jars.formats_and_starts and not self.format_words:
            return [*java, LAUNCHER, "server.properties", f"C{cluster[1:]}"]
        self._format(java, f"C{cluster[1:]}")
        return [*java, "kafka.Kafka", "server.properties"]

    def _format(self, java: list[str], cluster: str) -> None:
        words = ["format", "-c", "server.properties", "-t", cluster, "--standalone", "--ignore-formatted"]
        formatting = self._owner.spawn(
            [*java, "kafka.tools.StorageTool", *words, *self.format_words], self.log, cwd=self._directory
        )
        ended = formatting.wait(READY_WITHIN_S)
        formatting.kill_group()
        if not ended or formatting.returncode != 0:
            raise PartFailed(f"kafka could not format its directory:\n{formatting.said(lines=15)}")

    def _await_ready(self, process: Owned) -> None:
        started = time.monotonic()
        wait_until(
            lambda: process.returncode is not None or listens(process.pid, self.port), READY_WITHIN_S, 0.05
        )
        if process.returncode is None:
            left_s = READY_WITHIN_S - (time.monotonic() - started)
            if run_coroutine(_coordinator_answers(self.client_options(), process, left_s)):
                return
        self._explain(process)

    def _explain(self, process: Owned) -> None:
        code = process.returncode
        process.kill_group()
        if code is not None and "Address already in use" in process.said():
            raise PortTaken(f"kafka: port {self.port} or {self._controller} is taken")
        said = process.said(lines=15)
        if code is None:
            raise NotReadyInTime(f"kafka was not ready in time; see {self.log}\n{said}")
        raise PartFailed(f"kafka ended with {code}; see {self.log}\n{said}")


async def _coordinator_answers(options: Mapping[str, Any], process: Owned, seconds: float) -> bool:
    """Whether the group coordinator answered; asking makes `__consumer_offsets`, hence the first refusals."""
    deadline = time.monotonic() + seconds
    while process.returncode is None and time.monotonic() < deadline:
        admin = AIOKafkaAdminClient(**options, request_timeout_ms=5000)
        try:
            await admin.start()
            await admin.find_coordinator("readiness")
        except KafkaError:
            await asyncio.sleep(0.03)
        else:
            return True
        finally:
            await admin.close()
    return False
