"""`make containers`: docker-compose.yml as it stands, brought up, used, looked into, killed, started again, removed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from goal_ledger_local.ports import free_ports
from goal_ledger_local.signals import endings_interrupt
from goal_ledger_local.tools import ToolMissing

from containers import changes
from containers.asking import Gateway
from containers.bounds import see_bounds
from containers.engine import BUILD_S, Engine, Failed, install_what_is_missing
from containers.least import see_least_privilege
from containers.stand_ins import make_stand_ins
from containers.walk import Walk

ONE_SERVICE_PER_IMAGE = ("secrets", "migrate-command", "migrate-projection")
KEPT = Path(tempfile.gettempdir()) / "goal-ledger-containers"
OURS = ("images", "--format", "  {{.Repository}} {{.Size}}", "--filter", "reference=*goal-ledger-*")


def main(keep: bool) -> int:
    """The exit code: 0 if everything held."""
    began = time.monotonic()
    try:
        with endings_interrupt():
            _from_nothing_to_nothing(keep)
    except KeyboardInterrupt:
        print("interrupted; everything was taken down", file=sys.stderr)
        return 130
    except (Failed, ToolMissing) as failed:
        before = f"{failed.__context__}\nand then " if isinstance(failed.__context__, Failed) else ""
        print(f"FAILED after {time.monotonic() - began:.0f} s: {before}{failed}", file=sys.stderr)
        return 1
    left = f"images are left in {KEPT}" if keep else "nothing is left"
    print(f"Everything held, in {time.monotonic() - began:.0f} s; {left}.")
    return 0


def _from_nothing_to_nothing(keep: bool) -> None:
    install_what_is_missing()
    KEPT.mkdir(mode=0o711, exist_ok=True)
    (port,) = free_ports(1)
    engine = Engine(KEPT, port)
    try:
        _build(engine)
        _see(engine, Gateway(port))
    finally:
        print("taking all of it away", flush=True)
        engine.take_down()
        if not keep:
            engine.remove()


def _build(engine: Engine) -> None:
    print(engine.podman("--version").strip(), flush=True)
    print("images that stand in for those that are named:", flush=True)
    make_stand_ins(engine)
    print("images of deploy/Dockerfile:", flush=True)
    for service in ONE_SERVICE_PER_IMAGE:
        engine.compose("--podman-build-args=--network=host", "build", service, within_s=BUILD_S)
    print(engine.podman(*OURS).rstrip(), flush=True)


def _see(engine: Engine, gateway: Gateway) -> None:
    walk = Walk(engine, gateway)
    changes.start(engine)
    walk.use()
    see_least_privilege(engine)
    see_bounds(gateway)
    changes.make_anew(engine, gateway, walk)
    changes.kill_each(engine, walk)
    changes.run_two_workers(engine, walk)
    changes.stop_and_start(engine, walk)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make containers", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the images for the next time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments().keep))
