"""Podman with storage of its own, and podman-compose in an environment of its own; what is made there goes with it.

The runtime is runc, with limits that are given: crun fails where control groups are mixed, and raising limits is not
allowed in a machine that is itself a container. Health checks are run by whoever waits: without systemd there are no timers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

PROJECT = "goal-ledger"
PODMAN_COMPOSE = "podman-compose==1.6.0"
PACKAGES = (
    "podman", "buildah", "runc", "netavark", "aardvark-dns", "fuse-overlayfs", "iptables", "debootstrap",
)  # fmt: skip
REPOSITORY = Path(__file__).parents[2]
INSIDE = Path(__file__).parent / "inside"
BUILD_S, UP_S, HEALTHY_S, SHORT_S = 1800, 600, 300, 120
CONTAINERS_CONF = """\
[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
"""


class Failed(Exception):
    """A program ended with another code than 0, something did not become so in time, or a check did not hold."""


def expect(holds: bool, what: str, seen: object = "") -> None:
    """Say what held. Raises Failed, with what was seen, if it did not."""
    if not holds:
        raise Failed(f"does not hold: {what}" + (f"\n  seen: {seen}" if seen else ""))
    print(f"  {what}", flush=True)


def run(*argv: str, within_s: float, env: dict[str, str] | None = None, stdin: str | None = None) -> str:
    """What a program wrote to stdout. Raises Failed with what it wrote to stderr."""
    try:
        ran = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=within_s,
            env=env,
            input=stdin,
            cwd=REPOSITORY,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(argv[:4])} … took more than {within_s:.0f} s") from None
    if ran.returncode != 0:
        raise Failed(f"{' '.join(argv[:6])} … ended with {ran.returncode}: {ran.stderr.strip()[-1500:]}")
    return ran.stdout


def install_what_is_missing() -> None:
    """The engine's packages, as root on Debian. Raises Failed: one line that says what to install."""
    if shutil.which("podman") and shutil.which("runc") and shutil.which("debootstrap"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Failed(f"install these first: {' '.join(PACKAGES)}")
    for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        run(
            "apt-get", "-q", *words, within_s=BUILD_S, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )


class Engine:
    """Everything of it lies in `directory`; `gateway_port` is the one that is published."""

    def __init__(self, directory: Path, gateway_port: int) -> None:
        self.directory = directory
        self._env = {**os.environ, **self._configuration(), "GATEWAY_PORT": str(gateway_port)}
        venv = directory / "podman-compose"
        self._compose = [str(venv / "bin" / "podman-compose"), "--project-name", PROJECT, "--in-pod", "false"]
        if not venv.exists():
            run(sys.executable, "-m", "venv", str(venv), within_s=SHORT_S)
            run(str(venv / "bin" / "pip"), "install", "-q", PODMAN_COMPOSE, within_s=BUILD_S)

    def _configuration(self) -> dict[str, str]:
        networks = (
            f'[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "{self.directory}/networks"\n'
        )
        files = {
            "containers.conf": CONTAINERS_CONF + networks,
            "registries.conf": "",
            "storage.conf": f'[storage]\ndriver = "overlay"\ngraphroot = "{self.directory}/storage"\n'
            f'runroot = "{self.directory}/run"\n',
        }
        for name, content in files.items():
            (self.directory / name).write_text(content)
        return {
            "CONTAINERS_CONF": str(self.directory / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.directory / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.directory / "registries.conf"),
        }

    def podman(self, *words: str, within_s: float = SHORT_S, stdin: str | None = None) -> str:
        """What podman wrote. Raises Failed."""
        return run("podman", *words, within_s=within_s, env=self._env, stdin=stdin)

    def compose(self, *words: str, within_s: float = UP_S) -> str:
        """podman-compose on the repository's docker-compose.yml. Raises Failed."""
        return run(*self._compose, *words, within_s=within_s, env=self._env)

    def names(self, service: str | None = None) -> list[str]:
        """The containers of a service, or of all, also those that ended."""
        label = f"label=io.podman.compose.project={PROJECT}"
        also = [] if service is None else ["--filter", f"label=com.docker.compose.service={service}"]
        return self.podman("ps", "-a", "--filter", label, *also, "--format", "{{.Names}}").split()

    def name(self, service: str) -> str:
        """The first container of a service. Raises Failed if there is none."""
        found = sorted(self.names(service))
        if not found:
            raise Failed(f"there is no container of {service}")
        return found[0]

    def exec(self, service: str, *argv: str, within_s: float = SHORT_S) -> str:
        """What a program in a service's first container wrote. Raises Failed."""
        return self.podman("exec", self.name(service), *argv, within_s=within_s)

    def ask_inside(self, service: str, program: str, *argv: str) -> str:
        """What a program of `inside/` wrote, run as the service: in its container, or, of one that ended, in another."""
        words = ("python", "-c", (INSIDE / program).read_text(), *argv)
        if self.state(self.name(service))["Status"] == "running":
            return self.exec(service, *words)
        return self.run_once(service, *words)

    def run_once(self, service: str, *argv: str) -> str:
        """The last line that a command wrote in a container of its own."""
        return self.compose("run", "--rm", "--no-deps", "-T", service, *argv).strip().splitlines()[-1]

    def process_id(self, name: str) -> int:
        """Of a container's first process, as the machine counts; 0 while there is none."""
        return int(str(self.state(name)["Pid"]))

    def restarts(self, name: str) -> int:
        """How often the engine started a container again by its restart policy."""
        return int(self.podman("inspect", "--format", "{{.RestartCount}}", name))

    def address(self, service: str, network: str) -> str:
        """Of a service's first container in a network of the compose file."""
        shown = self.podman("inspect", "--format", "{{json .NetworkSettings.Networks}}", self.name(service))
        return str(json.loads(shown)[f"{PROJECT}_{network}"]["IPAddress"])

    def state(self, name: str) -> dict[str, object]:
        """Of a container: Status, ExitCode, Pid …"""
        found: dict[str, object] = json.loads(self.podman("inspect", "--format", "{{json .State}}", name))
        return found

    def is_healthy(self, name: str) -> bool:
        """Runs the health check of the compose file, now."""
        try:
            self.podman("healthcheck", "run", name, within_s=60)
        except Failed:
            return False
        return True

    def await_healthy(self, *services: str) -> None:
        """Until every container of these is healthy. Raises Failed, with the end of the log."""
        for service in services:
            for name in self.names(service) or [self.name(service)]:
                self.await_true(partial(self.is_healthy, name), f"{name} is healthy", of=name)

    def await_true(
        self, holds: Callable[[], bool], what: str, of: str = "", within_s: float = HEALTHY_S
    ) -> None:
        """Asks twice a second. Raises Failed, with the end of the log of the container or service `of`."""
        until = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > until:
                raise Failed(f"not within {within_s:.0f} s: {what}\n{self.log(of) if of else ''}")
            time.sleep(0.5)

    def log(self, of: str) -> str:
        """The end of the log of a container or of a service's first."""
        try:
            return self.podman("logs", "--tail", "15", self.name(of) if self.names(of) else of)[-3000:]
        except Failed as silent:
            return str(silent)

    def stop(self, *also: str) -> None:
        """Stops and removes the containers and networks; a second worker is an orphan to podman-compose."""
        self.compose("down", "--remove-orphans", "--timeout", "30", *also)

    def take_down(self) -> None:
        """Containers, networks and volumes. Raises Failed, also if something is left."""
        self.stop("--volumes")
        left = self.podman("ps", "-aq") + self.podman("volume", "ls", "-q")
        if left:
            raise Failed(f"left behind: {' '.join(left.split())}")

    def remove(self) -> None:
        """All of it, images too. Raises Failed."""
        for what in ("container", "volume", "network", "image"):
            listed = self.podman(what, "ls", "-q", *(["-a"] if what in ("container", "image") else []))
            ids = [one for one in dict.fromkeys(listed.split()) if one != "podman"]
            if ids and what != "network":
                self.podman(what, "rm", "-f", *ids, within_s=UP_S)
        shutil.rmtree(self.directory, ignore_errors=True)
