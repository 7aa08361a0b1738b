"""Our own processes in the local stack: command (one or more), relay, worker, changed, query, reconciler, and the migrations before."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from goal_ledger_local.logins import OF_CHANGED, OF_COMMAND, OF_QUERY, OF_RECONCILER, OF_RELAY, OF_WORKER
from goal_ledger_local.ports import free_ports
from goal_ledger_local.processes import PartFailed, ProcessOwner
from goal_ledger_local.service import Service
from goal_ledger_local.settings import Installation
from goal_ledger_local.supervisor import how_it_ended

MIGRATE_WITHIN_S = 120.0
COMMAND = "goal_ledger_command"
PROJECTION = "goal_ledger_projection"
ROLES = {
    COMMAND: ("--command-role", OF_COMMAND[0].role, "--relay-role", OF_RELAY.role),
    PROJECTION: (
        *("--worker-role", OF_WORKER.role, "--query-role", OF_QUERY.role),
        *("--changed-role", OF_CHANGED.role, "--reconciler-role", OF_RECONCILER.role),
    ),
}
"""Whom a migration grants what each process needs."""


def migrate(owner: ProcessOwner, logs: Path, installation: Installation) -> None:
    """Bring the three databases to the newest schema and grant each process's role what it needs, both services at the same time.

    Raises:
        PartFailed: a migration failed; the sentence holds the end of its log.
    """
    settings = {COMMAND: installation.command_migration(), PROJECTION: installation.projection_owner("")}
    running = {
        package: owner.spawn(
            [sys.executable, "-m", package, "migrate", *ROLES[package]],
            logs / f"{package}-migrate.log",
            env={**os.environ, **env},
        )
        for package, env in settings.items()
    }
    for package, process in running.items():
        ended = process.wait(MIGRATE_WITHIN_S)
        process.kill_group()
        if not ended or process.returncode != 0:
            raise PartFailed(f"{package} migrate {how_it_ended(process)}\n{process.said(lines=15)}")


def make_services(
    owner: ProcessOwner, logs: Path, installation: Installation, commands: int
) -> dict[str, Service]:
    """The services on ports of their own, not yet started; `command-2` … are further command processes."""
    ports = iter(free_ports(2 * commands + 6))

    def service(
        name: str,
        package: str,
        verb: str,
        of: Sequence[int],
        settings: Callable[[Sequence[int]], Mapping[str, str]],
    ) -> Service:
        return Service(name, ["-m", package, verb], owner, logs / f"{name}.log", settings, of)

    made = {}
    for number in range(1, commands + 1):
        name = "command" if number == 1 else f"command-{number}"
        made[name] = service(name, COMMAND, "serve", [next(ports), next(ports)], installation.command)
    internal = made["command"].urls[1]
    made["relay"] = service("relay", COMMAND, "relay", [next(ports)], installation.relay)
    for name, listeners in (("worker", 1), ("changed", 1), ("query", 2), ("reconciler", 1)):
        settings = partial(installation.projection, name, command_url=internal)
        made[name] = service(name, PROJECTION, name, [next(ports) for _ in range(listeners)], settings)
    return made
