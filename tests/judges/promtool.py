"""promtool over what each process shows to Prometheus: names, units, help, as its own linter wants them."""

from __future__ import annotations

import subprocess
import urllib.request
from pathlib import Path

from goal_ledger_local.stack import Stack

from judges.running import demo

DEBIAN_PACKAGE = "prometheus"
FETCH_S = 600


def judge(directory: Path) -> list[str]:
    """What it finds, by process. Raises CalledProcessError if it cannot be fetched."""
    program = _fetched(directory)
    with demo() as (stack, _):
        shown = {name: _metrics(stack, name) for name in stack.services}
    return [f"{name}: {one}" for name, text in shown.items() for one in _found(program, text)]


def _fetched(directory: Path) -> Path:
    """Of Debian's package, unpacked and not installed."""
    fetch = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", DEBIAN_PACKAGE]
    subprocess.run(fetch, cwd=directory, check=True, timeout=FETCH_S, capture_output=True)
    (package,) = directory.glob(f"{DEBIAN_PACKAGE}_*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(directory)], check=True, timeout=FETCH_S)
    return directory / "usr" / "bin" / "promtool"


def _metrics(stack: Stack, name: str) -> bytes:
    """From the last listener: the internal one, where there are two."""
    with urllib.request.urlopen(f"{stack.services[name].urls[-1]}/metrics", timeout=30) as answer:
        return bytes(answer.read())


def _found(program: Path, text: bytes) -> list[str]:
    if b"goal_ledger_" not in text:
        return ["there are no metrics of ours"]
    asked = [str(program), "check", "metrics"]
    ran = subprocess.run(asked, input=text, capture_output=True, timeout=60, check=False)
    return (ran.stdout + ran.stderr).decode().splitlines() if ran.returncode else []
