"""Ports on 127.0.0.1 for parts that must come back on the same port after `kill -9`.

They are taken from below the range the kernel gives to outgoing connections. A port inside it can be lost while
its part is down: some client's connection gets it, or a client that keeps knocking connects to itself.
"""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

from goal_ledger_local.processes import group_members

LOWEST = 10240
USUAL_FIRST_EPHEMERAL = 32768
ATTEMPTS = 1000


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; all different."""
    highest = max(_first_ephemeral(), LOWEST + 10_000)
    chosen: list[int] = []
    for _ in range(ATTEMPTS):
        port = random.SystemRandom().randrange(LOWEST, highest)
        if port not in chosen and is_free(port):
            chosen.append(port)
        if len(chosen) == count:
            return chosen
    raise OSError(f"no {count} free ports between {LOWEST} and {highest}")


def _first_ephemeral() -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return USUAL_FIRST_EPHEMERAL


def is_free(port: int) -> bool:
    """Whether a listener could bind this port on 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listens(group: int, port: int) -> bool:
    """Whether a process of this group holds the listening socket of a port, so that we never talk to a stranger.

    Without /proc (not Linux) whoever listens is believed.
    """
    if is_free(port):
        return False
    if not Path("/proc/self").exists():
        return True
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    return bool(_open_files(group) & sockets) or any(
        _open_files(pid) & sockets for pid in group_members(group)
    )


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.append(fields[9])
    return inodes


def _open_files(pid: int) -> set[str]:
    targets = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                targets.add(str(entry.readlink()))
    return targets
