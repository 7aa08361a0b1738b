"""A supervisor of real servers and a small service, run as a program so that tests can kill it.

Prints one JSON line when all is ready, and a line for each part that went down.
"""

from __future__ import annotations

import json
import signal
import sys
import urllib.request
from pathlib import Path

from goal_ledger_local.control import Control
from goal_ledger_local.kafka import Kafka
from goal_ledger_local.lock import DirectoryLock
from goal_ledger_local.ports import free_ports
from goal_ledger_local.postgres import Postgres
from goal_ledger_local.processes import Owned, PartFailed, ProcessOwner
from goal_ledger_local.service import Service
from goal_ledger_local.supervisor import Supervisor, how_it_ended


def down(part: str, process: Owned) -> None:
    """Said on stdout, as the stack does."""
    print(json.dumps({"down": part, "how": how_it_ended(process)}), flush=True)


def main(directory: Path) -> None:
    """Run until killed."""
    lock = DirectoryLock(directory / "lock")
    owner = ProcessOwner(
        inherited_by_guard=[lock.descriptor],
        removed_by_guard=[directory / "control.json", directory / "stack.json"],
    )
    small = Service(
        "small",
        [str(Path(__file__).with_name("small_service.py"))],
        owner,
        directory / "small.log",
        lambda ports: {"HTTP_PORT": str(ports[0])},
        free_ports(1),
    )
    kafka, postgres = Kafka(directory / "kafka", owner), Postgres(directory / "postgres", owner)
    supervisor = Supervisor(down)
    supervisor.start({"kafka": kafka, "postgres": postgres, "small": small})
    supervisor.watch()
    Control(directory / "control.json", supervisor.restart)
    with urllib.request.urlopen(f"{small.urls[0]}/health/ready") as answer:
        child = int(answer.read())
    described = {
        "pids": {name: part.pid for name, part in supervisor.parts.items()},
        "child": child,
        "kafka": kafka.bootstrap,
        "postgres": postgres.admin_url,
        "small": small.urls[0],
    }
    (directory / "stack.json").write_text(json.dumps(described))
    print(json.dumps(described), flush=True)
    signal.pause()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except PartFailed as problem:
        sys.exit(str(problem))
